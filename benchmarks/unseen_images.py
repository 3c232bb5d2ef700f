"""Images of recordings of several machines, for the rows of the benchmark `unseen` that learn from other machines.

All recordings, also those of the tested machine, are brought to the lowest rate among them and its band (law 3), or a
machine would be told by its rate. Every recording counts once, whatever its length, and every state alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fdx.data.blocks import Windowing
from fdx.data.cut import cut_recording
from fdx.data.prepared import RecordSpec
from fdx.signal.front_ends import create_front_end
from fdx.types import DataError, Recording

from .unseen_machines import STATES
from .unseen_verdicts import VERDICT_STATES, Verdicts

# Windows are spread evenly over a recording, so that long recordings do not cost more than short ones.
MOST_WINDOWS = 8
# TrainConfig wants the name of a dataset, and these rows have none.
NO_DATASET = 'recordings/unseen'


def common_rate_hz(recordings: Sequence[Recording]) -> float:
    """The lowest rate among recordings."""
    return min(float(r.sample_rate_hz) for r in recordings)


class Images:
    """Images of the windows of recordings, each recording cut once per rate."""

    def __init__(self, front_end: str, window_s: float = 0.0):
        """Takes the name of a front end of one channel, and windows where they are to be longer than its patches."""
        self.front_end, self._window_s = front_end, window_s
        self._found: dict[tuple[str, int, float], np.ndarray] = {}

    def __call__(self, recordings: Sequence[Recording], rate_hz: float) -> list[np.ndarray]:
        """For each recording its images [W, ...] at a common rate, 1 <= W <= MOST_WINDOWS.

        Raises:
          DataError: a recording is too short for a window, or no window of it can be used.
        """
        return [self._of(r, rate_hz) for r in recordings]

    def _of(self, recording: Recording, rate_hz: float) -> np.ndarray:
        key = (recording.recording, len(recording.samples), rate_hz)
        if key not in self._found:
            front_end = create_front_end(self.front_end, rate_hz)
            window = max(front_end.patch_samples(rate_hz), round(self._window_s * rate_hz))
            room = int(recording.duration_s * rate_hz) - window
            hop = max(window, room // (MOST_WINDOWS - 1))
            images = cut_recording(recording, RecordSpec(front_end, rate_hz, Windowing(window, hop, 0), False)).images
            if not len(images):
                raise DataError(f'{recording.recording}: no window of {window / rate_hz:.3g} s can be used')
            self._found[key] = images[:MOST_WINDOWS]
        return self._found[key]


def labels_of(recordings: Sequence[Recording]) -> np.ndarray:
    """Numbers in STATES, int32 [N]."""
    return np.array([STATES.index(r.fault_type) for r in recordings], np.int32)


def all_answered(probabilities: np.ndarray) -> Verdicts:
    """Verdicts of a method that never abstains, from probabilities [N, STATES]."""
    count = len(probabilities)
    padded = np.zeros((count, len(VERDICT_STATES)))
    padded[:, : len(STATES)] = probabilities / probabilities.sum(axis=1, keepdims=True)
    return Verdicts(padded, np.zeros(count, bool), ('',) * count)
