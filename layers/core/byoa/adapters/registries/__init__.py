"""Repositories of registries, over HTTP, and of OCI layouts in folders."""
