"""What the advice of a report is derived from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from fdx.evaluate.intervals import wilson_interval

MAX_TRIALS = 10_000


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What the rules look at.

    Attributes:
      results: what results.json holds, with `data`, `train_accuracy` and, of recordings, `recording_confusion_matrix`.
      right: recordings (of a table: rows) that were called rightly, `total`: of how many.
      interval: 95 % interval of that share.
      own: whether the run learned from this dataset, so that its gaps are those of the training.
    """

    results: Mapping[str, Any]
    right: int
    total: int
    interval: tuple[float, float]
    own: bool

    @property
    def data(self) -> Mapping[str, Any]:
        """The facts of the dataset."""
        return self.results['data']

    @property
    def of_recordings(self) -> bool:
        """Whether recordings were scored, and not rows of a table."""
        return self.data['has_recordings']

    @property
    def noun(self) -> str:
        """What has one verdict."""
        return 'recording' if self.of_recordings else 'row'

    @property
    def unit(self) -> str:
        """What has one prediction."""
        return 'window' if self.of_recordings else 'row'

    @property
    def classes(self) -> list[Mapping[str, Any]]:
        """The classes of the recordings that the run learned from; [] of other data, and of a table of readings."""
        return list(self.data['classes']) if self.own and self.of_recordings else []

    @property
    def missed(self) -> list[str]:
        """Classes that were tested and never called rightly."""
        return [row['class'] for row in self.results['per_class'] if row['support'] and not row['recall']]

    @property
    def domain_word(self) -> str:
        """What tells the domains of the data apart."""
        kind = self.data['domain_kind']
        return 'machine or operating condition' if kind == 'domain' else kind


def trials_needed(share: float, width: float) -> int:
    """How many independent trials with that share of right ones have an interval no wider than `width`."""
    for n in range(1, MAX_TRIALS):
        low, high = wilson_interval(share * n, n) or (0.0, 1.0)
        if high - low <= width:
            return n
    return MAX_TRIALS
