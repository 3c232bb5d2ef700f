"""Ranges of a run's training data, and how other data differ from them.

A network gives an answer for any input. Some inputs that do not resemble the training data can be recognised: by the
level of the vibration (counts or m/s2 instead of g, another gain, a loose sensor), by its unit, by the speed of the
shaft, and by the range of each column of a table.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from fdx.types import Recording

QUANTILES = (0.0, 0.05, 0.5, 0.95, 1.0)
# A level is reported if it is larger than the largest of the training data by this factor, or smaller than the smallest
# by this factor. Other loads, speeds and defects of one machine stay within it (CWRU: windows of one load against those
# of another).
LEVEL_FACTOR = 2.0
SPEED_MARGIN = 0.05
# A column of a table may leave its range by this share of its width, as new rows of the same machine do.
COLUMN_MARGIN = 0.1


@dataclasses.dataclass(frozen=True)
class TrainingRange:
    """Ranges of what a run was trained on; empty if a checkpoint does not state them.

    Attributes:
      level: for each channel the quantiles QUANTILES of the windows' root mean square, in the dataset's unit.
      unit: unit of the samples, '' when unknown.
      channel_names: names of the channels in their order, () when unnamed.
      speed_rpm: (lowest, highest), or None when unknown.
      columns: {name: quantiles QUANTILES} of a table's columns.
    """

    level: tuple[tuple[float, ...], ...] = ()
    unit: str = ''
    channel_names: tuple[str, ...] = ()
    speed_rpm: tuple[float, float] | None = None
    columns: Mapping[str, tuple[float, ...]] = dataclasses.field(default_factory=dict)

    def to_json(self) -> dict:
        """JSON-able, for a checkpoint's meta."""
        return dataclasses.asdict(self) | {'columns': {k: list(v) for k, v in self.columns.items()}}

    @classmethod
    def from_json(cls, stored: dict | None) -> TrainingRange:
        """Inverse of `to_json`; None (of an older checkpoint) gives an empty range, which excludes nothing."""
        if not stored:
            return cls()
        speed = stored['speed_rpm']
        return cls(
            level=tuple(map(tuple, stored['level'])),
            unit=stored['unit'],
            channel_names=tuple(stored['channel_names']),
            speed_rpm=None if speed is None else (float(speed[0]), float(speed[1])),
            columns={k: tuple(v) for k, v in stored['columns'].items()},
        )

    def outside_level(self, levels: np.ndarray) -> tuple[str, ...]:
        """How levels float [C] (of a window, or the median of a recording) differ from the training data."""
        if len(self.level) != len(levels):
            return ()
        found = []
        for c, (value, known) in enumerate(zip(levels.tolist(), self.level)):
            where = f' of {self.channel_names[c]}' if len(self.level) > 1 and self.channel_names else ''
            if not math.isfinite(value):
                continue
            if value > LEVEL_FACTOR * known[-1]:
                found.append(f"level{where} {_times(value, known[-1])} x training's maximum")
            elif value < known[0] / LEVEL_FACTOR:
                found.append(f"level{where} {_times(value, known[0])} x training's minimum")
        return tuple(found)

    def outside_windows_and_recording(
        self, levels: np.ndarray, recording: Recording
    ) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
        """How a recording differs from the training data: (one answer per window, one for the whole recording).

        Args:
          levels: float [N, C], root mean square of each window; NaN for windows that cannot be used.
          recording: with its unit and speed.
        """
        windows = tuple(self.outside_level(row) for row in levels)
        live = levels[np.isfinite(levels).all(axis=1)]
        whole = list(self.outside_level(np.median(live, axis=0))) if len(live) else []
        if recording.unit and self.unit and recording.unit != self.unit:
            whole.append(f'unit {recording.unit}, training had {self.unit}')
        speed = recording.speed_rpm
        if self.speed_rpm and math.isfinite(speed):
            low, high = self.speed_rpm
            if not low * (1 - SPEED_MARGIN) <= speed <= high * (1 + SPEED_MARGIN):
                whole.append(f"speed {speed:g} rpm, training's were {low:g} to {high:g}")
        return windows, tuple(whole)

    def outside_columns(self, values: Mapping[str, float]) -> list[str]:
        """The columns in which a row of a table lies outside the training data, in words."""
        found = []
        for name, known in self.columns.items():
            value, margin = values[name], COLUMN_MARGIN * (known[-1] - known[0])
            if value > known[-1] + margin:
                found.append(f"{name} {value:.6g} above training's maximum {known[-1]:.6g}")
            elif value < known[0] - margin:
                found.append(f"{name} {value:.6g} below training's minimum {known[0]:.6g}")
        return found


def _times(value: float, known: float) -> str:
    return f'{value / known:.3g}' if known > 0 else 'infinitely many'


def signal_range(
    level: np.ndarray, speed_rpm: np.ndarray, unit: str = '', channel_names: Sequence[str] = ()
) -> TrainingRange:
    """The ranges of windows.

    Args:
      level: float [N] or [N, C], root mean square of each training window.
      speed_rpm: float [N], NaN where unknown.
      unit: of the samples.
      channel_names: C names, or ().
    """
    level = np.asarray(level, np.float64).reshape(len(level), -1)
    quantiles = np.quantile(level, QUANTILES, axis=0).T if len(level) else ()
    known = speed_rpm[np.isfinite(speed_rpm)]
    speeds = (float(known.min()), float(known.max())) if len(known) else None
    return TrainingRange(tuple(tuple(map(float, q)) for q in quantiles), unit, tuple(channel_names), speeds)


def table_range(values: np.ndarray, columns: Sequence[str]) -> TrainingRange:
    """The ranges of a table's rows float [N, C] with C named columns."""
    quantiles = np.quantile(np.asarray(values, np.float64), QUANTILES, axis=0).T
    return TrainingRange(columns={name: tuple(map(float, q)) for name, q in zip(columns, quantiles)})
