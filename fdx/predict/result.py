"""What a diagnosis says: one face for networks, fault orders and tables."""

from __future__ import annotations

import dataclasses
import functools
import pathlib
from typing import TYPE_CHECKING, Any

import numpy as np

from fdx.types import Recording

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True)
class Series:
    """What a diagnosis says of each window, to be plotted.

    Attributes:
      starts: float [N], where each window begins: seconds, or numbers of rows.
      width: length of a window in the same unit.
      values: float [N, K], NaN for windows that have no vote.
      names: K names.
      axes: labels of the horizontal and of the vertical axis.
      threshold: value from which on a class is called, or None.
    """

    starts: np.ndarray
    width: float
    values: np.ndarray
    names: tuple[str, ...]
    axes: tuple[str, str]
    threshold: float | None = None


class Result:
    """A diagnosis of one file or recording. Subclasses say how the numbers come about.

    Attributes:
      file: name of the file or of the recording.
      recording: what was diagnosed, for `plot`; None where it was not kept, and for tables.
    """

    file: str
    recording: Recording | None

    def rows(self) -> list[dict[str, Any]]:
        """JSON-able rows as `launch.predict` prints them: one per window, then one for the whole."""
        raise NotImplementedError

    def series(self) -> Series:
        """The windows' probabilities or scores, for `plot`."""
        raise NotImplementedError

    @functools.cached_property
    def _rows(self) -> list[dict[str, Any]]:
        return self.rows()

    @property
    def windows(self) -> list[dict[str, Any]]:
        """One row per window (of a table: per reading)."""
        return self._rows[:-1]

    @property
    def summary(self) -> dict[str, Any]:
        """The row of the whole recording or table."""
        return self._rows[-1]

    @property
    def label(self) -> str | None:
        """The state that is diagnosed; None where there is no verdict, and `reason` then says why."""
        return self.summary['predicted']

    @property
    def reason(self) -> str | None:
        """Why there is no verdict, or None."""
        return self.summary.get('reason')

    @property
    def probabilities(self) -> dict[str, float] | None:
        """{class name: mean probability over the windows}; None where there is no verdict, and without a network."""
        return self.summary.get('mean_probabilities')

    def to_dict(self) -> dict[str, Any]:
        """All of it, JSON-able once NaN is taken care of (fdx.files.to_jsonable)."""
        return {
            'file': self.file,
            'label': self.label,
            'reason': self.reason,
            'probabilities': self.probabilities,
            'summary': self.summary,
            'windows': self.windows,
        }

    def plot(self) -> Figure:
        """A matplotlib figure: the waveform, and below it what each window says; grey windows have no vote."""
        # matplotlib takes longer to load than a diagnosis.
        from fdx.predict.figure import plot_result  # noqa: PLC0415

        return plot_result(self)

    def __repr__(self) -> str:
        verdict = self.label if self.label is not None else f'no verdict: {self.reason}'
        return f'<{type(self).__name__} of {pathlib.PurePath(self.file).name}: {verdict}, {len(self.windows)} windows>'
