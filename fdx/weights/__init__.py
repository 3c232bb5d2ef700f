"""Turns foreign checkpoints into fdx variables: readers, name tables, strict merge, files with a manifest, a cache."""
