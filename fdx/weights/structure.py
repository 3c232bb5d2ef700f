"""The names and shapes of a network's arrays, found by tracing it without making weights."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

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
    # The caller may change the dicts.
    return jax.tree.map(lambda shape: shape, _traced(model, example_input(model, input_shape).shape).variables)


class _Traced(NamedTuple):
    """Shapes of a network's variables, and of the input of each of its stages."""

    variables: dict[str, Any]
    inputs: list[jax.ShapeDtypeStruct]


def _inputs_of_stages(model: Staged, x: jax.Array) -> list[jax.Array]:
    inputs = []
    for i in range(len(model.STAGES)):
        inputs.append(x)
        x, _ = model(x, start=i, stop=i + 1)
    return inputs


def _traced(model: Staged, shape: tuple[int, ...]) -> _Traced:
    """The shapes for a batch of `shape`. Tracing a deep network takes a second, and reading weights asks repeatedly."""
    try:
        hash(model)
    except TypeError:  # A list among its options, as JSON has them.
        return _trace(model, shape)
    return _remembered(model, shape)


@functools.lru_cache(maxsize=64)
def _remembered(model: Staged, shape: tuple[int, ...]) -> _Traced:
    return _trace(model, shape)


def _trace(model: Staged, shape: tuple[int, ...]) -> _Traced:
    run = functools.partial(model.init_with_output, method=_inputs_of_stages)
    inputs, variables = jax.eval_shape(run, jax.random.key(0), jax.ShapeDtypeStruct(shape, jnp.float32))
    return _Traced(variables, inputs)


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
    start = model.STAGES.index(first)
    x = _traced(model, example_input(model, input_shape).shape).inputs[start]
    return model.init(jax.random.key(seed), jnp.zeros(x.shape, x.dtype), start=start)['params']
