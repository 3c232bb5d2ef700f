"""Verdicts on recordings of one machine, and what every row of the benchmark `unseen` offers."""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

import fdx.types
from fdx.types import DataError, Recording

from .unseen_machines import STATES

COMBINED = 'combined'
# All states that a verdict may have; no machine of the benchmark has recordings of the last one.
VERDICT_STATES = (*STATES, COMBINED)
NORMAL = STATES.index('normal')
# Suffixes of what decides a verdict: code, weights and their settings.
CODE = ('.py', '.safetensors', '.json')


@dataclasses.dataclass(frozen=True)
class Verdicts:
    """What a method says about N recordings.

    Attributes:
      probabilities: float64 [N, VERDICT_STATES], finite, rows add up to 1; those of an abstained verdict still rank.
      abstained: bool [N].
      reasons: N texts, '' where there is a verdict.
    """

    probabilities: np.ndarray
    abstained: np.ndarray
    reasons: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """For a cell."""
        return {
            'probabilities': [[float(f'{p:.6g}') for p in row] for row in self.probabilities],
            'abstained': [bool(a) for a in self.abstained],
            'reasons': list(self.reasons),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Verdicts:
        """What `to_json` has written."""
        return cls(
            np.array(stored['probabilities'], np.float64), np.array(stored['abstained'], bool), tuple(stored['reasons'])
        )


class Method(Protocol):
    """A row.

    Attributes:
      name: as rows have it.
      words: for the page.
      draws: whether the seed makes a difference; if not, seed 0 alone is run.
      learns: whether labelled recordings of other machines are learned from.
      reads_speed: whether the stated speed makes a difference.
    """

    name: str
    words: str
    draws: bool
    learns: bool
    reads_speed: bool

    def missing(self) -> str:
        """Why the method cannot be run here; '' where it can."""

    def asked(self) -> dict[str, Any]:
        """What decides its verdicts besides recordings and seed, JSON-able: a cell of other settings is run again."""

    def __call__(self, others: Sequence[Recording], tested: Sequence[Recording], seed: int) -> Verdicts:
        """Verdicts on the tested recordings, whose labels must not be read.

        Args:
          others: labelled recordings of all other machines (fault_type among STATES).
          tested: N recordings of one machine.
          seed: of everything that is random.
        """


def code_digest(patterns: Sequence[str]) -> str:
    """A digest of files of the package, so that cells are run again when the method itself has changed.

    Args:
      patterns: of paths below the folder of `fdx`, e.g. 'signal/*.py'.
    """
    folder = pathlib.Path(fdx.types.__file__).parent
    digest = hashlib.sha256()
    found = {path for pattern in patterns for path in folder.glob(pattern) if path.suffix in CODE and path.is_file()}
    for path in sorted(found):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def one_by_one(tested: Sequence[Recording], judge: Callable[[Recording], tuple[np.ndarray, str]]) -> Verdicts:
    """Verdicts of a judge that looks at each recording alone.

    Args:
      tested: N recordings.
      judge: recording -> (probabilities [VERDICT_STATES], reason to abstain or ''); a DataError is an abstention.
    """
    rows, reasons = [], []
    for recording in tested:
        try:
            row, reason = judge(recording)
        except DataError as e:
            row, reason = np.full(len(VERDICT_STATES), 1 / len(VERDICT_STATES)), str(e)
        rows.append(row)
        reasons.append(reason)
    return Verdicts(np.stack(rows), np.array([bool(r) for r in reasons]), tuple(reasons))
