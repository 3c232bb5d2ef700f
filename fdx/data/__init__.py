"""Records, splits, protocols and pipelines: from recordings to batches."""
