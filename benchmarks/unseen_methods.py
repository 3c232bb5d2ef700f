"""Rows of the benchmark `unseen` that look at each recording alone: physics with two nulls, and judges of evidence."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.special

from fdx.signal.control_orders import FAULTS
from fdx.signal.fault_evidence import fault_evidence
from fdx.types import DataError, Recording

from . import white_noise_null
from .unseen_verdicts import NORMAL, VERDICT_STATES, Verdicts, code_digest, one_by_one

# The threshold in robust standard deviations, and how z-scores become probabilities: softmax of z / TEMPERATURE, with
# the threshold in place of the healthy state's z. Both were fixed before any score was seen.
THRESHOLD, TEMPERATURE = 4.0, 2.0
# What decides the evidence, for `code_digest`.
EVIDENCE_CODE = tuple(
    f'signal/{name}.py' for name in ('fault_evidence', 'order_spectra', 'control_orders', 'speed_check', 'envelope')
)


def of_z_scores(z: Mapping[str, float]) -> np.ndarray:
    """Probabilities [VERDICT_STATES] from one z-score per fault: the largest is called if it is above THRESHOLD.

    The map is monotonic and was fixed beforehand; nobody has calibrated it.
    """
    logits = np.full(len(VERDICT_STATES), -np.inf)
    logits[NORMAL] = THRESHOLD / TEMPERATURE
    for fault, value in z.items():
        logits[VERDICT_STATES.index(fault)] = value / TEMPERATURE
    return scipy.special.softmax(logits)


@dataclasses.dataclass(frozen=True)
class WhiteNoise:
    """Physics with white noise as the null, as fdx 0.2.0 had it."""

    name: str = 'white_noise'
    words: str = (
        'physics alone, fault orders in windows against white noise as the null: `--zero_shot` of fdx 0.2.0. A fault '
        'stands out from z = 4; it abstains where a single line or the multiples of the shaft may explain it'
    )
    draws: bool = True
    learns: bool = False
    reads_speed: bool = True

    def missing(self) -> str:
        """Nothing."""
        return ''

    def asked(self) -> dict[str, Any]:
        """Its constants and the map to probabilities."""
        return {'surrogates': white_noise_null.SURROGATES, 'threshold': THRESHOLD, 'temperature': TEMPERATURE}

    def __call__(self, others: Sequence[Recording], tested: Sequence[Recording], seed: int) -> Verdicts:
        """As in `Method`."""

        def judge(recording: Recording) -> tuple[np.ndarray, str]:
            found = white_noise_null.diagnose(recording, seed)
            return of_z_scores(dict(zip(found.faults, found.z_scores.tolist()))), found.doubt

        return one_by_one(tested, judge)


@dataclasses.dataclass(frozen=True)
class ControlOrders:
    """Physics with orders that belong to no fault as the null (`fdx.signal.fault_evidence`)."""

    name: str = 'control_orders'
    words: str = (
        'physics alone, whole recordings, with orders that belong to no fault as the null. A fault is called if its z '
        'reaches 4 with and without the lines that shaft and mains explain; the larger one wins. Never abstains'
    )
    draws: bool = False
    learns: bool = False
    reads_speed: bool = True

    def missing(self) -> str:
        """Nothing."""
        return ''

    def asked(self) -> dict[str, Any]:
        """The threshold, the map to probabilities, and the code of the evidence."""
        return {'threshold': THRESHOLD, 'temperature': TEMPERATURE, 'code': code_digest(EVIDENCE_CODE)}

    def __call__(self, others: Sequence[Recording], tested: Sequence[Recording], seed: int) -> Verdicts:
        """As in `Method`."""
        return one_by_one(tested, self._judge)

    def _judge(self, recording: Recording) -> tuple[np.ndarray, str]:
        if recording.geometry is None or not np.isfinite(recording.speed_rpm):
            raise DataError(f'{recording.recording}: bearing or speed is not known')
        samples = np.asarray(recording.samples, np.float64)[:, 0]
        found = fault_evidence(samples, recording.sample_rate_hz, recording.speed_rpm, recording.geometry)
        z = np.minimum(found.z_scores(), found.z_scores(apart=True))
        return of_z_scores(dict(zip(FAULTS, z.tolist()))), ''


@dataclasses.dataclass(frozen=True)
class Judge:
    """A judge of single recordings, such as `fdx.zero_shot`.

    Attributes:
      name, words, draws, learns, reads_speed: see `Method`.
      judge_of: (others, seed) -> function of a recording whose result has `probabilities` ({state: number}) and
        `abstained` (a reason, True or False, '' or None).
      settings: what decides it, see `Method.asked`.
      why_missing: see `Method.missing`.
    """

    name: str
    words: str
    judge_of: Callable[[Sequence[Recording], int], Callable[[Recording], Any]]
    settings: Callable[[], dict[str, Any]]
    why_missing: Callable[[], str] = lambda: ''
    draws: bool = False
    learns: bool = False
    reads_speed: bool = True

    def missing(self) -> str:
        """As in `Method`."""
        return self.why_missing()

    def asked(self) -> dict[str, Any]:
        """As in `Method`."""
        return self.settings()

    def __call__(self, others: Sequence[Recording], tested: Sequence[Recording], seed: int) -> Verdicts:
        """As in `Method`."""
        judge = self.judge_of(others, seed)

        def one(recording: Recording) -> tuple[np.ndarray, str]:
            result = judge(recording)
            row = np.array([float(result.probabilities.get(state, 0.0)) for state in VERDICT_STATES])
            reason = result.abstained
            if not (np.isfinite(row).all() and row.sum() > 0):
                raise DataError(f'{recording.recording}: no probabilities')
            return row / row.sum(), ('it abstains' if reason is True else str(reason or ''))

        return one_by_one(tested, one)
