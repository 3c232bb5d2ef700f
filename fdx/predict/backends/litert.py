"""Running an exported model with LiteRT, one example at a time, as a device does."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from fdx.predict.backends.quantize import Quantization, dequantise, quantise
from fdx.predict.backends.quiet import quiet_stderr
from fdx.predict.backends.tflite_file import TensorInfo, model_info
from fdx.types import CheckpointError, DataError

THREADS = 2


class LitertModel:
    """A TensorFlow Lite model as a function from inputs to probabilities.

    Attributes:
      info: what it is made of.
    """

    def __init__(self, model: bytes, threads: int = THREADS, source: str = 'the model'):
        """Loads a flatbuffer; CheckpointError if the runtime refuses it."""
        self.info = model_info(model)
        try:
            with quiet_stderr():
                self._interpreter = Interpreter(model_content=model, num_threads=threads)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as e:
            raise CheckpointError(f'{source}: LiteRT cannot load it: {e}; export it again') from e
        self._input = self._interpreter.get_input_details()[0]['index']
        self._output = self._interpreter.get_output_details()[0]['index']

    def run(self, example: np.ndarray) -> np.ndarray:
        """Probabilities float32 [K] of one example float32 [...], quantised and back for a model of integers."""
        return _decoded(self.invoke(self.encode(example))[0], self.info.output)

    def encode(self, example: np.ndarray) -> np.ndarray:
        """An example float32 [...] as the model takes it: [1, ...], as codes if its input is an integer tensor."""
        return _encoded(example[None], self.info.input)

    def invoke(self, encoded: np.ndarray) -> np.ndarray:
        """The model's own output [1, K], codes if it is an integer tensor."""
        self._interpreter.set_tensor(self._input, encoded)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._output)

    def probabilities(self, examples: Iterable[np.ndarray]) -> np.ndarray:
        """float32 [N, K] of examples [...], each row scaled to sum to 1: 8-bit codes sum to 1 only nearly.

        Raises:
          DataError: examples of another shape than the model takes.
        """
        rows = []
        for example in examples:
            if (1, *example.shape) != self.info.input.shape:
                raise DataError(f'the model takes examples of {self.info.input.shape[1:]}, not {example.shape}')
            rows.append(self.run(np.asarray(example, np.float32)))
        p = np.stack(rows)
        return (p / p.sum(axis=1, keepdims=True)).astype(np.float32)


def quantization_of(tensor: TensorInfo) -> Quantization | None:
    """How a tensor's codes stand for reals; None for floats."""
    if tensor.dtype.startswith('float'):
        return None
    return Quantization(np.array(tensor.scale, np.float64), np.array(tensor.zero_point, np.int64), tensor.dtype)


def _encoded(x: np.ndarray, tensor: TensorInfo) -> np.ndarray:
    q = quantization_of(tensor)
    return x.astype(np.float32) if q is None else quantise(x, q)


def _decoded(y: np.ndarray, tensor: TensorInfo) -> np.ndarray:
    q = quantization_of(tensor)
    return (y if q is None else dequantise(y, q)).astype(np.float32)
