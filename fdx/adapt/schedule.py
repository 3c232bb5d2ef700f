"""How strength and learning rate change during a run of domain adaptation.

A run has three parts: a warm-up that learns from the source alone, a rise of the method's term, and its full strength.
Before the network knows the classes, features of the target would be drawn to any of them.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from fdx.adapt.terms.reversal import ramp

# The share of a run without the term: 10 of 60 epochs. The benchmark of Zhao et al. (2021) leaves out 50 of 300.
WARM_UP = 1 / 6
# Criteria only compare epochs at which the ramp has reached this.
FULL_STRENGTH = 0.95


def after_warm_up(progress: jax.Array | float, warm_up: float) -> jax.Array:
    """Progress in [0, 1] of what follows the warm-up; 0 until its end.

    Args:
      progress: share of all steps that are done, any shape.
      warm_up: share of the steps without the term, below 1.
    """
    return jnp.clip((jnp.asarray(progress, jnp.float32) - warm_up) / (1 - warm_up), 0, 1)


def strength(progress: float, warm_up: float) -> float:
    """Factor in [0, 1] of the term, or of a reversed gradient, when a share of the steps is done."""
    return float(ramp(after_warm_up(progress, warm_up)))


def annealed(progress: jax.Array) -> jax.Array:
    """(1 + 10 p)^-0.75 (Ganin et al., JMLR 17, 2016), so that the last epochs settle."""
    return (1 + 10 * progress) ** -0.75


def in_steps(progress: jax.Array) -> jax.Array:
    """1, then 0.1 from half of the run on, then 0.01 from 80 % on (Zhao et al., IEEE TIM 70, 2021)."""
    return jnp.where(progress < 0.5, 1.0, jnp.where(progress < 0.8, 0.1, 0.01))


# Factors of the learning rate by the share of the steps that are done.
SCHEDULES: dict[str, Callable[[jax.Array], jax.Array]] = {
    'steps': in_steps,
    'annealed': annealed,
    'constant': jnp.ones_like,
}
