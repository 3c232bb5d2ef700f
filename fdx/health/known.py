"""What the user knows of the recordings that a monitor scores, and wishes of it."""

from __future__ import annotations

import dataclasses
from typing import Any

from fdx.data.collection.entry import Entry
from fdx.health.feature_plan import FeaturePlan
from fdx.predict.condition import check_positive
from fdx.types import ConfigError

# When the universal judge, which takes half a second, is asked: of an unusual recording where none of the last few was
# asked about, of each unusual one, of all, of none.
JUDGE = ('changes', 'not_normal', 'always', 'never')


@dataclasses.dataclass(frozen=True)
class Known:
    """What the user knows of the recordings that come.

    Attributes:
      speed_rpm, load: of all of them; they win over the name and the file. None keeps those.
      judge: one of JUDGE.
      variable: which signal of .mat, HDF5 and TDMS files; None: as the baseline read it.
      channel: which channel of files with several; None: as the baseline read it.
      sample_rate_hz: of files that do not tell it; None: as the baseline read it.
      cut_s: seconds of the stretches that long files are cut into, each a recording of its own; None: none.
    """

    speed_rpm: float | None = None
    load: float | None = None
    judge: str = 'changes'
    variable: str | None = None
    channel: str | None = None
    sample_rate_hz: float | None = None
    cut_s: float | None = None

    def __post_init__(self):
        """ConfigError for a judge that does not exist, or a length that is none."""
        if self.judge not in JUDGE:
            raise ConfigError(f'`judge`={self.judge}: choose from {", ".join(JUDGE)}')
        check_positive('cut_s', self.cut_s, 'seconds')
        check_positive('sample_rate_hz', self.sample_rate_hz, 'Hz')

    def check_cut(self, plan: FeaturePlan) -> None:
        """ConfigError where stretches are too short for the numbers of a baseline."""
        needed = plan.piece_s or plan.frame_s
        if self.cut_s is not None and self.cut_s < needed * (1 - 1e-9):
            raise ConfigError(
                f'`cut_s`={self.cut_s:g}: the baseline needs {needed:g} s of a recording; cut stretches as long as the '
                'healthy recordings were'
            )

    def of(self, entry: Entry) -> Entry:
        """An entry with what is known better."""
        named: dict[str, Any] = {
            'speed_rpm': self.speed_rpm,
            'load': self.load,
            'variable': self.variable,
            'channel': self.channel,
            'sample_rate_hz': self.sample_rate_hz,
        }
        return dataclasses.replace(entry, **{name: value for name, value in named.items() if value is not None})
