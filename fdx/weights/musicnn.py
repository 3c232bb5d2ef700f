"""Checkpoints of musicnn's VGG: the places of their arrays in `fdx.models.musicnn_vgg`, and their conversion.

The package musicnn (ISC licence) holds two checkpoints, MTT_vgg (trained on MagnaTagATune) and MSD_vgg (Million Song
Dataset). They contain the optimiser's state, which is left out. Kernels are [T, F, in, out] and [in, out], as in fdx.
TensorFlow numbers the batch norms in the order of the graph; the one on the input has no number.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from fdx.models import create_model
from fdx.models.musicnn_vgg import BANDS, DEPTH, PUBLISHED_FRAMES
from fdx.types import WeightsError
from fdx.weights.files import file_sha256, save_weights
from fdx.weights.names import Entry, NameTable, convert_state_dict
from fdx.weights.readers.tf_bundle import bundle_prefix, read_tf_bundle, shard_paths
from fdx.weights.structure import file_template

MODEL = 'musicnn_vgg'
# Fields of the network that decide the input of its classifier, with the values of the published checkpoints.
PUBLISHED_HEAD = {'head_input': 'flatten', 'depth': DEPTH}


def _module(source: str, target: str, layout: str) -> tuple[Entry, Entry]:
    return (
        Entry(f'{source}/kernel', f'{target}/kernel', layout),
        Entry(f'{source}/bias', f'{target}/bias', 'vector'),
    )


def _norm(source: str, target: str) -> tuple[Entry, ...]:
    return (
        Entry(f'{source}/gamma', f'{target}/scale', 'vector'),
        Entry(f'{source}/beta', f'{target}/bias', 'vector'),
        Entry(f'{source}/moving_mean', f'batch_stats/{target}/mean', 'vector'),
        Entry(f'{source}/moving_variance', f'batch_stats/{target}/var', 'vector'),
    )


def _stage(number: int) -> tuple[Entry, ...]:
    stage = f'stage{number}'
    return *_module(f'{number}CNN', f'{stage}/conv', 'tf_conv'), *_norm(f'batch_normalization_{number}', f'{stage}/bn')


TABLE = NameTable(
    origin="musicnn's vgg",
    entries=(
        *_norm('batch_normalization', 'stage1/input_bn'),
        *(entry for number in range(1, DEPTH + 1) for entry in _stage(number)),
        *_module('dense', 'head', 'tf_linear'),
    ),
    # Adam's two averages of every variable, and its powers of beta.
    dropped=r'.*/Adam(_1)?|beta[12]_power',
)


def musicnn_tree(state: Mapping[str, np.ndarray], *, width_multiplier: float = 1.0) -> dict[str, Any]:
    """Converts the tensors of a checkpoint of musicnn's VGG to the tree of fdx's files of weights.

    Args:
      state: floating point arrays by TensorFlow's names, in its layouts.
      width_multiplier: as in the model, 1 for the published network.

    Returns:
      Nested dict of NumPy arrays: parameters, the published classifier under 'head', and 'batch_stats'.

    Raises:
      WeightsError: see `fdx.weights.names.convert_state_dict`.
    """
    classes = max(1, np.size(state.get('dense/bias', ())))
    model = create_model(MODEL, classes, head_input='flatten', width_multiplier=width_multiplier)
    return convert_state_dict(state, TABLE, file_template(model, (PUBLISHED_FRAMES, BANDS, 1), classes=classes))


def convert_musicnn(
    source: str | os.PathLike,
    target: str | os.PathLike,
    *,
    licence: str,
    origin: str | None = None,
    extra: Mapping[str, Any] | None = None,
    width_multiplier: float = 1.0,
) -> dict[str, Any]:
    """Converts a checkpoint of musicnn's VGG, e.g. 'MTT_vgg/.index'.

    Args:
      source: the .index file; the data file lies beside it.
      target: the .safetensors file to write; its manifest goes beside it.
      licence: licence of the weights, for the manifest.
      origin: where the source came from, for the manifest; by default folder and name of the .index file.
      extra: further entries of the manifest, such as the text of the licence.
      width_multiplier: option of the network in the file, 1 for the published one.

    Returns:
      The manifest as written (`fdx.weights.files.save_weights`). 'source_sha256' is of the data file, 'index_sha256' of
      the .index file; 'options' say that the classifier, of 'num_classes', takes the flattened last stage.

    Raises:
      WeightsError: a damaged source, other tensors than the network's, or a target that cannot be written.
    """
    source, target = pathlib.Path(source), pathlib.Path(target)
    if target.suffix != '.safetensors':
        raise WeightsError(f'{target}: the name of a file of fdx weights ends in .safetensors')
    state = read_tf_bundle(source)
    try:
        tree = musicnn_tree(state, width_multiplier=width_multiplier)
    except WeightsError as e:
        raise WeightsError(f'{source}: {e}') from e
    prefix = bundle_prefix(source)
    width = {} if width_multiplier == 1.0 else {'width_multiplier': width_multiplier}
    manifest = {
        **(extra or {}),
        'model': MODEL,
        'origin': origin or f'{source.absolute().parent.name}/{source.name}',
        'source_sha256': file_sha256(shard_paths(prefix)[0]),
        'index_sha256': file_sha256(f'{prefix}.index'),
        'licence': licence,
        'num_classes': tree['head']['bias'].size,
        'options': {'head_input': PUBLISHED_HEAD['head_input'], **width},
    }
    return save_weights(target, tree, manifest)
