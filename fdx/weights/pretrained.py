"""A model with pretrained weights, and with a new classifier where the file's does not fit."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import numpy as np

from fdx.types import WeightsError
from fdx.weights.convert import convert_arrays, read_arrays
from fdx.weights.files import load_manifest
from fdx.weights.merge import merge_variables
from fdx.weights.names import uses_torch_names
from fdx.weights.stem import adapt_stem, stem_change
from fdx.weights.structure import HEAD, example_input, init_head, tree_variables, variable_shapes
from fdx.weights.trees import unflatten_tree

logger = logging.getLogger(__name__)


class Pretrained(NamedTuple):
    """What `read_pretrained` hands back.

    Attributes:
      variables: {'params': ...}, with 'batch_stats' for a model that has them; NumPy and JAX arrays.
      notes: what was done beyond copying, in words for a manifest: the classifier's fate, the stem's change.
    """

    variables: dict[str, Any]
    notes: tuple[str, ...]


def load_pretrained(
    path: str | os.PathLike,
    model: nn.Module,
    *,
    seed: int = 0,
    input_shape: tuple[int, ...] | None = None,
) -> dict[str, Any]:
    """The variables of `read_pretrained` alone."""
    return read_pretrained(path, model, seed=seed, input_shape=input_shape).variables


def read_pretrained(
    path: str | os.PathLike,
    model: nn.Module,
    *,
    seed: int = 0,
    input_shape: tuple[int, ...] | None = None,
) -> Pretrained:
    """Variables of a model from a file: every array, the classifier too where it has as many classes as the model.

    A classifier of another number of classes, or none in the file, means a fresh one; the log and the notes say which.
    Where the channels of the stem differ, `fdx.weights.stem.adapt_stem` applies.

    Args:
      path: .safetensors file of fdx (checked against its manifest if that lies beside it), or a .pth, .pt or
        .safetensors file with the torch names of the model's published checkpoint.
      model: the network, of the widths that the file has; its number of classes is free.
      seed: of a fresh classifier's values, the same as in `model.init(jax.random.key(seed), x)`.
      input_shape: shape of one example, by default that of the model in `fdx.models.registry`, with the sizes of
        `fdx.weights.structure.FREE_SHAPE` where that is free.

    Raises:
      WeightsError: an unreadable file, or arrays that are not exactly those of the model (law 9).
    """
    init = variable_shapes(model, input_shape)
    channels = example_input(model, input_shape).shape[-1]
    manifest = load_manifest(path)
    arrays = read_arrays(path)
    try:
        tree = convert_arrays(arrays, model, input_shape) if uses_torch_names(arrays) else unflatten_tree(arrays)
        keep, note = _classifier(tree, model, seed)
        notes = (note, *filter(None, [stem_change(tree, channels)]))
        if not keep:
            init = {**init, 'params': {**init['params'], HEAD: init_head(model, seed, input_shape)}}
        loaded = tree_variables(adapt_stem(tree, channels))
        variables = merge_variables(init, loaded, replace=() if keep else (HEAD,))
    except WeightsError as e:
        raise WeightsError(f'{path}: {e}') from e
    count = len(jax.tree.leaves(variables)) - (0 if keep else len(jax.tree.leaves(variables['params'][HEAD])))
    logger.info('%s: %d arrays loaded (origin: %s); %s', path, count, manifest.get('origin', 'unknown'), note)
    return Pretrained(variables, notes)


def _classifier(tree: Mapping[str, Any], model: nn.Module, seed: int) -> tuple[bool, str]:
    """Whether the file's classifier is taken, and the words that say so.

    One whose number of classes cannot be told counts as taken: the strict merge then lists what is wrong with it.
    """
    if HEAD not in tree:
        return False, f'the file has no classifier, a new one of {model.num_classes} classes is drawn (seed {seed})'
    bias = tree[HEAD].get('bias') if isinstance(tree[HEAD], Mapping) else None
    classes = np.size(bias) if bias is not None else model.num_classes
    if classes == model.num_classes:
        return True, f"the file's classifier of {classes} classes is kept"
    return False, (
        f"the file's classifier of {classes} classes is replaced by a new one of {model.num_classes} classes "
        f'(seed {seed})'
    )
