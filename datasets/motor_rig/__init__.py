"""The motor bench: a physical simulator of the SOON test bench, and the TFDS builder that uses it."""
