"""Foreign checkpoints to fdx variables: readers, name tables, strict merge, files with a manifest, the cache."""
