"""What is noticed in the pieces of a long recording, told as if it had been read as a whole."""

from __future__ import annotations

import numpy as np

from fdx.signal.checks import clipping_note, count_held_at
from fdx.signal.usable import wild_note
from fdx.types import DataError, Recording


class SeenInPieces:
    """Wild samples, samples held at the extreme values, and notes of the reader."""

    def __init__(self, channels: int):
        """Nothing was seen yet."""
        self.wild_samples = 0
        self._samples = 0
        self._first_wild: int | None = None
        self._notes: dict[str, None] = {}
        # Per channel, for the largest and the smallest value so far: how many samples are held at it.
        self._held: list[dict[bool, tuple[float, int]]] = [{} for _ in range(channels)]

    def add(self, piece: Recording, wild: np.ndarray, first: int, own: slice) -> None:
        """Adds a piece that begins at sample `first`; of the samples [n, C] as read, those of `own` count."""
        self._notes.update(dict.fromkeys(piece.notes))
        at = np.flatnonzero(wild[own])
        self.wild_samples += len(at)
        self._samples += own.stop - own.start
        if len(at) and self._first_wild is None:
            self._first_wild = first + own.start + int(at[0])
        for channel, held in enumerate(self._held):
            x = piece.samples[own, channel]
            for is_max, extreme in ((True, x.max()), (False, x.min())):
                value, count = held.get(is_max, (extreme, 0))
                if extreme != value and (extreme > value) == is_max:
                    value, count = extreme, 0
                if extreme == value:
                    held[is_max] = value, count + count_held_at(x, extreme)

    def check(self, source: str) -> None:
        """Raises DataError where a channel is constant in everything that was read."""
        for channel, held in enumerate(self._held):
            if held and held[True][0] == held[False][0]:
                raise DataError(
                    f'{source}: channel {channel} is constant ({held[True][0]:g}); the sensor was not connected, or '
                    'the wrong channel was chosen'
                )

    def notes(self, rate_hz: float) -> list[str]:
        """The notes of the reader, on clipping and on wild samples."""
        clipped = [sum(count for _, count in held.values()) for held in self._held]
        found = [*self._notes, *(clipping_note(c, n, self._samples) for c, n in enumerate(clipped) if n)]
        if self._first_wild is not None:
            found.append(wild_note(self.wild_samples, self._first_wild / rate_hz))
        return found
