"""Tags that move: what registries tell by hooks, and what becomes of it."""
