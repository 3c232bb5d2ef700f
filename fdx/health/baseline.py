"""A machine's normal state, learned from healthy recordings: it scores others, and says what its alarms promise."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np

from fdx.health.feature_plan import Feature, FeaturePlan
from fdx.health.folds import fold_models
from fdx.health.normal_model import NormalModel, fit_normal
from fdx.health.operating import Layout
from fdx.health.sample import Sample
from fdx.health.scored import Moved, Scored
from fdx.health.tail import Tail
from fdx.health.wish import Rule, Wish

MOVED_SHOWN = 8
# A recording is watched from this p-value on, or from the promised rate where that is higher.
WATCH_RATE = 0.01


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
      held_out_rises: float64 [U], how far the units have risen; [0] where an alarm takes any unusual recordings.
      rise_inflation: as `inflation`, of the rises.
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
    held_out_rises: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0))
    rise_inflation: float = 1.0

    @functools.cached_property
    def models(self) -> tuple[NormalModel, ...]:
        """One per block, fitted without it: their mean score is compared with scores of rows that they had not seen."""
        return fold_models(self.sample, self.layout, self.detector, self.block, self.features, self.seed)

    @functools.cached_property
    def model(self) -> NormalModel:
        """Fitted to all rows; it says how far each number moved."""
        return fit_normal(self.sample, self.layout, self.detector, features=self.features, seed=self.seed)

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
        return self.tail if self.by_pieces else self._tail_of_alarms(self.held_out)

    def _tail_of_alarms(self, held_out: np.ndarray) -> Tail:
        strengths = self.rule.strengths(held_out)
        return Tail.of(strengths[np.isfinite(strengths)])

    @property
    def asks_worse(self) -> bool:
        """Whether an alarm takes recordings that have risen, and not unusual ones alone."""
        return len(self.held_out_rises) > 0

    @functools.cached_property
    def rise_tail(self) -> Tail:
        """The law of healthy rises, where they are asked."""
        return Tail.of(self.held_out_rises)

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
    def rise_limit(self) -> float:
        """The rise that the same m of n recordings must reach; -infinity where it is not asked."""
        if not self.asks_worse:
            return -np.inf
        tail = self.rise_tail if self.by_pieces else self._tail_of_alarms(self.held_out_rises)
        return tail.limit(self.rate / self.rise_inflation)

    @functools.cached_property
    def calm_rise(self) -> float:
        """Below this rise a recording does not keep an alarm; -infinity where it is not asked."""
        if not self.asks_worse:
            return -np.inf
        return min(self.rise_tail.limit(self.watch_rate / self.rise_inflation), self.rise_limit)

    def beyond(self, scores: np.ndarray, rises: np.ndarray) -> np.ndarray:
        """Which recordings count for an alarm: bool of the shape of scores and rises."""
        return (np.asarray(scores) >= self.alarm_limit) & (np.asarray(rises) >= self.rise_limit)

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
        deviations = self.model.deviations(sample)
        scores, p_values = self.unusual(sample)
        rises, rise_p = self.risen(sample)
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
            rise, p = float(rises[i]), float(rise_p[i])
            found.append(Scored(name, float(scores[i]), float(p_values[i]), '', moved, rise, p))
        return found

    def unusual(self, sample: Sample) -> tuple[np.ndarray, np.ndarray]:
        """Scores and p-values of recordings, float64 [R] each, wherever they were operated."""
        scores = sample.per_recording(np.mean([model.scores(sample) for model in self.models], axis=0))
        return scores, np.minimum(self.inflation * self.tail.p_values(scores), 1.0)

    def risen(self, sample: Sample) -> tuple[np.ndarray, np.ndarray]:
        """Rises of recordings and their p-values, float64 [R] each; infinity and 0 where they are not asked."""
        if not self.asks_worse:
            return np.full(len(sample.names), np.inf), np.zeros(len(sample.names))
        rises = sample.per_recording(np.mean([model.rises(sample) for model in self.models], axis=0))
        return rises, np.minimum(self.rise_inflation * self.rise_tail.p_values(rises), 1.0)
