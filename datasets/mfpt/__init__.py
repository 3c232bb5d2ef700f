"""The bearing recordings of the MFPT society: file table and subsets, reader, sources and TFDS builder."""
