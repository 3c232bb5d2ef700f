"""The motor bench: a physical simulator of the SOON test bench and, on top of it, a TFDS builder."""
