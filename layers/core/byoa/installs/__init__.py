"""Applying a mirrored artifact to a cluster: planned, applied by stages, watched, pruned, remembered."""
