"""The bearing recordings of Case Western Reserve University (CWRU): file table, subsets, reader and TFDS builder."""
