"""A user's own recordings: a folder per class, a manifest, or names that follow a pattern."""
