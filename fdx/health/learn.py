"""Learns a baseline from rows of healthy recordings, checks it against itself, and says what it can promise."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy  # its parts are imported at first use, which saves a second

from fdx.health.baseline import Baseline, fold_models, held_out_rows
from fdx.health.blocks import blocks_of
from fdx.health.detectors import DETECTORS
from fdx.health.feature_plan import Feature, FeaturePlan
from fdx.health.operating import lay_out, words_of_rows
from fdx.health.sample import Sample
from fdx.health.tail import EXTRAPOLATION, Tail
from fdx.health.wish import Rule, Wish
from fdx.types import ConfigError, DataError

# Fewer units say nothing about how far a machine in good order scatters.
FEWEST_UNITS = 20
# With so few recordings their pieces, where there are some, are the units.
FEW_RECORDINGS = 20
# What cannot promise less than every second recording promises nothing.
MOST_RATE = 0.5
# Rates at which a baseline is checked against its own held-out blocks.
CHECKED_RATES = (0.1, 0.05, 0.01)
# A check has failed where so many false alarms are as improbable as this at the promised rate.
SURPRISE = 0.05


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a baseline is learned.

    Attributes:
      detector: a name of fdx.health.detectors.DETECTORS.
      wish: how often a false alarm may come.
      rule: how many unusual recordings make an alarm.
      seed: of detectors that draw.
    """

    detector: str = 'gaussian'
    wish: Wish = dataclasses.field(default_factory=Wish)
    rule: Rule = dataclasses.field(default_factory=Rule)
    seed: int = 0

    def __post_init__(self):
        """ConfigError for a detector that does not exist."""
        if self.detector not in DETECTORS:
            raise ConfigError(f'`detector`={self.detector}: choose from {", ".join(DETECTORS)}')


def learn(
    sample: Sample,
    settings: Settings | None = None,
    *,
    features: Sequence[Feature] | None = None,
    plan: FeaturePlan | None = None,
) -> Baseline:
    """Learns a machine's normal state.

        baseline = learn(Sample.of(rows_of_healthy_recordings))
        baseline.scored(Sample.of(rows_of_others))[0].p_value

    Args:
      sample: rows of healthy recordings, in the order of time.
      settings: how.
      features: what the D numbers are; None: those of the plan, or numbers.
      plan: how recordings became rows, kept for later ones.

    Raises:
      DataError: too few recordings, for all or for their operating states; the text says how many more are needed.
    """
    settings = settings or Settings()
    names = tuple(features or (plan.features() if plan else ())) or tuple(
        Feature('value', '', str(i)) for i in range(sample.values.shape[1])
    )
    check_enough(len(sample))
    layout, kept = lay_out(sample)
    rare = words_of_rows(sample, ~kept)
    sample = sample.rows(kept)
    check_enough(len(sample))
    block = blocks_of(sample, layout)
    models = fold_models(sample, layout, settings.detector, block, names, settings.seed)
    rows = held_out_rows(models, sample, block)
    by_pieces = len(sample.names) < FEW_RECORDINGS
    held_out = rows if by_pieces else sample.per_recording(rows)
    of_unit = block if by_pieces else np.array([block[sample.recording == i][0] for i in range(len(sample.names))])
    clusters = sample.recording if by_pieces else np.arange(len(sample.names))
    units = effective_units(held_out, clusters)
    promised, inflation, checks = promise(held_out, of_unit, clusters, settings)
    about: dict[str, Any] = {
        'checks': checks,
        'effective_units': units,
        'rare_states': list(rare),
        'notes': _notes(sample, by_pieces, settings, promised, inflation, len(held_out), units),
    }
    return Baseline(
        names, sample, layout, settings.detector, block, held_out, by_pieces, settings.wish, settings.rule, promised,
        inflation, plan, settings.seed, about,
    )  # fmt: skip


def promise(
    held_out: np.ndarray, block: np.ndarray, clusters: np.ndarray, settings: Settings
) -> tuple[float, float, list[dict[str, Any]]]:
    """What held-out healthy scores can promise.

    Args:
      held_out: float64 [U], of the units.
      block: int64 [U], the block of each unit.
      clusters: int64 [U], the recording of each unit.
      settings: with the wish and the rule.

    Returns:
      (the promised rate of false alarms per recording, see `Baseline.inflation`, the rows of `check_rates`).
    """
    checks = check_rates(held_out, block)
    inflation = max([1.0, *(c['measured'] / c['promised'] for c in checks if not c['holds'])])
    least = min(inflation * least_rate(held_out, settings.rule, clusters), MOST_RATE)
    return max(settings.wish.rate, least), inflation, checks


def check_enough(units: int) -> None:
    """DataError where there are fewer than FEWEST_UNITS recordings or pieces; it says how many more are needed."""
    missing = FEWEST_UNITS - units
    if missing > 0:
        raise DataError(
            f'{units} healthy recordings are too few to know how far they scatter: {missing} more are needed (at least '
            f'{FEWEST_UNITS}); or cut each into pieces with `piece_s`, e.g. a quarter of a second, which then stand '
            'for recordings'
        )


def effective_units(scores: np.ndarray, clusters: np.ndarray) -> float:
    """How many independent units scores of pieces are worth, at least one per recording.

    Pieces of a recording resemble each other. n pieces in recordings of m are worth n / (1 + (m - 1) r) with r the
    intraclass correlation, by the analysis of variance (Kish, "Survey Sampling", 1965, section 5.4).

    Args:
      scores: float64 [U].
      clusters: int [U], the recording of each.
    """
    names, of_unit, counts = np.unique(clusters, return_inverse=True, return_counts=True)
    if len(names) < 2 or len(names) == len(scores):
        return float(len(scores))
    size = len(scores) / len(names)
    means = np.bincount(of_unit, scores) / counts
    between = float((counts * (means - scores.mean()) ** 2).sum()) / (len(names) - 1)
    within = float(((scores - means[of_unit]) ** 2).sum()) / max(len(scores) - len(names), 1)
    total = between + (size - 1) * within
    alike = max((between - within) / total, 0.0) if total > 0 else 1.0
    return len(scores) / (1 + (size - 1) * alike)


def least_rate(held_out: np.ndarray, rule: Rule, clusters: np.ndarray | None = None) -> float:
    """The smallest rate of false alarms that held-out scores can promise.

    Args:
      held_out: float64 [U], of the units.
      rule: of alarms.
      clusters: int [U], the recording of each unit; None: each is one.
    """
    units = len(held_out) if clusters is None else effective_units(held_out, clusters)
    return min(1 / (EXTRAPOLATION * (units - rule.needed + 2)), MOST_RATE)


def units_for(rate: float, rule: Rule) -> int:
    """How many healthy recordings it takes to promise a rate."""
    return int(np.ceil(1 / (EXTRAPOLATION * rate))) + rule.needed - 2


def check_rates(held_out: np.ndarray, block: np.ndarray) -> list[dict[str, Any]]:
    """Promised against measured rates: each block is judged by limits that were set without it.

    Args:
      held_out: float64 [U], scores.
      block: int64 [U].

    Returns:
      One row per rate of CHECKED_RATES that the number of units can measure: promised, measured, units, exceeded, and
      the 95 % interval of the measured rate (Clopper and Pearson, Biometrika 26:404-413, 1934), which takes the units
      for independent.
    """
    p = np.empty(len(held_out))
    for b in np.unique(block):
        p[block == b] = Tail.of(held_out[block != b]).p_values(held_out[block == b])
    rows = []
    for rate in CHECKED_RATES:
        if rate * len(p) < 1:
            continue
        exceeded = int((p <= rate).sum())
        low, high = scipy.stats.binomtest(exceeded, len(p), rate).proportion_ci(0.95, method='exact')
        surprise = float(scipy.stats.binom.sf(exceeded - 1, len(p), rate))
        rows.append(
            {
                'promised': rate,
                'measured': exceeded / len(p),
                'exceeded': exceeded,
                'units': len(p),
                'interval': [float(low), float(high)],
                'holds': surprise >= SURPRISE,
            }
        )
    return rows


def _notes(
    sample: Sample,
    by_pieces: bool,
    settings: Settings,
    promised: float,
    inflation: float,
    units: int,
    worth: float,
) -> list[str]:
    """What a user should know, one sentence each."""
    notes = []
    what = 'pieces of recordings' if by_pieces and len(sample) > len(sample.names) else 'recordings'
    count = len(sample.names)
    if what != 'recordings':
        notes.append(
            f'only {count} healthy recording{"s" if count > 1 else ""}: {len(sample)} pieces stand for recordings, so '
            'that what differs from one recording to the next (mounting, temperature, load) is not known, and other '
            f'healthy recordings may alarm; {FEW_RECORDINGS} or more, at each speed and load, would tell'
        )
    if inflation > 1:
        notes.append(
            f'the healthy {what} change over time: blocks that are left out pass the limits {inflation:.1f} times as '
            'often as promised, which the promise takes into account; recordings of a longer time would do better'
        )
    if promised > settings.wish.rate * (1 + 1e-9) and what == 'recordings':
        more = int(np.ceil((units_for(settings.wish.rate / inflation, settings.rule) - worth) * units / worth))
        notes.append(
            f'{units} healthy {what} cannot promise {settings.wish.words()}; promised is '
            f'{settings.wish.words(promised)}. {max(more, 1)} more would do'
        )
    return notes
