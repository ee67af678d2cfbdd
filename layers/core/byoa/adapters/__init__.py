"""Implementations of the ports; known to bootstrap only."""
