"""Protocols: pure functions from the table of records to training, validation and test rows, and their guard."""
