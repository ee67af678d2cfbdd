"""Environment, settings, adapters: the only place that makes clients, one module per face."""
