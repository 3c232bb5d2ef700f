"""A machine's normal state, learned from healthy recordings: it scores others, and says what its alarms promise."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from fdx.health.feature_plan import Feature, FeaturePlan
from fdx.health.normal_model import NormalModel, fit_normal, groups_of
from fdx.health.operating import Layout
from fdx.health.sample import Sample
from fdx.health.tail import Tail
from fdx.health.wish import Rule, Wish

MOVED_SHOWN = 8
# A recording is watched from this p-value on, or from the promised rate where that is higher.
WATCH_RATE = 0.01


@dataclasses.dataclass(frozen=True)
class Moved:
    """A number of a recording that is not as in good order.

    Attributes:
      feature: which one.
      deviations: how far, in healthy standard deviations; positive: more than in good order.
    """

    feature: Feature
    deviations: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {**dataclasses.asdict(self.feature), 'deviations': round(self.deviations, 2)}


@dataclasses.dataclass(frozen=True)
class Scored:
    """How unusual a recording is.

    Attributes:
      recording: its name.
      score: of the detector; NaN outside the operating range.
      p_value: how often a machine in good order scores as high; NaN outside the operating range.
      outside: why it is outside the operating range, '' inside.
      moved: the numbers that moved most, the largest first.
    """

    recording: str
    score: float
    p_value: float
    outside: str
    moved: tuple[Moved, ...]


@dataclasses.dataclass(frozen=True)
class Baseline:
    """What is known of a machine in good order.

    Attributes:
      features: what the D numbers of a row are.
      sample: the healthy rows, in the order of time.
      layout: the operating states.
      detector: a name of fdx.health.detectors.DETECTORS.
      block: int64 [N], the block of each row.
      held_out: float64 [U], scores of the units (recordings, or their pieces) by models that had not seen their block.
      by_pieces: whether the units are pieces, as there are few recordings.
      wish: how often a false alarm may come.
      rule: how many unusual recordings make an alarm.
      rate: the rate of false alarms per recording that is promised: the wished one, or what the units allow.
      inflation: how many times more often held-out blocks pass a limit than its rate says, where that is no chance: 1,
        or more where the healthy recordings change over time. P-values are so many times larger, and limits are set
        for a rate so many times smaller.
      plan: how a recording becomes a row; None for rows of the user's own.
      seed: of detectors that draw.
      about: JSON-able: what else was found while learning (see fdx.health.learn).
    """

    features: tuple[Feature, ...]
    sample: Sample
    layout: Layout
    detector: str
    block: np.ndarray
    held_out: np.ndarray
    by_pieces: bool
    wish: Wish
    rule: Rule
    rate: float
    inflation: float = 1.0
    plan: FeaturePlan | None = None
    seed: int = 0
    about: dict[str, Any] = dataclasses.field(default_factory=dict)

    @functools.cached_property
    def models(self) -> tuple[NormalModel, ...]:
        """One per block, fitted without it: their mean score is compared with scores of rows that they had not seen."""
        return fold_models(self.sample, self.layout, self.detector, self.block, self.features, self.seed)

    @functools.cached_property
    def model(self) -> NormalModel:
        """Fitted to all rows; it says how far each number moved."""
        groups = groups_of(self.features)
        return fit_normal(self.sample, self.layout, self.detector, groups=groups, seed=self.seed)

    @functools.cached_property
    def tail(self) -> Tail:
        """The law of healthy scores."""
        return Tail.of(self.held_out)

    @functools.cached_property
    def alarm_tail(self) -> Tail:
        """The law of what alarms are decided by: the m-th largest of n healthy scores in a row.

        Pieces in a row are no recordings in a row: where they are the units, nothing is known of how recordings follow
        each other, and each of the m must be beyond the limit of a single one.
        """
        if self.by_pieces:
            return self.tail
        strengths = self.rule.strengths(self.held_out)
        return Tail.of(strengths[np.isfinite(strengths)])

    @property
    def promise(self) -> str:
        """What is promised, in words.

        Pieces say how one recording varies, not how recordings differ. Of a simulated machine that was learned from one
        recording per state, 38 % of other healthy recordings passed a limit for 1 % (docs/benchmarks/health.md). So
        where pieces are the units, nothing is promised for other recordings.
        """
        words = self.wish.words(self.rate)
        if not self.by_pieces or len(self.sample) == len(self.sample.names):
            return words
        return f'nothing for other recordings, of which too few were learned (among pieces of those: {words})'

    @property
    def watch_rate(self) -> float:
        """The p-value from which on a single recording is watched."""
        return max(WATCH_RATE, self.rate, self.inflation * self.tail.least_rate)

    @functools.cached_property
    def alarm_limit(self) -> float:
        """The score that m of n recordings must reach for an alarm."""
        return self.alarm_tail.limit(self.rate / self.inflation)

    @functools.cached_property
    def watch_limit(self) -> float:
        """The score from which on a recording is watched; what could become an alarm is watched in any case."""
        return min(self.tail.limit(self.watch_rate / self.inflation), self.alarm_limit)

    def scored(self, sample: Sample) -> list[Scored]:
        """How unusual each recording of a sample is.

        Args:
          sample: rows with the D numbers of this baseline.
        """
        if not len(sample):
            return []
        rows = np.mean([model.scores(sample) for model in self.models], axis=0)
        deviations = self.model.deviations(sample)
        scores = sample.per_recording(rows)
        p_values = np.minimum(self.inflation * self.tail.p_values(scores), 1.0)
        found = []
        for i, name in enumerate(sample.names):
            mine = np.flatnonzero(sample.recording == i)
            why = self.layout.outside(float(sample.speed_rpm[mine[0]]), float(sample.load[mine[0]]))
            if why:
                found.append(Scored(name, np.nan, np.nan, why, ()))
                continue
            middle = np.median(deviations[mine], axis=0)
            largest = np.argsort(-np.abs(middle), kind='stable')[:MOVED_SHOWN]
            moved = tuple(Moved(self.features[j], float(middle[j])) for j in largest)
            found.append(Scored(name, float(scores[i]), float(p_values[i]), '', moved))
        return found


def fold_models(
    sample: Sample, layout: Layout, detector: str, block: np.ndarray, features: tuple[Feature, ...], seed: int
) -> tuple[NormalModel, ...]:
    """One model per block, fitted to the other blocks."""
    groups = groups_of(features)
    return tuple(
        fit_normal(sample.rows(block != b), layout, detector, groups=groups, seed=seed) for b in np.unique(block)
    )


def held_out_rows(models: Sequence[NormalModel], sample: Sample, block: np.ndarray) -> np.ndarray:
    """Scores of rows by the models that had not seen their block: float64 [N].

    Args:
      models: model b was fitted without block b.
      sample: the rows.
      block: int64 [N], the block of each row.
    """
    scores = np.empty(len(sample))
    for b, model in enumerate(models):
        mine = block == b
        if mine.any():
            scores[mine] = model.scores(sample.rows(mine))
    return scores
