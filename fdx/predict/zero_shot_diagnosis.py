"""What the fault orders of a bearing say about one recording, as z-scores against white noise."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from fdx.predict.findings import Findings
from fdx.predict.result import Result, Series
from fdx.predict.zero_shot_evidence import DOUBTS
from fdx.types import Recording

NORMAL = 'normal'
SURROGATES = 64
# One-sided: were it white noise, a healthy window would be called faulty once in some ten thousand windows and kinds of
# faults. Machines are not: gears and other bearings leave lines, too, so that is a bound and not a promise.
THRESHOLD = 4.0


@dataclasses.dataclass(frozen=True, repr=False)
class ZeroShotDiagnosis(Result):
    """What the fault orders say about one recording.

    Attributes:
      file: the file.
      faults: names of the fault kinds.
      window_starts_s: float [N], where each window begins.
      window_s: length of a window.
      z_scores: float [N, faults], deviations above white noise in its standard deviations; NaN for windows that
        cannot be used.
      speed_rpm: the speed that was used.
      findings: which windows have a vote, and what else was found; None: all windows have a vote.
      partial_z_scores: float [N, 2, faults], z-scores of the evidence without its strongest harmonic, and without the
        shaft's multiples (fdx.predict.zero_shot_evidence). Infinite where the sampling rate is too low to tell; None:
        no verdict is doubted.
      recording: what was diagnosed, as it was read; for `plot`.
    """

    file: str
    faults: tuple[str, ...]
    window_starts_s: np.ndarray
    window_s: float
    z_scores: np.ndarray
    speed_rpm: float
    findings: Findings | None = None
    partial_z_scores: np.ndarray | None = None
    recording: Recording | None = None

    def verdict(self, z: np.ndarray) -> str | None:
        """The fault with the largest z-score [faults] if it reaches THRESHOLD, else normal; None for NaN."""
        if not np.isfinite(z).all():
            return None
        return self.faults[int(z.argmax())] if z.max() >= THRESHOLD else NORMAL

    def pooled(self) -> np.ndarray:
        """z-scores [faults] of the whole recording: the windows' mean over its standard deviation in white noise.

        Only windows with a vote count; if there are none, all z-scores are NaN.

        The mean of n windows that share no sample has variance 1 / n; overlapping windows count by the time they span.
        The mean of the surrogates is subtracted from every window and has the variance 1 / SURROGATES itself, so even
        a long recording cannot be more certain than that.
        """
        return self._pooled(self.z_scores)

    def _pooled(self, z_scores: np.ndarray) -> np.ndarray:
        live = np.isfinite(self.z_scores).all(axis=1)
        if not live.any():
            return np.full(len(self.faults), np.nan)
        z, starts_s = z_scores[live], self.window_starts_s[live]
        independent = min(len(z), 1 + (starts_s[-1] - starts_s[0]) / self.window_s)
        return z.mean(axis=0) / math.sqrt(1 / independent + 1 / SURROGATES)

    def doubt(self) -> tuple[str, str] | None:
        """(the fault that stands out, why it is doubted); None if no fault stands out, or if the evidence suffices."""
        pooled = self.pooled()
        fault = self.verdict(pooled)
        if self.partial_z_scores is None or fault in (None, NORMAL):
            return None
        i = self.faults.index(fault)
        for k, why in enumerate(DOUBTS):
            z = self._pooled(self.partial_z_scores[:, k])[i]
            if z < THRESHOLD:
                return fault, f'{fault} stands out (z {pooled[i]:.1f}), but {why} (z {z:.1f} without)'
        return None

    def rows(self) -> list[dict]:
        """JSON-able rows: one per window, then one for the recording."""
        findings = self.findings or Findings.nothing(len(self.z_scores))
        rows = [
            {
                'kind': 'window',
                'file': self.file,
                'start_s': round(float(start), 6),
                'duration_s': self.window_s,
                'predicted': self.verdict(z),
                'z_scores': self._named(z),
                **findings.of_window(i),
            }
            for i, (start, z) in enumerate(zip(self.window_starts_s, self.z_scores))
        ]
        pooled, found, doubt = self.pooled(), findings.of_recording(), self.doubt()
        if doubt is not None and 'reason' not in found:
            found = {**found, 'reason': doubt[1]}
            for row in rows:
                if row['predicted'] == doubt[0]:
                    row.update(predicted=None, reason=doubt[1])
        votes = [row['predicted'] for row in rows if row['predicted'] is not None]
        predicted = None if 'reason' in found else self.verdict(pooled)
        summary = {
            'kind': 'recording',
            'file': self.file,
            'windows': len(rows),
            'speed_rpm': self.speed_rpm,
            'predicted': predicted,
            'agreement': None if predicted is None else votes.count(predicted) / len(votes),
            'z_scores': self._named(pooled),
            **found,
        }
        return [*rows, summary]

    def series(self) -> Series:
        """The z-scores of the windows, which are not probabilities."""
        axes = ('time (s)', 'deviations above white noise')
        return Series(self.window_starts_s, self.window_s, self.z_scores, self.faults, axes, THRESHOLD)

    def _named(self, z: np.ndarray) -> dict[str, float] | None:
        """{fault: z-score} for JSON; None for a window that cannot be used."""
        if not np.isfinite(z).all():
            return None
        return {name: round(float(v), 3) for name, v in zip(self.faults, z)}
