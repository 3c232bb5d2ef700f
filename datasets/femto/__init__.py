"""PRONOSTIA's bearings that were run to failure: their lives in snippets, and the TFDS builder."""
