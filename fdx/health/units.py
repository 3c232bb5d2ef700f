"""What counts as one when rates of false alarms are measured: a recording, or a piece of the few that there are."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.health.sample import Sample

# With fewer recordings their pieces, where there are some, are the units.
FEW_RECORDINGS = 20


@dataclasses.dataclass(frozen=True)
class Units:
    """What counts as one: a recording, or a piece where there are few recordings.

    Attributes:
      sample: the rows.
      by_pieces: whether pieces are the units.
      block: int64 [U], the block of each unit.
      clusters: int64 [U], the recording of each unit.
    """

    sample: Sample
    by_pieces: bool
    block: np.ndarray
    clusters: np.ndarray

    @classmethod
    def of(cls, sample: Sample, block: np.ndarray) -> Units:
        """The units of rows whose blocks are int64 [N]."""
        if len(sample.names) < FEW_RECORDINGS:
            return cls(sample, True, block, sample.recording)
        numbers = np.arange(len(sample.names))
        return cls(sample, False, block[np.searchsorted(sample.recording, numbers)], numbers)

    def per_unit(self, of_rows: np.ndarray) -> np.ndarray:
        """A value of rows [N] for each unit [U]."""
        return of_rows if self.by_pieces else self.sample.per_recording(of_rows)
