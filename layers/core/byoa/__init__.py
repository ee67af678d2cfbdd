"""BYOA: from a named OCI artifact to a pinned, checked and mirrored one."""
