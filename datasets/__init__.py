"""TFDS builders of fdx, one folder each."""
