"""Mean and spread of repeated measurements: the one place that computes them and the one that words them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

# What a table shows where nothing was measured.
NOTHING = '–'


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Mean and sample standard deviation of repeated measurements (seeds, folds or draws).

    Args:
      values: one number per repetition; at least one.

    Returns:
      {'mean', 'standard_deviation' (n - 1 in the denominator; None for a single value), 'values'}, ready for JSON.
    """
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {'mean': float(np.mean(values)), 'standard_deviation': deviation, 'values': list(values)}


def spread_text(
    found: Mapping[str, Any] | Sequence[float], *, percent: bool = False, digits: int | None = None, sign: str = '±'
) -> str:
    """'93.2 ± 1.1' or '0.932 ± 0.011'; the mean alone for a single value, a dash for none.

    Args:
      found: what `spread` returns, or the values themselves.
      percent: whether shares are shown as percentages.
      digits: after the point; 1 for percentages and 3 otherwise where None.
      sign: between the mean and the standard deviation.
    """
    if not isinstance(found, Mapping):
        if not len(found):
            return NOTHING
        found = spread(found)
    scale, digits = 100 if percent else 1, (1 if percent else 3) if digits is None else digits
    text = f'{scale * found["mean"]:.{digits}f}'
    deviation = found['standard_deviation']
    return text if deviation is None else f'{text} {sign} {scale * deviation:.{digits}f}'
