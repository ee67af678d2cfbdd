"""The API over HTTP, and what is reached through it."""
