"""Whether rows of a table that follow each other are alike: then they are not independent examples."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence

import numpy as np
import scipy  # its parts are imported at first use, which saves a second

# Loggers that take turns between machines show a lag of as many rows as there are machines.
MAX_LAG = 50
# A correlation is noticed where independent rows would give it once in a million tables, and where it matters.
LEAST_Z, LEAST_R = 5.0, 0.1
# Too few rows to tell anything.
MIN_ROWS = 20
# One split of a table asks four times, and its folds ask again: the last answers are kept, by digests of the questions.
_KNOWN: dict[bytes, Dependence] = {}
_KEPT = 16


@dataclasses.dataclass(frozen=True)
class Alike:
    """A column whose values resemble those of some rows before.

    Attributes:
      column: its name; '' for the label.
      lag: how many rows before.
      correlation: of the ranks at that lag.
    """

    column: str
    lag: int
    correlation: float


@dataclasses.dataclass(frozen=True)
class Dependence:
    """What independent rows would not show.

    Attributes:
      readings: the columns that are alike, the most alike first.
      label: the label, where it comes in runs; None where it does not.
    """

    readings: tuple[Alike, ...] = ()
    label: Alike | None = None

    def __bool__(self) -> bool:
        return bool(self.readings or self.label)

    def words(self) -> str:
        """What was found: 'rpm resembles the row before (rank correlation 1.00) and the label comes in runs (...)'."""
        parts = []
        if self.readings:
            first = self.readings[0]
            where = 'the row before' if first.lag == 1 else f'{first.lag} rows before'
            parts.append(f'{first.column} resembles {where} (rank correlation {first.correlation:.2f})')
        if self.label:
            parts.append(f'the label comes in runs (correlation {self.label.correlation:.2f} at lag {self.label.lag})')
        return ' and '.join(parts)


def row_dependence(values: np.ndarray, labels: np.ndarray, columns: Sequence[str] = ()) -> Dependence:
    """Looks for serial dependence of rows in the order of their file.

    Of each column the largest rank correlation with itself 1 to MAX_LAG rows before (R. Bartels, "The rank version of
    von Neumann's ratio test for randomness", JASA 77(377):40-46, 1982, is the test at lag 1); of independent rows it is
    normal with a deviation of 1 / sqrt(N). The label is tested in the same way; where a class is rare, its pairs are
    also compared with a Poisson distribution, as the tail of the normal one is too short there.

    Args:
      values: float [N, C], in the order of the file.
      labels: int [N], 0 and 1, or more classes: each is tested against the others.
      columns: C names, for words.

    Returns:
      What was found; nothing for fewer than MIN_ROWS rows.
    """
    n = len(labels)
    if n < MIN_ROWS:
        return Dependence()
    values, labels = np.asarray(values, np.float64).reshape(n, -1), np.unique(labels, return_inverse=True)[1]
    names = list(columns) or [f'column {i + 1}' for i in range(values.shape[1])]
    key = hashlib.sha256(repr((values.shape, names)).encode())
    key.update(np.ascontiguousarray(values).data)
    key.update(labels.tobytes())
    known = _KNOWN.get(key.digest())
    if known is None:
        if len(_KNOWN) >= _KEPT:
            _KNOWN.clear()
        known = _KNOWN[key.digest()] = _dependence(values, labels, names)
    return known


def _dependence(values: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> Dependence:
    found = [_alike(name, scipy.stats.rankdata(values[:, i])) for i, name in enumerate(names)]
    readings = sorted((a for a in found if a), key=lambda a: -a.correlation)
    in_runs = [a for a in (_label_alike(labels == c) for c in np.unique(labels)) if a]
    return Dependence(tuple(readings), max(in_runs, key=lambda a: a.correlation, default=None))


def autocorrelation(x: np.ndarray, max_lag: int) -> np.ndarray:
    """Correlation of x [N] with itself 0 to max_lag rows before, float64 [max_lag + 1]; zeros where x is constant."""
    x = np.asarray(x, np.float64) - np.mean(x)
    power = float(x @ x)
    if power <= 1e-12 * len(x):
        return np.zeros(max_lag + 1)
    spectrum = np.fft.rfft(x, 2 * len(x))
    return np.fft.irfft(np.abs(spectrum) ** 2)[: max_lag + 1] / power


def _lags(n: int) -> int:
    return min(MAX_LAG, n // 4)


def _alike(name: str, ranks: np.ndarray) -> Alike | None:
    """The lag at which a column is most alike, where that is far beyond chance."""
    r = autocorrelation(ranks, _lags(len(ranks)))
    lag = int(np.argmax(r[1:])) + 1
    enough = r[lag] >= LEAST_R and r[lag] * np.sqrt(len(ranks)) >= LEAST_Z
    return Alike(name, lag, float(r[lag])) if enough else None


def _label_alike(member: np.ndarray) -> Alike | None:
    """The same for one class."""
    found = _alike('', member.astype(np.float64))
    if found is None or min(member.sum(), (~member).sum()) == 0:
        return None
    rare = member if member.sum() * 2 <= len(member) else ~member
    pairs = int((rare[found.lag :] & rare[: -found.lag]).sum())
    expected = float(rare.sum()) ** 2 / len(rare)
    return found if scipy.stats.poisson.sf(pairs - 1, expected) * MAX_LAG < 1e-4 else None
