"""What is inside an artifact, read within bounds."""
