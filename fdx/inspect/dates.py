"""Whether the dates of files are those of recording, or only those of a copy or download."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import numpy as np

from fdx.inspect.facts import RecordingFacts

# A recorder needs at least the recording's duration from one file to the next; a copy is mostly faster.
LEAST_GAP = 0.8
GAP_SHARE = 0.9
# A copy of a folder does not pause for long. A bench does, at least once, when something is mounted.
PAUSE_S, LEAST_SPAN_S = 600.0, 3600.0


def recording_dates(facts: Sequence[RecordingFacts]) -> tuple[np.ndarray, tuple[str, ...]] | None:
    """(seconds float64 [N], N texts) if the dates can be those of recording, else None.

    They can be if nearly all files are farther apart than the recordings are long, over an hour or more with a pause.
    """
    if len(facts) < 3 or any(np.isnan(f.modified_s) for f in facts):
        return None
    seconds = np.array([f.modified_s for f in facts])
    order = np.argsort(seconds, kind='stable')
    gaps = np.diff(seconds[order])
    durations = np.array([f.duration_s for f in facts])[order][1:]
    plausible = (gaps >= LEAST_GAP * durations).mean() >= GAP_SHARE
    if not plausible or gaps.max() < PAUSE_S or np.ptp(seconds) < LEAST_SPAN_S:
        return None
    texts = tuple(datetime.datetime.fromtimestamp(s).strftime('%Y-%m-%d %H:%M') for s in seconds)
    return seconds, texts
