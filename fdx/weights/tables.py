"""The published checkpoints that fdx can convert: one line per model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fdx.models.staged import Staged
from fdx.types import WeightsError
from fdx.weights import efficientnet_lite0, musicnn, resnet50, vgg16, vggish, yamnet
from fdx.weights.names import NameTable
from fdx.weights.structure import model_name

# A table may depend on the options of the network, such as its depths.
TABLES: dict[str, Callable[[Staged], NameTable]] = {
    'efficientnet_lite0': lambda model: efficientnet_lite0.efficientnet_table(model.depths),
    'musicnn_vgg': lambda model: musicnn.TABLE,
    'resnet50': lambda model: resnet50.resnet_table(model.depths),
    'vgg16': lambda model: vgg16.TORCHVISION,
    'vggish': lambda model: vggish.TABLE,
    'yamnet': lambda model: yamnet.TORCH,
}
# Those of HDF5 files, whose names are paths.
HDF5_TABLES: dict[str, Callable[[Staged], NameTable]] = {
    'vgg16': lambda model: vgg16.HED,
    'yamnet': lambda model: yamnet.keras_table(model.width_multiplier),
}
# Those of ONNX files, where torch's exporter names arrays like 'onnx::Conv_241'.
ONNX_TABLES: dict[str, Callable[[Staged], NameTable]] = {
    'yamnet': lambda model: yamnet.onnx_table(model.width_multiplier),
}
ONNX_MARK = '::'

# Fields of a network that decide the input of its classifier, with their values in the published checkpoints. A
# classifier for other values may have the same shape, but its outputs would be meaningless.
PUBLISHED_HEADS: dict[str, dict[str, Any]] = {'musicnn_vgg': musicnn.PUBLISHED_HEAD}


def name_table(model: Staged, names: Iterable[str] = ()) -> NameTable:
    """The name table of a network of `fdx.models`.

    Args:
      model: the network.
      names: those of the arrays in the file; with 'onnx::Conv_1' it is an ONNX file, else paths with '/' are names of
        an HDF5 file.

    Raises:
      WeightsError: fdx knows no foreign weights of that kind for this network.
    """
    name, names = model_name(model), list(names)
    tables, kind = TABLES, ''
    if any(ONNX_MARK in n for n in names):
        tables, kind = ONNX_TABLES, ' in ONNX files'
    elif any('/' in n for n in names):
        tables, kind = HDF5_TABLES, ' in HDF5 files'
    if name not in tables:
        raise WeightsError(f'fdx has no name table for weights of {name!r}{kind}; it has: {", ".join(sorted(tables))}')
    return tables[name](model)
