"""Networks for other runtimes: quantisation, TensorFlow Lite, ONNX."""

FORMATS = ('tflite_int8', 'tflite_float', 'tflite_dynamic', 'onnx')
