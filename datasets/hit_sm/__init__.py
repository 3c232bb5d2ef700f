"""HIT-SM's bearing recordings of two test rigs: file table and TFDS builder."""
