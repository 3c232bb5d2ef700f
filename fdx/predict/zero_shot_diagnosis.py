"""What is said about a machine that fdx has never seen, with the evidence for it."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from fdx.predict.findings import Findings
from fdx.predict.result import Result, Series
from fdx.signal.control_orders import FAULTS
from fdx.signal.fault_evidence import FaultEvidence, Found
from fdx.types import Recording

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True, repr=False)
class ZeroShotDiagnosis(Result):
    """The verdict on one recording, which is judged as a whole.

    Attributes:
      file: the file.
      state: normal, a fault, combined, `fault` where its kind is unclear, or None.
      why: why there is no verdict, or between which faults it is; ''.
      named_probabilities: {state: probability}; None where nothing could be judged.
      distance: from the simulated machines, over the limit.
      searched: the evidence; None where nothing could be judged.
      findings: what was noticed about the samples and the speed.
      recording: what was diagnosed, as it was read; for `plot`.
      duration_s: of the part that was judged.
    """

    file: str
    state: str | None
    why: str
    named_probabilities: dict[str, float] | None
    distance: float
    searched: FaultEvidence | None
    findings: Findings
    recording: Recording | None
    duration_s: float

    @property
    def abstained(self) -> str:
        """Why there is no verdict; '' where there is one."""
        return (self.reason or '') if self.state is None else ''

    @property
    def probabilities(self) -> dict[str, float] | None:
        """{state: probability}, also where there is no verdict; None where nothing could be judged."""
        return self.named_probabilities

    @property
    def speed_rpm(self) -> float | None:
        """The speed that was used."""
        return None if self.searched is None else self.searched.speed.speed_rpm

    @functools.cached_property
    def evidence(self) -> dict[str, dict[str, Any]]:
        """Per fault: its order, where its lines were found, and how far they stand out; {} where nothing was judged.

        `z` counts robust standard deviations above the recording's own control orders, `z_apart` the same without lines
        that shaft and mains explain; `harmonics` are nepers over the background, mean over the bands.
        """
        if self.searched is None:
            return {}
        whole, apart = self.searched.z_scores(), self.searched.z_scores(apart=True)
        return {
            name: {
                'order': round(found.order, 4),
                'found_at': round(found.order * (1 + found.deviation), 4),
                'z': round(float(whole[i]), 2),
                'z_apart': round(float(apart[i]), 2),
                'harmonics': _harmonics(found),
            }
            for i, (name, found) in enumerate(zip(FAULTS, self.searched.targets))
        }

    def rows(self) -> list[dict]:
        """One JSON-able row: the recording's."""
        found = self.findings.of_recording()
        reason = found.get('reason') or self.why
        row = {
            'kind': 'recording',
            'file': self.file,
            'windows': 0 if self.searched is None else self.searched.spectra.segments,
            'duration_s': round(self.duration_s, 3),
            'predicted': None if 'reason' in found else self.state,
            'mean_probabilities': self.named_probabilities,
            **self._of_evidence(),
            **found,
        }
        return [{**row, 'reason': reason} if reason else row]

    def _of_evidence(self) -> dict[str, Any]:
        if self.searched is None:
            return {}
        speed = self.searched.speed
        return {
            'speed_rpm': round(speed.speed_rpm, 2),
            'stated_rpm': speed.stated_rpm,
            'unlike_simulated': bool(self.distance > 1),
            'distance': round(self.distance, 3),
            'evidence': self.evidence,
        }

    @property
    def windows(self) -> list[dict]:
        """None: the recording is judged as a whole."""
        return []

    def series(self) -> Series:
        """The levels of the faults at each deviation within the slip, above the controls' median."""
        if self.searched is None:
            return Series(np.zeros(0), 1.0, np.zeros((0, len(FAULTS))), FAULTS, ('', ''))
        profiles = np.stack([found.profile for found in self.searched.targets[: len(FAULTS)]], axis=1)
        starts = np.arange(len(profiles), dtype=float)
        return Series(starts, 1.0, profiles, FAULTS, ('step of the slip', 'level (nepers)'))

    def plot(self) -> Figure:
        """The waveform, and the spectrum of the envelope in orders with the lines of the faults marked."""
        # matplotlib takes longer to load than a diagnosis.
        from fdx.predict.zero_shot_figure import plot_zero_shot  # noqa: PLC0415

        return plot_zero_shot(self)


def _harmonics(found: Found) -> list[float | None]:
    """Mean over bands of each harmonic's excess, None where no band reaches it."""
    known = np.isfinite(found.cells[:, :, 0])
    total = np.where(known, found.cells[:, :, 0], 0.0).sum(axis=0)
    return [round(float(t / n), 2) if n else None for t, n in zip(total, known.sum(axis=0))]
