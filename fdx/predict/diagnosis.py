"""What a network says about one recording, window by window."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.predict.findings import Findings
from fdx.predict.result import Result, Series
from fdx.predict.verdicts import probability_row
from fdx.predict.votes import vote
from fdx.train.decision import decide
from fdx.types import Recording


@dataclasses.dataclass(frozen=True, repr=False)
class Diagnosis(Result):
    """What a network says about one recording.

    Attributes:
      file: the file.
      window_starts_s: float [N], where each window begins.
      window_s: length of a window.
      window_probabilities: float32 [N, K]; NaN for windows that have no vote.
      class_names: K names.
      threshold: of two classes, the probability of the second from which on it is called; None: the more probable wins.
      findings: which windows have a vote, and what else was found; None: all have one.
      recording: what was diagnosed, as it was read; for `plot`.
    """

    file: str
    window_starts_s: np.ndarray
    window_s: float
    window_probabilities: np.ndarray
    class_names: list[str]
    threshold: float | None = None
    findings: Findings | None = None
    recording: Recording | None = None

    def rows(self) -> list[dict]:
        """JSON-able rows: one per window, then one for the recording."""
        names, findings = self.class_names, self.findings or Findings.nothing(len(self.window_probabilities))
        live = findings.live
        called = np.full(len(live), -1)
        called[live] = decide(self.window_probabilities[live], self.threshold)
        rows = [
            {
                'kind': 'window',
                'file': self.file,
                'start_s': round(float(start), 6),
                'duration_s': self.window_s,
                'predicted': names[called[i]] if live[i] else None,
                'probabilities': probability_row(names, self.window_probabilities[i]),
                **findings.of_window(i),
            }
            for i, start in enumerate(self.window_starts_s)
        ]
        summary = {'kind': 'recording', 'file': self.file, 'windows': len(rows)}
        return [*rows, {**summary, **self._verdict(live), **findings.of_recording()}]

    def series(self) -> Series:
        """The probabilities of the windows."""
        values = np.where((self.findings or Findings.nothing(len(self.window_starts_s))).live[:, None],
                          self.window_probabilities, np.nan)  # fmt: skip
        axes = ('time (s)', 'probability')
        return Series(self.window_starts_s, self.window_s, values, tuple(self.class_names), axes, self.threshold)

    def _verdict(self, live: np.ndarray) -> dict:
        """The recording's verdict by the windows that have a vote; every entry is None where these are too few."""
        keys = ('predicted', 'predicted_mean', 'predicted_vote', 'agreement', 'mean_probabilities')
        if not live.any() or (self.findings and self.findings.refusal()):
            return dict.fromkeys(keys)
        names = self.class_names
        mean, by_mean, by_vote, agreement = vote(self.window_probabilities[live], self.threshold)
        stated = (names[by_mean], names[by_mean], names[by_vote], float(agreement), probability_row(names, mean))
        return dict(zip(keys, stated))
