"""Since when a machine is no longer what it was: a cumulative sum of its scores, with a stated rate of false alarms.

Page's cumulative sum ("Continuous inspection schemes", Biometrika 41(1/2):100-115, 1954) adds up what each score
exceeds an allowance by, and begins anew where the sum falls below 0. A small shift that lasts is found sooner than by
a limit on single scores, and the place where the sum last left 0 is the most likely beginning (Hinkley, "Inference
about the change-point from cumulative sum tests", Biometrika 58(3):509-523, 1971).
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np
import scipy  # its parts are imported at first use, which saves a second

from fdx.health.normal_scores import MOST_CORRELATION, innovations, standardiser
from fdx.types import ConfigError, DataError

# Half of the smallest shift, in standard deviations, that shall be found soon.
ALLOWANCE = 0.5
RUN_LENGTH = 1000.0
# Siegmund's correction for sums that jump over their threshold ("Sequential Analysis", Springer 1985, page 50).
OVERSHOOT = 1.166
# A single score counts for no more: one broken recording is no change.
HIGHEST = 4.0
# The sum stops here, in thresholds, so that it comes back within reasonable time after a repair.
CEILING = 2.0
HISTORIES, SEED = 4000, 0
# A larger reference counts as one that knows the healthy state exactly.
LARGEST_REFERENCE = 400
# Of the beginning's likelihood, between `earliest` and `latest`. The shift is estimated and not known, so the truth
# lies there in about nine of ten sharp changes (tests/health/test_change_point.py).
BELIEF = 0.97


@dataclasses.dataclass(frozen=True)
class Change:
    """One rise of the scores.

    Attributes:
      alarm: index of the score at which the sum passed its threshold.
      onset: index of the first score that most likely belongs to the change.
      earliest: it hardly began before this index; with `latest` an interval of about 90 %.
      latest: it hardly began after this index.
      end: index at which the sum was back at 0; None where the change lasts.
      shift: mean of the standardised scores from the onset to the alarm.
    """

    alarm: int
    onset: int
    earliest: int
    latest: int
    end: int | None
    shift: float


@dataclasses.dataclass(frozen=True)
class Changes:
    """The rises in a history.

    Attributes:
      found: in order.
      sums: float64 [N], the cumulative sum at each score, at most CEILING times the threshold.
      threshold: of the sum.
      run_length: mean number of healthy recordings between two false alarms that the threshold was chosen for.
    """

    found: tuple[Change, ...]
    sums: np.ndarray
    threshold: float
    run_length: float

    @property
    def lasting(self) -> Change | None:
        """The change that the machine is in now."""
        return self.found[-1] if self.found and self.found[-1].end is None else None

    def words(self) -> str:
        """What the threshold promises, in one sentence."""
        return (
            f'a machine that does not change gives one false change in about {self.run_length:.0f} recordings, if they '
            'are independent of each other'
        )


def find_changes(
    z: np.ndarray,
    *,
    run_length: float = RUN_LENGTH,
    reference: int | None = None,
    method: str = 'rank',
    allowance: float = ALLOWANCE,
    correlation: float = 0.0,
) -> Changes:
    """Finds where standardised scores rise and stay high.

    Args:
      z: float [N], one per recording in order of time, of a standard normal law while the machine is healthy: normal
        quantiles of p-values (`normal_of_p`), or what `normal_scores` returns.
      run_length: wished mean number of healthy recordings between two false alarms.
      reference: how many healthy scores `normal_scores` compared with; the threshold is then higher, because so few do
        not know the healthy state exactly. None: it is known.
      method: that `normal_scores` was called with.
      allowance: see ALLOWANCE.
      correlation: of neighbouring healthy scores (`serial_correlation`). The sums then run over what each score adds to
        the one before (Alwan and Roberts, "Time-series modeling for statistical process control", J. Business and
        Economic Statistics 6(1):87-95, 1988).

    Raises:
      ConfigError: a run length below 2, or an allowance or a correlation that is not usable.
      DataError: scores that are not a row of numbers.
    """
    z = np.asarray(z, np.float64)
    if z.ndim != 1 or np.isnan(z).any():
        raise DataError(f'scores of shape {z.shape}: one number per recording is needed, without gaps (NaN)')
    if not (math.isfinite(run_length) and run_length >= 2):
        raise ConfigError(f'`run_length`={run_length}: a number of recordings from 2 on')
    if not (0 < allowance < HIGHEST and 0 <= correlation <= MOST_CORRELATION):
        raise ConfigError(f'`allowance`={allowance} and `correlation`={correlation}: out of their range')
    steps = np.clip(innovations(z, correlation), -HIGHEST, HIGHEST)
    threshold = change_threshold(run_length, len(z), reference, method, allowance)
    sums, found, left, passed = np.zeros(len(z)), [], 0, None
    level = 0.0
    for i, step in enumerate(steps):
        level = min(max(level + step - allowance, 0.0), CEILING * threshold)
        sums[i] = level
        if passed is None and level >= threshold:
            passed = i
            found.append(_change(steps, left, i, allowance))
        if level == 0.0:
            if passed is not None:
                found[-1] = dataclasses.replace(found[-1], end=i)
            left, passed = i + 1, None
    return Changes(tuple(found), sums, threshold, run_length)


def _change(steps: np.ndarray, left: int, alarm: int, allowance: float) -> Change:
    """The change that was called at `alarm`; `left` is the first index after the sum was last at 0."""
    shift = max(float(steps[left : alarm + 1].mean()), 2 * allowance)
    # The likelihood of each beginning, given the shift; the sum may have been at 0 once since by chance.
    first = max(0, left - (alarm + 1 - left))
    gains = shift * steps[first : alarm + 1] - shift**2 / 2
    likelihood = np.cumsum(gains[::-1])[::-1]
    share = np.exp(likelihood - likelihood.max())
    below = np.cumsum(share) / share.sum()
    earliest, latest = (first + int(np.searchsorted(below, q)) for q in ((1 - BELIEF) / 2, (1 + BELIEF) / 2))
    onset = first + int(likelihood.argmax())
    return Change(alarm, onset, min(earliest, onset), min(max(latest, onset), alarm), None, shift)


@functools.lru_cache(maxsize=64)
def change_threshold(
    run_length: float, horizon: int, reference: int | None = None, method: str = 'rank', allowance: float = ALLOWANCE
) -> float:
    """The threshold of the sum for a wished mean number of recordings between false alarms.

    A known healthy state: Siegmund's approximation. Else histories of healthy recordings are simulated, each with a
    reference of its own, and the threshold is the one that a share of 1 - exp(-horizon / run_length) of them passes: so
    many would hold a false alarm if they came at random at the wished rate. It holds on average over references; a
    reference that is calm by chance gives more.

    Args:
      run_length: mean number of recordings between false alarms.
      horizon: length of the history.
      reference: number of healthy scores; None: the healthy state is known.
      method: of `normal_scores`.
      allowance: of the sum.
    """
    if reference is None or reference > LARGEST_REFERENCE:
        return _siegmund(run_length, allowance)
    steps = int(np.clip(horizon, 20, 2 * run_length))
    rng = np.random.default_rng([SEED, reference])
    healthy = rng.standard_normal((HISTORIES, reference))
    standard = standardiser(np.sort(healthy, axis=1), method)
    level, highest = np.zeros(HISTORIES), np.zeros(HISTORIES)
    for _ in range(steps):
        z = np.clip(standard(rng.standard_normal(HISTORIES)), -HIGHEST, HIGHEST)
        level = np.maximum(level + z - allowance, 0.0)
        highest = np.maximum(highest, level)
    simulated = float(np.quantile(highest, math.exp(-steps / run_length)))
    return max(simulated, _siegmund(run_length, allowance))


def _siegmund(run_length: float, allowance: float) -> float:
    def excess(h: float) -> float:
        b = 2 * allowance * (h + OVERSHOOT)
        return (math.exp(b) - b - 1) / (2 * allowance**2) - run_length

    return float(scipy.optimize.brentq(excess, 0.0, 60 / allowance)) if excess(0.0) < 0 else 0.1
