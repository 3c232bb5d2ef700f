"""Readers of foreign files of weights: torch's .pth, TensorFlow's bundles, wheels; neither library is imported."""
