"""Analog Devices' sample recordings of a machine fault simulator: file table and TFDS builder."""
