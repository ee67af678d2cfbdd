"""The HTTP API: routes by resource, who may use them, and what their answers have in common."""
