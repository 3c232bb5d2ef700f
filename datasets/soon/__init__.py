"""Tri-axial vibration of an electric motor (SOON, Zenodo 6473455): file table, subsets, reader and TFDS builder."""
