"""Ports in memory: for tests, and for what is small enough to stay there."""
