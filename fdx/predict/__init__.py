"""Trained networks and fault orders asked about new recordings and tables."""
