"""The outputs of a network for the windows of a part: logits, and the layer that adapts."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from fdx.adapt.step import as_vectors
from fdx.data.pipeline import ArrayExamples
from fdx.train import parallel
from fdx.train.forward import forward_all
from fdx.train.model_setup import ModelSetup
from fdx.train.partition import join_variables
from fdx.train.programs import KEPT
from fdx.types import ConfigError


@dataclasses.dataclass(frozen=True)
class Outputs:
    """The outputs of a network for the windows of one part.

    Attributes:
      logits: float32 [N, K].
      features: float32 [N, D] of the layer that adapts.
      labels: int32 [N].
    """

    logits: np.ndarray
    features: np.ndarray
    labels: np.ndarray


# Parts -> the numbers of an epoch: criteria (lower is better) under their names, and whatever else its row shows.
Judge = Callable[[Mapping[str, Outputs]], dict[str, Any]]


def is_reached(setup: ModelSetup, input_shape: tuple[int, ...], feature: str) -> bool:
    """Whether outputs of the frozen prefix lead to the layer: a later stage names it, or it is that output itself.

    Args:
      setup: the network.
      input_shape: of one example.
      feature: the layer's name.

    Raises:
      ConfigError: the network has no layer of this name; the text lists those it has.
    """
    model = setup.model.clone(axis_name=None)
    found: dict[str, Any] = {}
    variables = join_variables(setup.prefix, setup.params, setup.stats)

    def run(x: jax.Array) -> jax.Array:
        output, before = model.apply(variables, x, train=False, stop=setup.start)
        logits, after = model.apply(variables, output, train=False, start=setup.start)
        # The cached output may be the layer after pooling, or before its activation: only the same array will do.
        found.update(names=(*before, *after), reached=feature in after or before.get(feature) is output)
        return logits

    jax.eval_shape(run, jax.ShapeDtypeStruct((1, *input_shape), jnp.float32))
    if feature not in found['names']:
        raise ConfigError(f'`feature`={feature}: the network names {", ".join(found["names"])}')
    return found['reached']


def make_outputs(model: nn.Module, start: int, feature: str) -> Callable:
    """Builds forward(variables, batch) -> (logits, feature vectors), gathered; for `parallel.compile_forward`."""

    def forward(variables: dict, batch: dict) -> tuple[jax.Array, jax.Array]:
        logits, features = model.apply(variables, batch['inputs'], train=False, start=start)
        return parallel.gather(logits), parallel.gather(as_vectors(features.get(feature, batch['inputs'])))

    return forward


@functools.lru_cache(maxsize=KEPT)
def compiled_outputs(model: nn.Module, start: int, feature: str, form: str = parallel.FORM) -> Callable:
    """`make_outputs`, compiled; runs of one network share it."""
    return parallel.compile_forward(make_outputs(model, start, feature), form)


def outputs_of(forward: Callable, variables: dict, examples: ArrayExamples) -> Outputs:
    """Runs a compiled `make_outputs` over all examples; each counts once."""
    logits, features = forward_all(forward, variables, examples)
    return Outputs(logits, features, examples.labels())
