"""ONNX files run by onnxruntime, which lives in an environment of its own (requirements-onnx.txt)."""

from __future__ import annotations

import importlib
import json
import os
import pathlib
from collections.abc import Iterable
from types import ModuleType

import numpy as np

from fdx.types import CheckpointError, ConfigError, DataError

INPUT, OUTPUT, METADATA_NAME = 'input', 'probabilities', 'fdx'
REMEDY = (
    'python -m venv .venv-onnx && .venv-onnx/bin/pip install -r requirements-onnx.txt, then the same command with '
    '.venv-onnx/bin/python'
)


def package_of_onnx(name: str) -> ModuleType:
    """Imports one of the packages that requirements-onnx.txt installs; ConfigError tells how to install it."""
    try:
        return importlib.import_module(name)
    except ImportError as e:
        raise ConfigError(f'ONNX needs the package {name}, in an environment of its own: {REMEDY} ({e})') from e


class OnnxModel:
    """An ONNX model as a function from inputs to probabilities, with the face of `litert.LitertModel`.

    Attributes:
      description: what fdx wrote into the file, or None.
    """

    def __init__(self, model: bytes, source: str = 'the model'):
        """Loads a file's content; CheckpointError if onnxruntime refuses it."""
        runtime = package_of_onnx('onnxruntime')
        try:
            self._session = runtime.InferenceSession(model, providers=['CPUExecutionProvider'])
        except Exception as e:  # Its errors share no base class.
            raise CheckpointError(f'{source}: onnxruntime cannot load it: {e}; export it again') from e
        self._shape = tuple(self._session.get_inputs()[0].shape[1:])
        text = self._session.get_modelmeta().custom_metadata_map.get(METADATA_NAME)
        self.description: dict | None = json.loads(text) if text else None

    def encode(self, example: np.ndarray) -> np.ndarray:
        """An example [...] as the model takes it, float32 [1, ...]; DataError for another shape."""
        if example.shape != self._shape:
            raise DataError(f'the model takes examples of {self._shape}, not {example.shape}')
        return np.asarray(example, np.float32)[None]

    def invoke(self, encoded: np.ndarray) -> np.ndarray:
        """Probabilities float32 [B, K] of [B, ...]."""
        return self._session.run([OUTPUT], {INPUT: encoded})[0]

    def probabilities(self, examples: Iterable[np.ndarray]) -> np.ndarray:
        """float32 [N, K] of examples [...]."""
        return np.concatenate([self.invoke(self.encode(example)) for example in examples])


def read_model(path: str | os.PathLike) -> tuple[OnnxModel, dict]:
    """An .onnx file that launch.export wrote, loaded, with its description; CheckpointError for any other."""
    file = pathlib.Path(path)
    if not file.is_file():
        raise CheckpointError(f'{file} does not exist: write it with launch.export --format=onnx --out={file}')
    model = OnnxModel(file.read_bytes(), str(file))
    if model.description is None:
        raise CheckpointError(
            f'{file} holds no description by fdx, so its classes and its front end are unknown: export a checkpoint '
            'with launch.export'
        )
    return model, model.description
