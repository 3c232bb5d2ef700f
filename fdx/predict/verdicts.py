"""When there is no verdict: outputs of a network that are not finite say nothing.

Predictors give such rows as NaN in every class, and never one class with probability 1: `softmax([inf, 0])` has NaN in
one place only, and a pool or a ReLU of a runtime may turn NaN into a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fdx.types import DataError

# Squares of it overflow float32.
TOO_LARGE = 1e19
NOT_FINITE = (
    'the network gives no finite numbers for it: the input is too large or not finite, or the checkpoint is of a run '
    'that diverged'
)


def marked(probabilities: np.ndarray, inputs: np.ndarray | None = None) -> np.ndarray:
    """Probabilities [N, K] with NaN in the whole row if any of its numbers is not finite.

    Args:
      probabilities: [N, K] float.
      inputs: [N, ...], what the network was given. If an input is not finite, or too large for float32 arithmetic, the
        answer means nothing. None: inputs are not checked.

    Returns:
      float32 [N, K].
    """
    marked_rows = np.array(probabilities, np.float32)
    bad = without_verdict(marked_rows)
    if inputs is not None:
        bad |= ~(np.abs(inputs) < TOO_LARGE).reshape(len(inputs), -1).all(axis=1)
    marked_rows[bad] = np.nan
    return marked_rows


def without_verdict(probabilities: np.ndarray) -> np.ndarray:
    """Rows of probabilities [N, K] that hold a number that is not finite, as bool [N]."""
    return ~np.isfinite(probabilities).all(axis=-1)


def probability_row(class_names: Sequence[str], probabilities: np.ndarray) -> dict[str, float] | None:
    """{class name: probability} of one row [K], for JSON; None if there is no verdict."""
    if without_verdict(np.asarray(probabilities)[None])[0]:
        return None
    return {name: float(p) for name, p in zip(class_names, probabilities, strict=True)}


def says_nothing(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a row has no verdict because numbers were not finite; programs then end with exit code 1."""
    return any(row.get('reason', '').startswith(NOT_FINITE) for row in rows)


def refuse_not_finite(probabilities: np.ndarray, source: str, step: int) -> None:
    """Refuses to score a network whose outputs are not finite, because the accuracy of such rows would mean nothing.

    Args:
      probabilities: float [N, K].
      source: the run or file, for the message.
      step: its step, for the message.

    Raises:
      DataError: at least one row is not finite.
    """
    bad = without_verdict(probabilities)
    if bad.any():
        raise DataError(
            f'{source}, step {step}: the network gives no finite numbers for {int(bad.sum())} of {len(bad)} rows, the '
            f'first is row {int(bad.argmax())}: score another `step`, train again with a lower '
            '`learning_rate`, or check the data for values that are far too large'
        )
