"""Copies a graph of manifests and blobs from one repository to another, byte for byte."""
