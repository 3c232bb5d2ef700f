"""A file of foreign weights -> fdx's safetensors file with its manifest."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import numpy as np

from fdx.models import create_model
from fdx.types import WeightsError
from fdx.weights.files import file_sha256, load_arrays, save_weights
from fdx.weights.names import convert_state_dict
from fdx.weights.structure import body_template
from fdx.weights.tables import name_table
from fdx.weights.torch_file import read_torch_file

TORCH_SUFFIXES = ('.pth', '.pt')


def read_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Arrays of a .pth, .pt or .safetensors file by their names in it.

    Raises:
      WeightsError: another suffix, no such file, or a damaged one.
    """
    suffix = pathlib.Path(path).suffix.lower()
    if suffix in TORCH_SUFFIXES:
        return read_torch_file(path)
    if suffix == '.safetensors':
        return load_arrays(path)
    raise WeightsError(f'{path}: weights are read from {", ".join(TORCH_SUFFIXES)} and .safetensors files')


def convert_file(
    model: str,
    source: str | os.PathLike,
    target: str | os.PathLike,
    *,
    licence: str,
    origin: str | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Converts a published checkpoint.

    Args:
      model: name in `fdx.models`; its name table must exist.
      source: .pth, .pt or .safetensors file with the torch names.
      target: the .safetensors file to write; its manifest goes beside it.
      licence: of the weights, for the manifest.
      origin: URL of the source for the manifest; by default the name of the file.
      **options: fields of the model that change its widths, e.g. width_multiplier=0.5.

    Returns:
      The manifest as written (`fdx.weights.files.save_weights`).

    Raises:
      WeightsError: an unreadable source, other arrays than the model's, or a target that cannot be written.
      ConfigError: an unknown model or option.
    """
    network = create_model(model, 1, **options)
    table = name_table(model)
    source, target = pathlib.Path(source), pathlib.Path(target)
    if target.suffix != '.safetensors':
        raise WeightsError(f'{target}: the name of a file of fdx weights ends in .safetensors')
    state = read_arrays(source)
    try:
        params = convert_state_dict(state, table, body_template(network))
    except WeightsError as e:
        raise WeightsError(f'{source}: {e}') from e
    manifest = {
        'model': model,
        'origin': origin or source.name,
        'source_sha256': file_sha256(source),
        'licence': licence,
        **({'options': options} if options else {}),
    }
    return save_weights(target, params, manifest)
