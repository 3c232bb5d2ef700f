"""The rows of many recordings, with what is known of the machine while each was taken."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from fdx.types import UNKNOWN


@dataclasses.dataclass(frozen=True)
class Sample:
    """Rows of numbers of recordings, in the order of time.

    Attributes:
      values: float64 [N, D], one row per unit: a recording, or a piece of one.
      speed_rpm: float64 [N], NaN where it is not known.
      load: float64 [N], NaN where it is not known.
      recording: int64 [N], number of the recording that a row is of, rising from 0.
      names: one per recording, R of them.
    """

    values: np.ndarray
    speed_rpm: np.ndarray
    load: np.ndarray
    recording: np.ndarray
    names: tuple[str, ...]

    @classmethod
    def of(
        cls,
        rows: Sequence[np.ndarray],
        names: Sequence[str] | None = None,
        speed_rpm: Sequence[float] | float = UNKNOWN,
        load: Sequence[float] | float = UNKNOWN,
    ) -> Sample:
        """A sample of recordings.

        Args:
          rows: one array [P, D] (or [D]) per recording.
          names: of the recordings; by default their numbers.
          speed_rpm: of each recording, or of all.
          load: likewise.
        """
        two = [np.atleast_2d(np.asarray(r, np.float64)) for r in rows]
        number = np.repeat(np.arange(len(two)), [len(r) for r in two])
        speeds, loads = (np.broadcast_to(np.asarray(v, np.float64), (len(two),)) for v in (speed_rpm, load))
        return cls(
            np.concatenate(two) if two else np.zeros((0, 0)),
            speeds[number],
            loads[number],
            number,
            tuple(names) if names is not None else tuple(map(str, range(len(two)))),
        )

    def __len__(self) -> int:
        return len(self.values)

    def rows(self, keep: np.ndarray) -> Sample:
        """Some rows (bool [N] or int [M], rising); recordings without rows are gone."""
        number = self.recording[keep]
        left, again = np.unique(number, return_inverse=True)
        return Sample(
            self.values[keep],
            self.speed_rpm[keep],
            self.load[keep],
            again.astype(np.int64),
            tuple(self.names[i] for i in left),
        )

    def per_recording(self, of_rows: np.ndarray) -> np.ndarray:
        """The median over the rows of each recording of values [N]: float64 [R]."""
        return np.array([np.median(of_rows[self.recording == i]) for i in range(len(self.names))])


def joined(samples: Sequence[Sample]) -> Sample:
    """Samples one after the other, with recordings of their own."""
    before = np.cumsum([0, *(len(s.names) for s in samples[:-1])])
    return Sample(
        np.concatenate([s.values for s in samples]),
        np.concatenate([s.speed_rpm for s in samples]),
        np.concatenate([s.load for s in samples]),
        np.concatenate([s.recording + n for s, n in zip(samples, before)]),
        tuple(name for s in samples for name in s.names),
    )
