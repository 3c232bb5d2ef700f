"""The bearing test rig: a physical simulator of three machines and, on top of it, a TFDS builder."""
