"""The network of a checkpoint as a function of its input: scores, gradients, and the map of its last convolution."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from fdx.predict.predictor import AnyPredictor
from fdx.train.programs import initial_variables
from fdx.types import ConfigError

# Examples per call: more would cost memory, and every call is padded to this number, so that one program serves all.
BATCH = 16
MAP_AXES = 4  # [B, H, W, C]


def log_odds_of(logits: jax.Array, classes: jax.Array) -> jax.Array:
    """log(p / (1 - p)) of the class of each example: its logit minus the log-sum-exp of all others.

    Unlike the probability it does not saturate, and unlike the logit it does not change when all logits rise together.

    Args:
      logits: [B, K], K at least 2.
      classes: int [B].

    Returns:
      [B].
    """
    own = jax.nn.one_hot(classes, logits.shape[1], dtype=bool)
    others = jax.nn.logsumexp(jnp.where(own, -jnp.inf, logits), axis=1)
    return jnp.where(own, logits, 0.0).sum(axis=1) - others


@dataclasses.dataclass(frozen=True, eq=False)
class Network:
    """A network with its variables.

    Attributes:
      model: the linen module, outside of any map over devices.
      variables: of all its stages.
      input_shape: of one example.
    """

    model: nn.Module
    variables: dict
    input_shape: tuple[int, ...]

    @classmethod
    def of(cls, predictor: AnyPredictor) -> Network:
        """The network of a checkpoint.

        Raises:
          ConfigError: an exported file, which holds no gradients.
        """
        network = getattr(predictor, 'network', None)
        if network is None:
            raise ConfigError(
                f'{predictor.workdir}: gradients need the checkpoint, not an exported file: name the workdir of the '
                'run with `checkpoint`'
            )
        model, variables, shape = network()
        return cls(model.clone(axis_name=None), variables, tuple(shape))

    def with_random_weights(self, seed: int = 0) -> Network:
        """The same network as it was before any training, for the sanity check of Adebayo et al. (NeurIPS 2018)."""
        # As in fdx.train.model_setup: the other form of threefry compiles for seconds.
        with jax.threefry_partitionable(False):
            fresh = initial_variables(self.model, self.input_shape, seed)
        return dataclasses.replace(self, variables=fresh)

    def logits(self, inputs: np.ndarray) -> np.ndarray:
        """Logits of inputs [N, ...]: float32 [N, K]."""
        return self._batched(_programs(self.model)['logits'], inputs)

    def log_odds(self, inputs: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """`log_odds_of` inputs [N, ...] and classes int [N]: float32 [N]."""
        return np.asarray(log_odds_of(jnp.asarray(self.logits(inputs)), jnp.asarray(classes)))

    def gradients(self, inputs: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Gradients of the log odds of `classes` int [N] with respect to inputs [N, ...]: float32 [N, ...]."""
        return self._batched(_programs(self.model)['gradients'], inputs, classes)

    @functools.cached_property
    def map_stage(self) -> str | None:
        """The last stage whose output is a map of several places: that of Grad-CAM. None where there is no such stage.

        A map counts only if convolutions made it: a network that averages its input at once has none.
        """
        example = jnp.zeros((1, *self.input_shape), jnp.float32)
        shapes = jax.eval_shape(lambda v, x: self.model.apply(v, x, train=False)[1], self.variables, example)
        stages = self.model.STAGES
        maps = [s for s in stages if len(shapes[s].shape) == MAP_AXES and np.prod(shapes[s].shape[1:3]) > 1]
        return maps[-1] if maps else None

    def map_and_gradients(self, inputs: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The map of `map_stage`, and the gradients of the log odds with respect to it: float32 [N, H', W', D] each.

        Raises:
          ConfigError: the network has no such stage.
        """
        if self.map_stage is None:
            name = self.model.NAME
            raise ConfigError(f'{name} has no convolution whose map Grad-CAM could weigh: take another `methods`')
        return self._batched(_map_program(self.model, self.map_stage), inputs, classes)

    def _batched(self, program: Callable, inputs: np.ndarray, *more: np.ndarray) -> Any:
        """Runs a program over padded batches and joins what it gives: an array, or a tuple of arrays."""
        parts = []
        for start in range(0, len(inputs), BATCH):
            batch = [np.asarray(a[start : start + BATCH]) for a in (inputs, *more)]
            n = len(batch[0])
            padded = [np.concatenate([a, np.zeros((BATCH - n, *a.shape[1:]), a.dtype)]) for a in batch]
            parts.append(jax.tree.map(lambda x, n=n: np.asarray(x)[:n], program(self.variables, *padded)))
        return jax.tree.map(lambda *arrays: np.concatenate(arrays), *parts)


@functools.lru_cache(maxsize=16)
def _programs(model: nn.Module) -> dict[str, Callable]:
    """Compiled functions of (variables, inputs, ...); networks with other weights share them."""

    def logits(variables, x):
        return model.apply(variables, x, train=False)[0]

    def total(x, variables, classes):
        # Examples do not see each other, so the gradient of the sum holds those of all examples.
        return log_odds_of(logits(variables, x), classes).sum()

    gradients = jax.jit(lambda variables, x, classes: jax.grad(total)(x, variables, classes))
    return {'logits': jax.jit(logits), 'gradients': gradients}


@functools.lru_cache(maxsize=16)
def _map_program(model: nn.Module, stage: str) -> Callable:
    after = model.STAGES.index(stage) + 1

    def rest(features, variables, classes):
        return log_odds_of(model.apply(variables, features, train=False, start=after)[0], classes).sum()

    @jax.jit
    def program(variables, x, classes):
        features = model.apply(variables, x, train=False, stop=after)[1][stage]
        return features, jax.grad(rest)(features, variables, classes)

    return program
