"""The bearing test rig: a physical simulator of three machines, and the TFDS builder that uses it."""
