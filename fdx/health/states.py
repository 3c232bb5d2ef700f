"""From scores to the state of a machine: normal, watch or alarm, with m-of-n and hysteresis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fdx.health.baseline import Baseline

NORMAL, WATCH, ALARM = 'normal', 'watch', 'alarm'
OUTSIDE, UNUSABLE = 'outside operating range', 'unusable'
# States of recordings that were judged; the others neither make nor end an alarm.
JUDGED = (NORMAL, WATCH, ALARM)


def next_state(baseline: Baseline, score: float, before: Sequence[float], state: str) -> str:
    """The state after one more recording.

    An alarm begins when m of the last n scores reach the alarm limit. It ends when n recordings in a row lie below the
    limit of watching. A single recording at or above that limit is watched.

    Args:
      baseline: with its limits and its rule.
      score: of the recording.
      before: scores of the judged recordings before it, the newest last.
      state: of the last judged recording; 'normal' before the first.
    """
    last = np.array([*before, score][-baseline.rule.among :], np.float64)
    if baseline.rule.strengths(last)[-1] >= baseline.alarm_limit:
        return ALARM
    calm = last < baseline.watch_limit
    if state == ALARM:
        return NORMAL if len(last) == baseline.rule.among and calm.all() else ALARM
    return NORMAL if calm[-1] else WATCH
