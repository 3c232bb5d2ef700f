"""A user's own recordings as fdx records."""
