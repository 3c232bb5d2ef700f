"""What runs a network: a checkpoint of fdx, LiteRT or onnxruntime, all with the same face."""
