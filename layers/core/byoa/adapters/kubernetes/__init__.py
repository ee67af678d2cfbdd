"""Kubernetes clusters by their API, over whatever sends requests."""
