"""The course of a machine's health over its history: since when it changed, how fast it grows, and until when."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fdx.health.baseline import Baseline
from fdx.health.change_point import Changes, find_changes
from fdx.health.normal_scores import FEWEST_REFERENCE, normal_of_p, serial_correlation
from fdx.health.remaining_life import RemainingLife, remaining_life
from fdx.health.states import JUDGED
from fdx.health.trend import Growth, HealthIndex, growth, health_index
from fdx.types import ConfigError

# A course needs so many judged recordings.
FEWEST = 3


@dataclasses.dataclass(frozen=True)
class Limit:
    """What a machine is to stay below.

    Attributes:
      value: the limit.
      feature: a feature of the baseline as `fdx.health.feature_plan.Feature` writes it ('levels/0/rms'); '': the score.
    """

    value: float
    feature: str = ''

    @classmethod
    def parse(cls, text: str) -> Limit:
        """'40' of the score, or 'levels/0/rms=-12' of a feature; ConfigError for anything else."""
        feature, _, number = text.rpartition('=')
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ConfigError(f'`limit`={text}: a number for the score, or FEATURE=NUMBER, e.g. levels/0/rms=-12')
        return cls(value, feature.strip())


@dataclasses.dataclass(frozen=True)
class Course:
    """A history, in the order of time.

    Attributes:
      rows: the judged rows of the baseline's history.
      times_s: float64 [N], when they were recorded, in seconds since 1970.
      scores: float64 [N].
      logarithmic: whether index and growth are of the logarithm of the scores, which are then above 0.
      changes: of the standardised scores.
      index: None where there are fewer than three rows or no alarm limit above the healthy level.
      growth: of the scores (or their logarithm) since the onset of the lasting change; None without one, or where it is
        too short.
      life: until the limit; None where none was given.
      notes: what was assumed, one sentence each.
    """

    rows: tuple[Mapping[str, Any], ...]
    times_s: np.ndarray
    scores: np.ndarray
    logarithmic: bool
    changes: Changes
    index: HealthIndex | None
    growth: Growth | None
    life: RemainingLife | None
    notes: tuple[str, ...]

    @property
    def onset(self) -> int | None:
        """Index of the first row of the lasting change, or None."""
        return None if self.changes.lasting is None else self.changes.lasting.onset


def course_of(baseline: Baseline, rows: Sequence[Mapping[str, Any]], limit: Limit | None = None) -> Course:
    """The course of the rows that a baseline has judged.

    The threshold of changes is chosen for the user's wished rate of false alarms, and takes into account how few
    healthy recordings the p-values rest on and how much neighbours among these resemble each other.

    Args:
      baseline: that judged the rows.
      rows: of `fdx.health.history.History.rows`, of this baseline.
      limit: for the remaining life.

    Raises:
      ConfigError: a limit of a feature that the baseline does not have.
    """
    judged = [row for row in rows if row['state'] in JUDGED and row['score'] is not None]
    times = np.array([_time_of(row) for row in judged], np.float64)
    order = np.argsort(times, kind='stable')
    judged, times = [judged[i] for i in order], times[order]
    scores = np.array([row['score'] for row in judged], np.float64)
    healthy = baseline.held_out
    correlation = 0.0
    if not baseline.by_pieces:
        correlation = serial_correlation(normal_of_p(baseline.tail.p_values(healthy)))
    changes = find_changes(
        normal_of_p(np.array([row['p_value'] for row in judged], np.float64)),
        run_length=1 / baseline.wish.rate,
        reference=_worth(baseline),
        method='normal',
        correlation=correlation,
    )
    positive = bool((scores > 0).all() and (healthy > 0).all() and baseline.alarm_limit > 0)
    shown = np.log(scores) if positive else scores
    since = slice(changes.lasting.onset, None) if changes.lasting is not None else slice(len(scores), None)
    return Course(
        rows=tuple(judged),
        times_s=times,
        scores=scores,
        logarithmic=positive,
        changes=changes,
        index=_index(times, shown, baseline, positive),
        growth=growth(times[since], shown[since]) if changes.lasting is not None else None,
        life=None if limit is None else _life(judged, times, scores, since, baseline, limit),
        notes=_notes(judged, correlation),
    )


def _worth(baseline: Baseline) -> int:
    """How many independent healthy recordings the p-values rest on; pieces of one recording resemble each other."""
    units = float(baseline.about.get('effective_units', len(baseline.held_out)))
    return max(FEWEST_REFERENCE, round(units))


def feature_values(rows: Sequence[Mapping[str, Any]], baseline: Baseline, feature: str) -> np.ndarray:
    """The values of one feature, the median over the pieces of each recording: float64 [N], NaN where it is not kept.

    Raises:
      ConfigError: the baseline does not have it.
    """
    names = [str(f) for f in baseline.features]
    if feature not in names:
        shown = ', '.join(names[:12]) + (f' and {len(names) - 12} more' if len(names) > 12 else '')
        raise ConfigError(f'`limit`: the baseline has no feature {feature!r}; it has {shown}')
    column = names.index(feature)
    kept = [row.get('rows') for row in rows]
    return np.array([math.nan if v is None else float(np.median(v[:, column])) for v in kept])


def _time_of(row: Mapping[str, Any]) -> float:
    return float(row['scored_at'] if row['recorded_at'] is None else row['recorded_at'])


def _index(times: np.ndarray, shown: np.ndarray, baseline: Baseline, logarithmic: bool) -> HealthIndex | None:
    middle, limit = float(np.median(baseline.held_out)), float(baseline.alarm_limit)
    if logarithmic:
        middle, limit = math.log(max(middle, 1e-300)), math.log(limit)
    if len(shown) < FEWEST or not limit > middle:
        return None
    return health_index(times, shown, middle, limit)


def _life(
    rows: Sequence[Mapping[str, Any]],
    times: np.ndarray,
    scores: np.ndarray,
    since: slice,
    baseline: Baseline,
    limit: Limit,
) -> RemainingLife:
    values = scores if not limit.feature else feature_values(rows, baseline, limit.feature)
    if since.start >= len(scores):
        return RemainingLife(None, None, None, 'the machine shows no lasting change')
    known = np.isfinite(values[since])
    if not known.any():
        return RemainingLife(None, None, None, 'the history holds no values of this feature')
    return remaining_life(times[since][known], values[since][known], limit.value)


def _notes(rows: Sequence[Mapping[str, Any]], correlation: float) -> tuple[str, ...]:
    found = []
    undated = sum(row['recorded_at'] is None for row in rows)
    if undated:
        found.append(f'{undated} recordings have no date and stand at the time at which they were judged')
    if correlation:
        found.append(
            f'neighbouring healthy scores resemble each other (correlation {correlation:.2f}); changes are looked for '
            'in what each adds to the one before'
        )
    return tuple(found)
