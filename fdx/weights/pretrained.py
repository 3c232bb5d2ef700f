"""A model with pretrained weights and a new classifier."""

from __future__ import annotations

import logging
import os
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from fdx.types import WeightsError
from fdx.weights.convert import read_arrays
from fdx.weights.files import load_manifest
from fdx.weights.merge import merge_params
from fdx.weights.names import convert_state_dict, uses_torch_names
from fdx.weights.structure import HEAD, body_template, init_head, model_name, variable_shapes
from fdx.weights.tables import name_table
from fdx.weights.trees import unflatten_tree

logger = logging.getLogger(__name__)


def load_pretrained(
    path: str | os.PathLike,
    model: nn.Module,
    *,
    seed: int = 0,
    input_shape: tuple[int, ...] | None = None,
) -> dict[str, Any]:
    """Variables of a model: every array from the file, the classifier fresh.

    Args:
      path: .safetensors file of fdx (checked against its manifest if that lies beside it), or a .pth, .pt or
        .safetensors file with the torch names of the model's published checkpoint.
      model: the network, of the widths that the file has; its number of classes is free.
      seed: of the classifier's initial values, the same as in `model.init(jax.random.key(seed), x)`.
      input_shape: shape of one example, by default that of the model in `fdx.models.registry`.

    Returns:
      {'params': ...}, with 'batch_stats' for a model that has them; NumPy and JAX arrays.

    Raises:
      WeightsError: an unreadable file, or arrays that are not exactly those of the model (law 9).
    """
    shapes = variable_shapes(model, input_shape)
    manifest = load_manifest(path)
    arrays = read_arrays(path)
    try:
        loaded = _to_tree(arrays, model, input_shape)
        statistics = loaded.pop('batch_stats', {})
        init = {**shapes['params'], HEAD: init_head(model, seed, input_shape)}
        variables = {'params': merge_params(init, loaded, replace=(HEAD,))}
        if statistics or 'batch_stats' in shapes:
            variables['batch_stats'] = merge_params(shapes.get('batch_stats', {}), statistics, replace=())
    except WeightsError as e:
        raise WeightsError(f'{path}: {e}') from e
    logger.info(
        '%s: %d arrays loaded (origin: %s); the classifier is new: %d parameters, seed %d',
        path,
        len(jax.tree.leaves(variables)) - len(jax.tree.leaves(init[HEAD])),
        manifest.get('origin', 'unknown'),
        sum(leaf.size for leaf in jax.tree.leaves(init[HEAD])),
        seed,
    )
    return variables


def _to_tree(arrays: dict[str, np.ndarray], model: nn.Module, input_shape: tuple[int, ...] | None) -> dict[str, Any]:
    """Fdx's nested dict, converted by the model's name table where the names are torch's."""
    if not uses_torch_names(arrays):
        return unflatten_tree(arrays)
    return convert_state_dict(arrays, name_table(model_name(model)), body_template(model, input_shape))
