"""From scores to the state of a machine: normal, watch or alarm, with m-of-n and hysteresis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fdx.health.baseline import Baseline

NORMAL, WATCH, ALARM = 'normal', 'watch', 'alarm'
OUTSIDE, UNUSABLE = 'outside operating range', 'unusable'
# States of recordings that were judged; the others neither make nor end an alarm.
JUDGED = (NORMAL, WATCH, ALARM)


class Reading(NamedTuple):
    """What decides the state after a recording.

    Attributes:
      score: how unusual it is.
      rise: how far it has risen as damage rises; infinity where nothing tells.
    """

    score: float
    rise: float = math.inf


def next_state(baseline: Baseline, reading: Reading, before: Sequence[Reading], state: str) -> str:
    """The state after one more recording.

    An alarm begins when m of the last n recordings reach the alarm limit and, where the baseline asks it, have risen
    beyond the limit of rises. It ends when n recordings in a row lie below the limit of watching, or have not risen.
    A recording at or above the limit of watching is watched.

    Args:
      baseline: with its limits and its rule.
      reading: of the recording.
      before: of the judged recordings before it, the newest last.
      state: of the last judged recording; 'normal' before the first.
    """
    last = [*before, reading][-baseline.rule.among :]
    scores, rises = np.array(last).T
    if baseline.beyond(scores, rises).sum() >= baseline.rule.needed:
        return ALARM
    after = NORMAL if reading.score < baseline.watch_limit else WATCH
    calm = (scores < baseline.watch_limit) | (rises < baseline.calm_rise)
    return ALARM if state == ALARM and not (len(last) == baseline.rule.among and calm.all()) else after
