"""TensorFlow Lite files: what they contain, and the description that fdx puts into them (law 5).

A description lies in the metadata of the flatbuffer, which runtimes skip: compressed JSON behind the SHA-256 of the
file. LiteRT trusts the offsets of a flatbuffer, and changed weights are as good a model as any to it: a damaged file is
found here, before it is loaded.
"""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import json
import os
import pathlib
import struct
import zlib

from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from fdx.files import parse_json
from fdx.types import CheckpointError

METADATA_NAME = 'fdx'
IDENTIFIER = b'TFL3'
# The digest is computed over the whole file with these zeros in the place of the digest.
NO_DIGEST = bytes(hashlib.sha256().digest_size)
_TYPE_NAMES = {v: k.lower() for k, v in vars(schema.TensorType).items() if not k.startswith('_')}
_OPERATOR_NAMES = {v: k for k, v in vars(schema.BuiltinOperator).items() if not k.startswith('_')}


@dataclasses.dataclass(frozen=True)
class TensorInfo:
    """Input or output of a model.

    Attributes:
      shape: with the batch axis.
      dtype: float32, int8, ...
      scale: of integers, 0 for floats: real = scale * (code - zero_point).
      zero_point: of integers.
    """

    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int


@dataclasses.dataclass(frozen=True)
class ModelInfo:
    """What a model is made of.

    Attributes:
      num_bytes: size of the flatbuffer.
      operators: name and type of its output, as in 'CONV_2D int8' -> number of them.
      tensors: type -> number of tensors.
      input: see TensorInfo.
      output: likewise.
    """

    num_bytes: int
    operators: dict[str, int]
    tensors: dict[str, int]
    input: TensorInfo
    output: TensorInfo

    @property
    def full_integer(self) -> bool:
        """Whether all tensors are integers."""
        return not any(name.startswith(('float', 'bfloat')) for name in self.tensors)


def model_info(model: bytes) -> ModelInfo:
    """Describes a model of one graph, one input and one output."""
    root = schema.Model.GetRootAs(model)
    graph = root.Subgraphs(0)
    codes = [root.OperatorCodes(i) for i in range(root.OperatorCodesLength())]
    # Old files hold the number of an operator in a separate byte.
    numbers = [max(c.BuiltinCode(), c.DeprecatedBuiltinCode()) for c in codes]
    types = [_TYPE_NAMES[graph.Tensors(i).Type()] for i in range(graph.TensorsLength())]
    operators = collections.Counter(
        f'{_OPERATOR_NAMES.get(numbers[operator.OpcodeIndex()], "CUSTOM")} {types[operator.Outputs(0)]}'
        for operator in map(graph.Operators, range(graph.OperatorsLength()))
    )
    tensors = collections.Counter(types)
    return ModelInfo(
        len(model),
        dict(operators.most_common()),
        dict(tensors.most_common()),
        _tensor(graph.Tensors(graph.Inputs(0))),
        _tensor(graph.Tensors(graph.Outputs(0))),
    )


def _tensor(tensor) -> TensorInfo:
    quantization, known = tensor.Quantization(), False
    if quantization is not None:
        known = quantization.ScaleLength() > 0
    return TensorInfo(
        tuple(int(n) for n in tensor.ShapeAsNumpy()),
        _TYPE_NAMES[tensor.Type()],
        float(quantization.Scale(0)) if known else 0.0,
        int(quantization.ZeroPoint(0)) if known else 0,
    )


def with_description(model: bytes, description: dict) -> bytes:
    """The model with a description inside; one that is there already is replaced."""
    tree = flatbuffer_utils.read_model_from_bytearray(bytearray(model))
    tree.metadata = tree.metadata or []
    entry = next((m for m in tree.metadata if m.name in (METADATA_NAME, METADATA_NAME.encode())), None)
    if entry is None:
        entry = schema.MetadataT()
        entry.name, entry.buffer = METADATA_NAME, len(tree.buffers)
        tree.buffers.append(schema.BufferT())
        tree.metadata.append(entry)
    block = NO_DIGEST + zlib.compress(json.dumps(description, allow_nan=False).encode(), 9)
    tree.buffers[entry.buffer].data = block
    content = bytes(flatbuffer_utils.convert_object_to_bytearray(tree))
    return content.replace(block, hashlib.sha256(content).digest() + block[len(NO_DIGEST) :])


def read_model(path: str | os.PathLike) -> tuple[bytes, dict]:
    """A .tflite file that launch.export wrote, with its description.

    Raises:
      CheckpointError: the file is missing, damaged, not a TensorFlow Lite model, or has no description.
    """
    file = pathlib.Path(path)
    if not file.is_file():
        raise CheckpointError(f'{file} does not exist: write it with launch.export --out={file}')
    model = file.read_bytes()
    if model[4:8] != IDENTIFIER:
        raise CheckpointError(
            f'{file} is not a TensorFlow Lite model: bytes 4 to 8 are {model[4:8]!r}, not {IDENTIFIER!r}'
        )
    try:
        description = _description(model)
    except (struct.error, zlib.error, LookupError, ValueError, TypeError, AttributeError, MemoryError) as e:
        raise CheckpointError(f'{file} is damaged ({type(e).__name__}: {e}): export it again') from e
    if description is None:
        raise CheckpointError(
            f'{file} holds no description by fdx, so its classes and its front end are unknown: export a checkpoint '
            'with launch.export'
        )
    return model, description


def _description(model: bytes) -> dict | None:
    """What `with_description` put in, None if it never did; ValueError if the SHA-256 is not the written one."""
    root = schema.Model.GetRootAs(model)
    for i in range(root.MetadataLength()):
        entry = root.Metadata(i)
        if entry.Name() == METADATA_NAME.encode():
            block = root.Buffers(entry.Buffer()).DataAsNumpy().tobytes()
            digest, packed = block[: len(NO_DIGEST)], block[len(NO_DIGEST) :]
            if hashlib.sha256(model.replace(digest, NO_DIGEST, 1)).digest() != digest:
                raise ValueError('its SHA-256 is not the one that it was written with')
            return parse_json(zlib.decompress(packed))
    return None
