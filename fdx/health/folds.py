"""Models that each lack a block of consecutive recordings, and what they make of the block that they lack."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fdx.health.feature_plan import Feature
from fdx.health.normal_model import NormalModel, fit_normal
from fdx.health.operating import Layout
from fdx.health.sample import Sample


def fold_models(
    sample: Sample, layout: Layout, detector: str, block: np.ndarray, features: tuple[Feature, ...], seed: int
) -> tuple[NormalModel, ...]:
    """One model per block, fitted to the other blocks."""
    return tuple(
        fit_normal(sample.rows(block != b), layout, detector, features=features, seed=seed) for b in np.unique(block)
    )


def held_out_rows(
    models: Sequence[NormalModel],
    sample: Sample,
    block: np.ndarray,
    of: Callable[[NormalModel, Sample], np.ndarray] = NormalModel.scores,
) -> np.ndarray:
    """Scores of rows by the models that had not seen their block: float64 [N].

    Args:
      models: model b was fitted without block b.
      sample: the rows.
      block: int64 [N], the block of each row.
      of: what of a model is asked: how unusual rows are, or how far they have risen.
    """
    scores = np.empty(len(sample))
    for b, model in enumerate(models):
        mine = block == b
        if mine.any():
            scores[mine] = of(model, sample.rows(mine))
    return scores
