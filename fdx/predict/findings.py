"""What was found about a recording beside its diagnosis: windows without a vote, wild samples, foreign levels."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.predict.verdicts import NOT_FINITE
from fdx.signal.usable import REASONS, verdict_refusal

SILENT_NETWORK = 'not_finite'
WHY = {**REASONS, SILENT_NETWORK: NOT_FINITE}


@dataclasses.dataclass(frozen=True)
class Findings:
    """What stands beside the verdicts of N windows.

    Attributes:
      faults: N keys of WHY, or '' where a window has a vote.
      wild_samples: how many samples of the recording were replaced.
      notes: sentences for the user.
      outside_windows: for each window, in which ways it is unlike the training data; () where nothing is known.
      outside: the same of the whole recording.
    """

    faults: tuple[str, ...]
    wild_samples: int = 0
    notes: tuple[str, ...] = ()
    outside_windows: tuple[tuple[str, ...], ...] = ()
    outside: tuple[str, ...] = ()

    @classmethod
    def nothing(cls, windows: int) -> Findings:
        """Of windows that all have a vote."""
        return cls(('',) * windows)

    @property
    def live(self) -> np.ndarray:
        """Windows that have a vote, bool [N]."""
        return np.array([not fault for fault in self.faults], bool)

    def refusal(self) -> str | None:
        """Why the recording has no verdict, or None."""
        return verdict_refusal(list(self.faults), WHY)

    def of_window(self, i: int) -> dict:
        """JSON-able entries of one window's row."""
        reason = {'reason': WHY[self.faults[i]]} if self.faults[i] else {}
        outside = self.outside_windows[i] if self.outside_windows else ()
        return {**reason, **({'outside_training': list(outside)} if outside else {})}

    def of_recording(self) -> dict:
        """JSON-able entries of the recording's row; counts only of what there is."""
        unusable = {name: self.faults.count(name) for name in WHY if name in self.faults}
        refusal = self.refusal()
        return {
            **({'unusable_windows': unusable} if unusable else {}),
            **({'wild_samples': self.wild_samples} if self.wild_samples else {}),
            **({'notes': list(self.notes)} if self.notes else {}),
            **({'outside_training': list(self.outside)} if self.outside else {}),
            **({'reason': refusal} if refusal else {}),
        }
