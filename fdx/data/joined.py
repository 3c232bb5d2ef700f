"""Examples of several sources in a row: real records, then generated ones."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.data.pipeline import RecordExamples


@dataclasses.dataclass(frozen=True)
class JoinedExamples:
    """Several parts, with inputs of one shape and the same classes, as one set of examples.

    Attributes:
      parts: the sources, in order.
    """

    parts: tuple[RecordExamples, ...]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def __getitem__(self, i: int) -> dict[str, np.ndarray]:
        i += len(self) if i < 0 else 0
        for part in self.parts:
            if 0 <= i < len(part):
                return part[i]
            i -= len(part)
        raise IndexError(i)

    def labels(self) -> np.ndarray:
        """int32 [N]."""
        return np.concatenate([part.labels() for part in self.parts])
