"""What is reported beside the verdict on a recording: windows without a vote, wild samples, unusual levels."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.predict.likeness import UNLIKE, UNLIKE_WORDS, Likeness
from fdx.predict.verdicts import NOT_FINITE
from fdx.signal.usable import REASONS, verdict_refusal

SILENT_NETWORK = 'not_finite'
WHY = {**REASONS, SILENT_NETWORK: NOT_FINITE, UNLIKE: UNLIKE_WORDS}


@dataclasses.dataclass(frozen=True)
class Findings:
    """What is reported beside the verdicts on N windows.

    Attributes:
      faults: N keys of WHY, or '' for a window that has a vote.
      wild_samples: how many samples of the recording were replaced.
      notes: sentences for the user.
      outside_windows: for each window, how it differs from the training data; () if the training data are unknown.
      outside: the same for the whole recording.
      likeness: how far the windows are from those of the run; None where nobody asks, as with fault orders.
    """

    faults: tuple[str, ...]
    wild_samples: int = 0
    notes: tuple[str, ...] = ()
    outside_windows: tuple[tuple[str, ...], ...] = ()
    outside: tuple[str, ...] = ()
    likeness: Likeness | None = None

    @classmethod
    def nothing(cls, windows: int) -> Findings:
        """The findings if every window has a vote."""
        return cls(('',) * windows)

    @property
    def live(self) -> np.ndarray:
        """Windows that have a vote, bool [N]."""
        return np.array([not fault for fault in self.faults], bool)

    def refusal(self) -> str | None:
        """Why the recording has no verdict, or None."""
        refusal = verdict_refusal(list(self.faults), WHY)
        unlike = self.likeness.refusal() if refusal and self.likeness else None
        return unlike or refusal

    def of_window(self, i: int) -> dict:
        """JSON-able entries of one window's row."""
        reason = {'reason': WHY[self.faults[i]]} if self.faults[i] else {}
        outside = self.outside_windows[i] if self.outside_windows else ()
        likeness = self.likeness.of_window(i) if self.likeness else {}
        return {**likeness, **reason, **({'outside_training': list(outside)} if outside else {})}

    def of_recording(self) -> dict:
        """JSON-able entries of the recording's row; a count that is 0 is left out."""
        unusable = {name: self.faults.count(name) for name in WHY if name in self.faults}
        refusal = self.refusal()
        outside = [*self.outside, *(self.likeness.warnings() if self.likeness else ())]
        return {
            **(self.likeness.of_recording() if self.likeness else {}),
            **({'unusable_windows': unusable} if unusable else {}),
            **({'wild_samples': self.wild_samples} if self.wild_samples else {}),
            **({'notes': list(self.notes)} if self.notes else {}),
            **({'outside_training': outside} if outside else {}),
            **({'reason': refusal} if refusal else {}),
        }
