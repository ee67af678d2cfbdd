"""Pages by resource: each asks the API, and says which template shows what was answered."""
