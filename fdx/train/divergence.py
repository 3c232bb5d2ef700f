"""Runs that diverged: their losses are not finite numbers, so no epoch can be chosen and nothing can be predicted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from fdx.types import FdxError

REMEDY = (
    'set `learning_rate` lower (start with a tenth of it) or set `clip_norm`=1, and check the data for values that are '
    'far too large'
)

LOSS = 'validation_loss'


class DivergedRunError(FdxError):
    """No epoch of a run has a finite validation loss."""


def hopeless(history: Sequence[dict[str, Any]], criterion: str = LOSS) -> Callable[[dict[str, Any]], None]:
    """A check of every new row of a run's history, for fdx.train.loop.Plan.

    A training loss that is not finite has made the parameters not finite, and they stay so. If no earlier epoch can be
    chosen either, training on is useless.

    Args:
      history: the rows so far; the list may grow between calls.
      criterion: the number that must be finite for an epoch to be chosen; rows without it are judged by their
        training loss.

    Returns:
      Function of a row, which raises DivergedRunError.
    """

    def check(row: dict[str, Any]) -> None:
        if any(_scored(r, criterion) for r in (*history, row)) or math.isfinite(row['train_loss']):
            return
        raise DivergedRunError(
            f'the run diverged in epoch {row["epoch"]}: its training loss is {row["train_loss"]:g}, and neither this '
            f'epoch nor an earlier one can be chosen; {REMEDY}'
        )

    return check


def refuse_diverged(history: Sequence[dict[str, Any]], criterion: str = LOSS) -> None:
    """Ends a run whose validation loss was never finite.

    Args:
      history: all rows.
      criterion: as in `hopeless`.

    Raises:
      DivergedRunError: names the epochs and the remedy.
    """
    if history and not any(_scored(row, criterion) for row in history):
        raise DivergedRunError(
            f'the run diverged: its {criterion.replace("_", " ")} was not finite in any of {len(history)} epochs, so '
            f'none can be chosen and no step is best; in a new `workdir` {REMEDY}'
        )


def _scored(row: dict[str, Any], criterion: str) -> bool:
    return math.isfinite(row.get(criterion, row['train_loss']))
