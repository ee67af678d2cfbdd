"""A build: its messages, its record, and one module per state of the pipeline."""
