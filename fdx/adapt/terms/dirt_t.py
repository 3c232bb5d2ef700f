"""Decision-boundary iterative refinement training with a teacher (DIRT-T).

    loss = beta KL(p_teacher || p_student) + lambda_t (mean entropy + virtual adversarial term), target alone
    teacher <- decay * teacher + (1 - decay) * student, after every step

Shu et al., "A DIRT-T approach to unsupervised domain adaptation", ICLR 2018. It starts from a network trained with VADA
and drops the source, whose boundaries need not be the target's; the teacher keeps each step small. The other
terms are `entropy.mean_entropy` and `virtual_adversarial.virtual_adversarial`.
"""

from __future__ import annotations

from typing import Any

import jax

from fdx.adapt.terms.entropy import divergences
from fdx.adapt.terms.masks import masked_mean, without_padding
from fdx.types import ConfigError


def teacher_divergence(student_logits: jax.Array, teacher_logits: jax.Array, mask: jax.Array) -> jax.Array:
    """Mean KL(teacher || student) of the real examples in nats; the teacher gets no gradient.

    Args:
      student_logits: float32 [B, K].
      teacher_logits: float32 [B, K], of the same examples.
      mask: float32 [B], 1 for real examples, 0 for padding.

    Returns:
      scalar, not negative except for rounding; 0 without real examples.
    """
    teacher = jax.lax.stop_gradient(without_padding(teacher_logits, mask))
    return masked_mean(divergences(teacher, without_padding(student_logits, mask)), mask)


def update_teacher(teacher: Any, params: Any, decay: float = 0.998) -> Any:
    """Polyak average: decay * teacher + (1 - decay) * params, leaf by leaf.

    Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", SIAM J. Control Optim. 30(4), 1992.

    Args:
      teacher: tree of float arrays.
      params: tree of the same structure and shapes, after the optimiser's step.
      decay: in [0, 1]; 0.998 remembers about 500 steps.

    Raises:
      ConfigError: decay is outside of [0, 1].
    """
    if not 0 <= decay <= 1:
        raise ConfigError(f'update_teacher: decay={decay} must lie in [0, 1]; the paper uses 0.998')
    # In this form the teacher stays bit-identical where both agree.
    return jax.tree.map(lambda t, p: t + (1 - decay) * (p - t), teacher, params)
