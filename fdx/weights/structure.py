"""What arrays a network has, found by tracing it: no weights are made."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from fdx.models.registry import MODELS
from fdx.types import WeightsError

HEAD = 'head'


def model_name(model: nn.Module) -> str:
    """The name in `fdx.models` of the class of `model`.

    Raises:
      WeightsError: the class is not registered.
    """
    names = [name for name, spec in MODELS.items() if spec.module is type(model)]
    if not names:
        raise WeightsError(f'{type(model).__name__} is no model of fdx.models.registry; it has: {", ".join(MODELS)}')
    return names[0]


def example_input(model: nn.Module, input_shape: tuple[int, ...] | None = None) -> jax.ShapeDtypeStruct:
    """float32 [1, *input_shape], a batch of one; by default the registered shape of the model."""
    shape = MODELS[model_name(model)].input_shape if input_shape is None else tuple(input_shape)
    return jax.ShapeDtypeStruct((1, *shape), jnp.float32)


def variable_shapes(model: nn.Module, input_shape: tuple[int, ...] | None = None) -> dict[str, Any]:
    """The variables of `model.init` as nested dicts of `jax.ShapeDtypeStruct`: 'params', perhaps 'batch_stats'."""
    return jax.eval_shape(model.init, jax.random.key(0), example_input(model, input_shape))


def body_template(model: nn.Module, input_shape: tuple[int, ...] | None = None) -> dict[str, Any]:
    """Shapes of everything that a file of weights holds: parameters without the head, and 'batch_stats' if any."""
    shapes = variable_shapes(model, input_shape)
    body = {name: tree for name, tree in shapes['params'].items() if name != HEAD}
    return {**body, 'batch_stats': shapes['batch_stats']} if 'batch_stats' in shapes else body


def init_head(model: nn.Module, seed: int, input_shape: tuple[int, ...] | None = None) -> dict[str, Any]:
    """Fresh parameters of the classifier alone, the same values as in a full `model.init(jax.random.key(seed), x)`.

    Flax derives a parameter's random key from its path, so the stages before the head need not be initialised.
    """
    key, x = jax.random.key(seed), example_input(model, input_shape)
    head = model.STAGES.index(HEAD)
    features, _ = jax.eval_shape(lambda k, v: model.init_with_output(k, v, stop=head)[0], key, x)
    return model.init(key, jnp.zeros(features.shape, features.dtype), start=head)['params'][HEAD]
