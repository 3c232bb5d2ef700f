"""Domain adaptation, the whole slice: terms of a loss, methods made of them, runs, and what chooses an epoch."""
