"""MixStyle: an example takes over a part of the style of an example of another domain.

    y = (x - m_i) / d_i * (s d_i + (1 - s) d_j) + s m_i + (1 - s) m_j,  domain of i != domain of j

m and d are the mean and the standard deviation of each channel of a map over its positions: what a sensor, a gain or
a machine's structure leaves on all of the map. Zhou et al., "Domain generalization with MixStyle", ICLR 2021. Strength:
s ~ Beta(0.1, 0.1) for each example, with probability 0.5 for each batch, behind the first two stages; no gradient flows
through m and d, and d^2 is the unbiased variance plus 1e-6, as in the published code.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from fdx.adapt.terms.partners import Pairing

ALPHA, PROBABILITY, EPSILON = 0.1, 0.5, 1e-6

# Mean and standard deviation of each channel of a map, float32 [B, C] each.
Style = tuple[jax.Array, jax.Array]


def is_map(shape: tuple[int, ...]) -> bool:
    """Whether an array [B, ..., C] has several positions, over which there is a style."""
    return math.prod(shape[1:-1]) > 1


def style(x: jax.Array) -> Style:
    """Mean and standard deviation of each channel, without gradient.

    Args:
      x: float32 [B, ..., C] for which `is_map`.
    """
    axes = tuple(range(1, x.ndim - 1))
    found = x.mean(axes), jnp.sqrt(x.var(axes, ddof=1) + EPSILON)
    return jax.lax.stop_gradient(found)


def mix_style(x: jax.Array, pairing: Pairing, everyone: Style) -> jax.Array:
    """Maps in mixed styles.

    Args:
      x: float32 [B, ..., C], the whole batch or a part of it.
      pairing: of the same examples, from `partners.draw_pairing` with ALPHA.
      everyone: `style` of the whole batch, which `pairing.partner` counts in.

    Returns:
      float32 like x; an example without a partner stays as it is, to the last bit.
    """
    places = (-1, *[1] * (x.ndim - 2), x.shape[-1])
    share = pairing.share[:, None]
    own = style(x)
    (mean, std), (new_mean, new_std) = (
        [v.reshape(places) for v in found]
        for found in (own, [share * a + (1 - share) * b[pairing.partner] for a, b in zip(own, everyone)])
    )
    stays = (pairing.share == 1).reshape(-1, *[1] * (x.ndim - 1))
    return jnp.where(stays, x, (x - mean) / std * new_std + new_mean)
