"""Nouns of the OCI specifications: parsed or refused, rendered, compared."""
