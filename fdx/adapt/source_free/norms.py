"""Batch statistics of the target in a finished network, perhaps mixed with those that it has."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import flax.linen as nn
import jax
import numpy as np

from fdx.adapt.source_free.step import TargetState
from fdx.adapt.target_statistics import compiled_statistics, shuffled, target_statistics
from fdx.data.pipeline import ArrayExamples
from fdx.train import parallel
from fdx.train.forward import Progress, no_progress


def mixed_statistics(
    statistics: Callable,
    variables: dict,
    stats: dict,
    examples: ArrayExamples,
    *,
    prior_windows: int = 0,
    seed: int = 0,
    progress: Progress = no_progress,
) -> dict:
    """Statistics of all examples, with those of the network counting for `prior_windows` more.

    Schneider et al., "Improving robustness against common corruptions by covariate shift adaptation", NeurIPS 2020:

        mean = N / (N + n) mean_s + n / (N + n) mean_t,   and likewise var

    with n windows of the target and N = prior_windows. With N = 0 it is Li et al.'s AdaBN. Windows are shuffled.

    Args:
      statistics: compiled `fdx.adapt.target_statistics.make_statistics`.
      variables: of the whole network.
      stats: its batch statistics.
      examples: n windows of the target; labels are not read.
      prior_windows: N.
      seed: of the order.
      progress: wraps the batches.

    Returns:
      a tree like `stats`, float32.

    Raises:
      ConfigError: the network keeps no statistics.
    """
    measured = target_statistics(statistics, variables, stats, shuffled(examples, seed), progress)
    share = len(examples) / (prior_windows + len(examples))
    return jax.tree.map(lambda old, new: np.asarray((1 - share) * old + share * new, np.float32), stats, measured)


def measuring(
    model: nn.Module,
    examples: ArrayExamples,
    *,
    prior_windows: int,
    seed: int,
    progress: Progress,
    form: str = parallel.FORM,
) -> Callable[[TargetState], TargetState]:
    """Function state -> the same with `mixed_statistics` of the examples in its norms."""
    statistics = compiled_statistics(model, form=form)

    def measure(state: TargetState) -> TargetState:
        stats = mixed_statistics(
            statistics,
            state.variables(),
            jax.device_get(state.stats),
            examples,
            prior_windows=prior_windows,
            seed=seed,
            progress=progress,
        )
        return dataclasses.replace(state, stats=parallel.replicate(stats))

    return measure


def one_step(measure: Callable[[TargetState], TargetState]) -> Callable[[TargetState, dict], tuple[TargetState, dict]]:
    """A training step that measures all windows of the target, whatever its batch holds."""

    def step(state: TargetState, batch: dict) -> tuple[TargetState, dict]:
        del batch
        return dataclasses.replace(measure(state), step=parallel.replicate(np.int32(int(state.step) + 1))), {}

    return step
