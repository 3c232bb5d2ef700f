"""The names and shapes of a network's arrays, found by tracing it without making weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from fdx.models.registry import MODELS
from fdx.models.staged import Staged
from fdx.types import WeightsError

HEAD = 'head'
# Default shape of an example for a model that takes any size: [F, T, C] or [T, F, C]. No parameter's shape depends on F
# or T, except that the published classifier of musicnn_vgg needs 187 frames.
FREE_SHAPE = (187, 64, 3)


def model_name(model: Staged) -> str:
    """The name in `fdx.models` of the class of `model`.

    Raises:
      WeightsError: the class is not registered.
    """
    cls = type(model)
    names = [name for name, spec in MODELS.items() if spec.module is getattr(cls, 'WHOLE', cls)]
    if not names:
        raise WeightsError(f'{type(model).__name__} is not a model of fdx.models.registry; it has: {", ".join(MODELS)}')
    return names[0]


def example_input(model: Staged, input_shape: tuple[int, ...] | None = None) -> jax.ShapeDtypeStruct:
    """float32 [1, *input_shape], a batch of one.

    By default the registered shape of the model; an axis that is free there (None) has the size of FREE_SHAPE.
    """
    if input_shape is None:
        registered = MODELS[model_name(model)].input_shape
        input_shape = tuple(FREE_SHAPE[i] if n is None else n for i, n in enumerate(registered))
    return jax.ShapeDtypeStruct((1, *input_shape), jnp.float32)


def variable_shapes(model: Staged, input_shape: tuple[int, ...] | None = None) -> dict[str, Any]:
    """The variables of `model.init` as nested dicts of `jax.ShapeDtypeStruct`: 'params', perhaps 'batch_stats'."""
    return jax.eval_shape(model.init, jax.random.key(0), example_input(model, input_shape))


def file_tree(variables: Mapping[str, Any]) -> dict[str, Any]:
    """{'params': p, 'batch_stats': s} -> one tree as in files of weights: p, with s under 'batch_stats' if any."""
    statistics = variables.get('batch_stats')
    return {**variables['params'], 'batch_stats': statistics} if statistics else dict(variables['params'])


def tree_variables(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The reverse of `file_tree`."""
    params = {name: branch for name, branch in tree.items() if name != 'batch_stats'}
    return {'params': params, 'batch_stats': tree['batch_stats']} if 'batch_stats' in tree else {'params': params}


def file_template(
    model: Staged, input_shape: tuple[int, ...] | None = None, *, classes: int | None = None
) -> dict[str, Any]:
    """Shapes of all arrays in a file of weights of this network.

    Args:
      model: the network; its own number of classes does not matter.
      input_shape: shape of one example (see `example_input`).
      classes: number of classes of the file's classifier; None if the file, and so the template, has no classifier.

    Returns:
      Nested dict of `jax.ShapeDtypeStruct`: the parameters, and 'batch_stats' for a network that has them.
    """
    tree = file_tree(variable_shapes(model.clone(num_classes=classes or 1), input_shape))
    if classes is None:
        del tree[HEAD]
    return tree


def init_head(model: Staged, seed: int, input_shape: tuple[int, ...] | None = None) -> dict[str, Any]:
    """Fresh parameters of the classifier only, with the same values as in a full `model.init(jax.random.key(seed), x)`.

    Flax derives a parameter's random key from its path, so the stages before the head need not be initialised.
    """
    return init_last(model, seed, input_shape, first=HEAD)[HEAD]


def init_last(model: Staged, seed: int, input_shape: tuple[int, ...] | None = None, *, first: str) -> dict[str, Any]:
    """Fresh parameters of the stages from `first` on, by stage, as in `init_head`."""
    key, x = jax.random.key(seed), example_input(model, input_shape)
    start = model.STAGES.index(first)
    features, _ = jax.eval_shape(lambda k, v: model.init_with_output(k, v, stop=start)[0], key, x)
    return model.init(key, jnp.zeros(features.shape, features.dtype), start=start)['params']
