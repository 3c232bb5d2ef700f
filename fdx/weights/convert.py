"""Converts a file of foreign weights to fdx's safetensors file with its manifest."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from fdx.models import create_model
from fdx.models.staged import Staged
from fdx.types import WeightsError
from fdx.weights.files import file_sha256, load_arrays, save_weights
from fdx.weights.names import LAYOUTS, NameTable, convert_state_dict, uses_torch_names
from fdx.weights.readers.hdf5 import read_hdf5
from fdx.weights.readers.onnx_file import read_onnx
from fdx.weights.readers.torch_file import read_torch_file
from fdx.weights.stem import STEM_KERNEL
from fdx.weights.structure import HEAD, example_input, file_template
from fdx.weights.tables import name_table

TORCH_SUFFIXES = ('.pth', '.pt')
HDF5_SUFFIXES = ('.h5', '.hdf5')
ONNX_SUFFIX = '.onnx'


def is_foreign(path: str | os.PathLike, names: Mapping[str, Any]) -> bool:
    """Whether the arrays of a file have the names of another library, and not those of fdx's own files."""
    return pathlib.Path(path).suffix.lower() in (*HDF5_SUFFIXES, ONNX_SUFFIX) or uses_torch_names(names)


def read_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Arrays of a .pth, .pt, .h5, .hdf5, .onnx or .safetensors file by their names in it.

    Raises:
      WeightsError: another suffix, or a missing or damaged file.
    """
    suffix = pathlib.Path(path).suffix.lower()
    if suffix in TORCH_SUFFIXES:
        return read_torch_file(path)
    if suffix in HDF5_SUFFIXES:
        return read_hdf5(path)
    if suffix == ONNX_SUFFIX:
        return read_onnx(path)
    if suffix == '.safetensors':
        return load_arrays(path)
    known = ', '.join((*TORCH_SUFFIXES, *HDF5_SUFFIXES, ONNX_SUFFIX))
    raise WeightsError(f'{path}: weights are read from {known} and .safetensors files')


def convert_arrays(
    state: Mapping[str, np.ndarray], model: Staged, input_shape: tuple[int, ...] | None = None
) -> dict[str, Any]:
    """Converts the arrays of a network's published checkpoint to the tree of fdx's files of weights.

    The number of classes (if the checkpoint has a classifier) and of the stem's input channels come from the state dict
    and may differ from `model`; everything else must be as in `model`.

    Args:
      state: arrays by torch name in torch's layouts, by path in an HDF5 file in TensorFlow's, or by name in an ONNX
        graph.
      model: a network of `fdx.models` that has a name table.
      input_shape: shape of one example; by default that of the model in `fdx.models.registry`.

    Returns:
      Nested dict of NumPy arrays: parameters, with 'head' if the table has it, and 'batch_stats' if there are any.
      Stages that the origin does not have (`NameTable.without`) are missing.

    Raises:
      WeightsError: see `fdx.weights.names.convert_state_dict`, or the network has no name table.
    """
    table = name_table(model, state)
    shape = example_input(model, input_shape).shape[1:]
    channels = _axis_size(state, table, STEM_KERNEL, axis=2)
    if channels:
        shape = (*shape[:-1], channels)
    classes = None
    if any(entry.target == f'{HEAD}/kernel' for entry in table.entries):
        classes = _axis_size(state, table, f'{HEAD}/kernel', axis=1) or model.num_classes
    template = file_template(model, shape, classes=classes)
    return convert_state_dict(state, table, {k: v for k, v in template.items() if k not in table.without})


def _axis_size(state: Mapping[str, np.ndarray], table: NameTable, target: str, *, axis: int) -> int:
    """Length of an axis of the array `target`, or 0 if it is missing, which the strict merge then reports."""
    for entry in table.entries:
        if entry.target == target:
            array, axes = state.get(entry.source), LAYOUTS[entry.layout]
            return array.shape[axes[axis]] if array is not None and array.ndim == len(axes) else 0
    return 0


def convert_file(
    model: str,
    source: str | os.PathLike,
    target: str | os.PathLike,
    *,
    licence: str,
    origin: str | None = None,
    extra: Mapping[str, Any] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Converts a published checkpoint.

    Args:
      model: name in `fdx.models`; its name table must exist.
      source: .pth, .pt or .safetensors file with the torch names, an .h5 file of Keras, or
        an .onnx file.
      target: the .safetensors file to write; its manifest goes beside it.
      licence: licence of the weights, for the manifest.
      origin: URL of the source for the manifest; by default the name of the file.
      extra: further entries of the manifest, such as the text of the licence.
      **options: fields of the model that change its arrays, e.g. width_multiplier=0.5 or depths=(3, 4, 23, 3).

    Returns:
      The manifest as written (`fdx.weights.files.save_weights`), with 'num_classes' if the checkpoint has a
      classifier, which the file keeps under 'head/', and 'without', the stages of the model that it lacks, if any.

    Raises:
      WeightsError: an unreadable source, other arrays than the model's, or a target that cannot be written.
      ConfigError: an unknown model or option.
    """
    network = create_model(model, 1, **options)
    source, target = pathlib.Path(source), pathlib.Path(target)
    if target.suffix != '.safetensors':
        raise WeightsError(f'{target}: the name of a file of fdx weights ends in .safetensors')
    state = read_arrays(source)
    try:
        tree = convert_arrays(state, network)
    except WeightsError as e:
        raise WeightsError(f'{source}: {e}') from e
    without = name_table(network, state).without
    manifest = {
        **(extra or {}),
        'model': model,
        'origin': origin or source.name,
        'source_sha256': file_sha256(source),
        'licence': licence,
        **({'num_classes': tree[HEAD]['bias'].size} if HEAD in tree else {}),
        **({'without': list(without)} if without else {}),
        **({'options': options} if options else {}),
    }
    return save_weights(target, tree, manifest)
