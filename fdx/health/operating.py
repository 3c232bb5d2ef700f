"""What speed and load change in a machine in good order: known states, or a smooth law between them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from fdx.health.sample import Sample
from fdx.types import DataError

# Speeds within this share of each other are one state: the slip of a motor from no load to full load.
SAME_SPEED = 0.03
# Loads within this share of the largest are one.
SAME_LOAD = 0.05
# A state needs so many rows, or its mean says little; fewer are left out.
ROWS_OF_STATE = 5
# Between states, the law needs so many rows.
ROWS_OF_LAW = 20
ONE, STATES, LAW = 'one', 'states', 'law'


@dataclasses.dataclass(frozen=True)
class Layout:
    """Which operating states a baseline knows.

    Attributes:
      kind: 'one' where no speed and load are known, 'states' for some that return, 'law' where they vary freely.
      speeds_rpm: float64 [S, 2], lowest and highest speed of each state; NaN where it is not known. A law has one.
      loads: float64 [S, 2], likewise.
    """

    kind: str
    speeds_rpm: np.ndarray
    loads: np.ndarray

    def state_of(self, speed_rpm: np.ndarray, load: np.ndarray) -> np.ndarray:
        """The state of each row, int64 [N]; -1 outside all of them."""
        inside = _within(speed_rpm, self.speeds_rpm, SAME_SPEED / 2 * np.abs(self.speeds_rpm).max(axis=1))
        largest = np.nanmax(np.abs(self.loads)) if np.isfinite(self.loads).any() else 0.0
        inside &= _within(load, self.loads, np.full(len(self.loads), SAME_LOAD / 2 * largest))
        far = np.abs(np.asarray(speed_rpm)[:, None] - self.speeds_rpm.mean(axis=1))
        far = np.where(inside, np.nan_to_num(far), np.inf)
        return np.where(inside.any(axis=1), far.argmin(axis=1), -1)

    def outside(self, speed_rpm: float, load: float) -> str:
        """Why a recording is outside the operating range, in words; '' inside."""
        if self.state_of(np.array([speed_rpm]), np.array([load]))[0] >= 0:
            return ''
        if np.isfinite(self.speeds_rpm).all() and not math.isfinite(speed_rpm):
            return f'its speed is not known, and the baseline knows {self.words()}: give `speed_rpm`'
        if np.isfinite(self.loads).all() and not math.isfinite(load):
            return f'its load is not known, and the baseline knows {self.words()}: give `load`'
        known = ((speed_rpm, f'{speed_rpm:g} rpm'), (load, f'load {load:g}'))
        at = ' and '.join(words for value, words in known if math.isfinite(value))
        return f'at {at} the machine was never recorded in good order; the baseline knows {self.words()}'

    def words(self) -> str:
        """The states in words: '600, 1200 and 1800 rpm', '1500 rpm at load 0 and 1500 rpm at load 10'."""
        if self.kind == ONE:
            return 'one operating state'
        speeds = [_span(ends, ' rpm') for ends in self.speeds_rpm]
        loads = [f'load {_span(ends, "")}' if np.isfinite(ends).all() else '' for ends in self.loads]
        if len(set(loads)) == 1:
            shared = f' at {loads[0]}' if loads[0] and speeds[0] else loads[0]
            return _listed([s.removesuffix(' rpm') for s in speeds], ' rpm') + shared if speeds[0] else shared
        return _listed([' at '.join(p for p in pair if p) for pair in zip(speeds, loads)])


def _listed(names: Sequence[str], unit: str = '') -> str:
    return ', '.join(names[:-1]) + (' and ' if names[:-1] else '') + names[-1] + unit


def _span(ends: np.ndarray, unit: str) -> str:
    low, high = ends
    if not math.isfinite(low):
        return ''
    return f'{low:g}{unit}' if high - low <= 1e-3 * abs(high) else f'{low:g} to {high:g}{unit}'


def _within(values: np.ndarray, ends: np.ndarray, margin: np.ndarray) -> np.ndarray:
    """Whether values [N] lie between ends [S, 2] with margins [S], bool [N, S]; where the ends are unknown, always.

    A value that is not known is taken for the one that all states have, where they have one.
    """
    v = np.asarray(values, np.float64)[:, None]
    known = np.isfinite(ends).all(axis=1)
    only_one = bool(known.all() and ends.max() - ends.min() <= SAME_SPEED * np.abs(ends).max())
    with np.errstate(invalid='ignore'):
        inside = (v >= ends[:, 0] - margin) & (v <= ends[:, 1] + margin)
    return inside | ~known | (np.isnan(v) & only_one)


def lay_out(sample: Sample) -> tuple[Layout, np.ndarray]:
    """The states of healthy recordings, and which rows take part (bool [N]): those of states with too few do not.

    Raises:
      DataError: the operating states are too many for the recordings.
    """
    everyone = np.ones(len(sample), bool)
    speed, load = (v if np.isfinite(v).all() else np.full(len(v), np.nan) for v in (sample.speed_rpm, sample.load))
    if np.isnan(speed).all() and np.isnan(load).all():
        return Layout(ONE, np.full((1, 2), np.nan), np.full((1, 2), np.nan)), everyone
    keys = list(zip(_grouped(speed, SAME_SPEED * np.nan_to_num(np.abs(speed))),
                    _grouped(load, np.full(len(load), SAME_LOAD * np.nanmax(np.abs(load), initial=0.0)))))  # fmt: skip
    states = sorted(set(keys))
    of_row = np.array([states.index(key) for key in keys])
    counts = np.bincount(of_row)
    enough = counts >= ROWS_OF_STATE
    if counts[enough].sum() >= 0.8 * len(sample):
        kept = [i for i in range(len(states)) if enough[i]]
        ends = [(_ends(speed[of_row == i]), _ends(load[of_row == i])) for i in kept]
        layout = Layout(STATES, np.array([s for s, _ in ends]), np.array([b for _, b in ends]))
        return layout, enough[of_row]
    if len(sample) >= ROWS_OF_LAW:
        return Layout(LAW, np.array([_ends(speed)]), np.array([_ends(load)])), everyone
    few = ', '.join(f'{speed[of_row == i].mean():g} rpm' for i in np.flatnonzero(~enough)[:4])
    raise DataError(
        f'{len(sample)} recordings are spread over {len(states)} operating states ({few} ...): each needs '
        f'{ROWS_OF_STATE} recordings, or all together {ROWS_OF_LAW}; record more, or cut each into pieces with '
        '`piece_s`'
    )


def _grouped(values: np.ndarray, reach: np.ndarray) -> list[int]:
    """Numbers of groups: sorted, a value within `reach` of the first of its group belongs to it."""
    group = np.zeros(len(values), int)
    first, number = math.nan, 0
    for i in np.argsort(values, kind='stable'):
        if values[i] - first > reach[i]:
            number += 1
        if number != (group.max() if len(group) else 0) or not math.isfinite(first):
            first = values[i]
        group[i] = number
    return group.tolist()


def _ends(values: np.ndarray) -> tuple[float, float]:
    return (float(values.min()), float(values.max())) if len(values) else (math.nan, math.nan)


@dataclasses.dataclass(frozen=True)
class Centre:
    """What a healthy recording is expected to read, by its operating state.

    Attributes:
      layout: the states.
      coefficients: float64 [S, D] means of the states, or [terms, D] of the law.
      parameters: how many were fitted per number.
    """

    layout: Layout
    coefficients: np.ndarray

    @property
    def parameters(self) -> int:
        """Fitted numbers per column."""
        return len(self.coefficients)

    def of(self, sample: Sample) -> np.ndarray:
        """float64 [N, D]; rows outside the range get the nearest state, or the law at the end of its range."""
        return _design(self.layout, sample) @ self.coefficients


def fit_centre(layout: Layout, sample: Sample) -> Centre:
    """Least squares; a ridge that weighs little keeps terms that the data do not determine at 0."""
    design = _design(layout, sample)
    if layout.kind != LAW:
        counts = np.maximum(design.sum(axis=0), 1.0)
        return Centre(layout, (design.T @ sample.values) / counts[:, None])
    ridge = 1e-6 * len(design) * np.eye(design.shape[1])
    ridge[0, 0] = 0.0
    return Centre(layout, np.linalg.solve(design.T @ design + ridge, design.T @ sample.values))


def _design(layout: Layout, sample: Sample) -> np.ndarray:
    """[N, terms]: the row's state, or 1, s, s^2 and the load, with s the octaves above the middle speed."""
    if layout.kind != LAW:
        far = _distance(sample.speed_rpm, layout.speeds_rpm) + _distance(sample.load, layout.loads)
        return np.eye(len(layout.speeds_rpm))[far.argmin(axis=1)]
    columns: list[np.ndarray] = [np.ones(len(sample))]
    low, high = layout.speeds_rpm[0]
    if math.isfinite(low) and low > 0:
        octaves = np.log2(np.clip(sample.speed_rpm, low, high) / math.sqrt(low * high))
        columns += [octaves, octaves**2]
    low, high = layout.loads[0]
    if math.isfinite(low) and high > low:
        columns.append((np.clip(sample.load, low, high) - low) / (high - low))
    return np.stack([np.nan_to_num(c) for c in columns], axis=1)


def _distance(values: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """[N, S], relative to the largest end; 0 where either is unknown."""
    scale = np.nanmax(np.abs(ends)) if np.isfinite(ends).any() else 1.0
    middle = ends.mean(axis=1)
    return np.nan_to_num(np.abs(np.asarray(values)[:, None] - middle) / (scale or 1.0))


def words_of_rows(sample: Sample, left: np.ndarray) -> Sequence[str]:
    """Names of the recordings of which all rows are left out (bool [N])."""
    gone = [bool(left[sample.recording == i].all()) for i in range(len(sample.names))]
    return [name for name, is_gone in zip(sample.names, gone) if is_gone]
