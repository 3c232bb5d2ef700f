"""The whole way from a model's input to probabilities as one function, to be exported."""

from __future__ import annotations

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from fdx.signal.patch import InputMaker
from fdx.signal.readings import reads_tables
from fdx.signal.scaling import Gain, is_neutral


def inference(
    model: nn.Module, variables: dict, scale: Callable[[jax.Array], jax.Array], temperature: float = 1.0
) -> Callable:
    """The function examples [B, ...] -> probabilities [B, K], with a scaling in front.

    Args:
      model: a network of fdx.models.
      variables: its parameters and statistics, which become constants.
      scale: what happens to the input first.
      temperature: what the logits are divided by.
    """
    plain = model.clone(axis_name=None)

    def function(x: jax.Array) -> jax.Array:
        logits, _ = plain.apply(variables, scale(x), train=False)
        return jax.nn.softmax(logits if temperature == 1 else logits / temperature)

    return function


def identity(x: jax.Array) -> jax.Array:
    """The scaling that changes nothing."""
    return x


def folded_scaling(front_end: InputMaker, gain: Gain) -> Callable[[jax.Array], jax.Array] | None:
    """`front_end.with_gain(., gain)` as a JAX function that a float model can hold; None if there is no such function.

    z-scores of readings, and the gain of log-mel images with an offset (fdx.signal.scaling.apply_gain), can be folded.
    """
    if reads_tables(front_end):
        # As a product and a sum of constants: a dense layer behind it can take both in.
        factor, shift = front_end.as_affine(gain)
        return lambda x: x * factor + shift
    if is_neutral(gain):
        return identity
    offset = getattr(front_end, 'log_offset', None)
    if offset is None:
        return None
    gains = np.asarray(gain, np.float32)
    return lambda x: jnp.log(gains * jnp.maximum(jnp.exp(x) - offset, 0.0) + offset)
