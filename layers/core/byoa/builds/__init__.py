"""A build: its messages, its record, and one module per state of the pipeline.

Every step that writes asks the ledger first: an overtaken build stops with ``StaleVersion`` before its next side
effect. Steps may run twice with the same message and end the same way. They know ports alone.
"""
