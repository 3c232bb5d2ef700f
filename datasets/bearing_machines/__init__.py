"""A thousand and more simulated machines, one recording each: what the universal judge learns from."""
