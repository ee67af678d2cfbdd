"""A component's config: TOML in, models or faults out."""
