"""Networks for other runtimes: quantisation, TensorFlow Lite, ONNX."""
