"""The states of a deploy, one module each: what a function of the same name runs."""
