"""What a user wishes of alarms, in their own words: how often a false one may come, and after how many recordings."""

from __future__ import annotations

import dataclasses
import math
import re

import numpy as np

from fdx.types import ConfigError


@dataclasses.dataclass(frozen=True)
class Rule:
    """When unusual recordings make an alarm: `needed` of the last `among` are as unusual as the limit.

    Attributes:
      needed: m, of m-of-n.
      among: n.
    """

    needed: int = 2
    among: int = 3

    def __post_init__(self):
        """Checks that m is between 1 and n."""
        if not 1 <= self.needed <= self.among <= 20:
            raise ConfigError(
                f'`alarm_after`={self}: at least 1 of at most 20 recordings, e.g. 2of3: two of the last three'
            )

    def __str__(self) -> str:
        return f'{self.needed}of{self.among}'

    @classmethod
    def parse(cls, text: str) -> Rule:
        """'2of3' as a rule; ConfigError for anything else."""
        match = re.fullmatch(r'\s*(\d{1,2})\s*of\s*(\d{1,2})\s*', text)
        if match is None:
            raise ConfigError(f'`alarm_after`={text}: write MofN, e.g. 2of3: two of the last three recordings')
        return cls(int(match[1]), int(match[2]))

    def strengths(self, scores: np.ndarray) -> np.ndarray:
        """For each recording of a series, the m-th largest score of the last n: float64 [N].

        It passes a limit exactly when m of the last n do, so that its own healthy values give the rate of alarms,
        whether neighbours resemble each other or not. The first m - 1 recordings have -inf: nothing is confirmed yet.
        """
        s = np.asarray(scores, np.float64)
        padded = np.concatenate([np.full(self.among - 1, -np.inf), s])
        windows = np.lib.stride_tricks.sliding_window_view(padded, self.among) if len(s) else np.zeros((0, self.among))
        return np.sort(windows, axis=1)[:, self.among - self.needed]


@dataclasses.dataclass(frozen=True)
class Wish:
    """How often a false alarm may come.

    Attributes:
      false_alarm_every_days: one in so many days.
      recordings_per_day: how many recordings are judged per day.
    """

    false_alarm_every_days: float = 30.0
    recordings_per_day: float = 24.0

    def __post_init__(self):
        """Checks the numbers."""
        for name in ('false_alarm_every_days', 'recordings_per_day'):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f'`{name}`={value}: a number above 0')
        if self.rate > 0.2:
            raise ConfigError(
                f'`false_alarm_every_days`={self.false_alarm_every_days:g} at `recordings_per_day`='
                f'{self.recordings_per_day:g}: that is a false alarm in {1 / self.rate:.3g} recordings; allow at most '
                'one in five'
            )

    @property
    def rate(self) -> float:
        """False alarms per recording."""
        return 1 / (self.false_alarm_every_days * self.recordings_per_day)

    def words(self, rate: float | None = None) -> str:
        """A rate (by default the wished one) in words: 'one false alarm in 30 days (1 in 720 recordings)'."""
        rate = self.rate if rate is None else rate
        return f'one false alarm in {_days(1 / (rate * self.recordings_per_day))} (1 in {1 / rate:.0f} recordings)'


def _days(days: float) -> str:
    if days >= 1.5:
        return f'{days:.3g} days'
    return f'{24 * days:.3g} hours' if days * 24 >= 1.5 else f'{1440 * days:.3g} minutes'
