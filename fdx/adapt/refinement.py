"""The second half of DIRT-T: the source is left, and a slowly moving teacher is followed (Shu et al., ICLR 2018)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flax.linen as nn
import jax
import jax.numpy as jnp

from fdx.adapt.method_terms import Domains
from fdx.adapt.terms.dirt_t import teacher_divergence, update_teacher
from fdx.adapt.terms.entropy import mean_entropy
from fdx.adapt.terms.masks import masked_mean
from fdx.train import parallel
from fdx.train.partition import join_variables

if TYPE_CHECKING:
    from fdx.adapt.step import AdaptState

# The factors of the paper: lambda_t and beta.
TARGET_WEIGHT, TEACHER_WEIGHT = 1e-2, 1e-2


def teacher_logits(model: nn.Module, state: AdaptState, target: dict, start: int) -> jax.Array:
    """Logits of the teacher for the target, float32 [B, K] of all devices; the teacher acts as in evaluation.

    Args:
      model: the network.
      state: whose `teacher` holds the parameters.
      target: a batch of one device.
      start: the stage that the batch goes into.
    """
    variables = join_variables(state.prefix, state.teacher, state.stats)
    return parallel.gather(model.apply(variables, target['inputs'], train=False, start=start)[0])


def refinement(domains: Domains, of_teacher: jax.Array) -> jax.Array:
    """The objective: certain and smooth predictions of the target, near the teacher.

    Args:
      domains: the batch of all devices.
      of_teacher: of `teacher_logits`.
    """
    certain = mean_entropy(domains.target_logits, domains.target_mask)
    smooth = masked_mean(domains.target_change, domains.target_mask)
    near = teacher_divergence(domains.target_logits, of_teacher, domains.target_mask)
    return TARGET_WEIGHT * (certain + smooth) + TEACHER_WEIGHT * near


def taught(before: AdaptState, after: AdaptState, late: jax.Array) -> dict:
    """The teacher after a step: the network itself until the refinement begins, its slow average from then on.

    An average over the first half would still hold most of the initial network in a run of a few hundred steps.
    """
    slow = update_teacher(before.teacher, after.params)
    return jax.tree.map(lambda s, p: jnp.where(late, s, p), slow, after.params)
