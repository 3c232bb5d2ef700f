"""Partners from other domains, which mixup across domains and style mixing mix an example with."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Pairing(NamedTuple):
    """Who is mixed with whom, for B examples.

    Attributes:
      partner: int32 [B], place of the partner in the whole batch; an example without a partner names itself.
      share: float32 [B] in [0, 1], how much of the example stays; 1 where there is no partner.
    """

    partner: jax.Array
    share: jax.Array


def draw_pairing(domains: jax.Array, mask: jax.Array, key: jax.Array, alpha: float) -> Pairing:
    """A partner of another domain for every example, at random, and shares drawn from Beta(alpha, alpha).

    Every example gets a random place on a circle; its partner is the next example of another domain. Each of those is
    the next one with the same probability. The draws of an example depend on its place in the batch alone, so that
    neither padding nor the number of devices changes them.

    Args:
      domains: int32 [B], number of the domain of each example of the whole batch.
      mask: float32 [B], 1 for real examples, 0 for padding. Padding has no partner and is nobody's partner.
      key: of the step.
      alpha: of the Beta distribution; near 0 nearly all shares are close to 0 or 1.
    """
    place_key, share_key = jax.random.split(key)
    own = jnp.arange(len(domains))
    places = jax.vmap(lambda i: jax.random.uniform(jax.random.fold_in(place_key, i)))(own)
    shares = jax.vmap(lambda i: jax.random.beta(jax.random.fold_in(share_key, i), alpha, alpha))(own)
    real = mask > 0
    fits = (domains[:, None] != domains[None, :]) & real[:, None] & real[None, :]
    ahead = jnp.where(fits, (places[None, :] - places[:, None]) % 1.0, jnp.inf)
    paired = fits.any(1)
    partner = jnp.where(paired, ahead.argmin(1), own).astype(jnp.int32)
    return Pairing(partner, jnp.where(paired, shares, 1.0).astype(jnp.float32))
