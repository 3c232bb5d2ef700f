"""Recordings too long for memory (a day at 51.2 kHz): read, checked, resampled and cut in pieces.

The blocks and windows are those of the whole recording. Pieces begin where the samples of both rates coincide and
overlap by more than the filter's reach, so their samples are those of the recording resampled as a whole.

What is judged by comparison is compared within a piece of some 40 s at 51.2 kHz instead of the whole recording: a
stretch is dead if it is silent beside the loudest part of its piece, and a sample is wild if it stands out of its
piece. A machine that stands still for an hour is therefore not taken for a dead sensor, unless its sensor repeats one
value. Clipping is counted at the extreme values of all pieces. Pieces in which no window begins are not read: their
NaN and their clipped samples are not noticed.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from fdx.data.blocks import cut_windows
from fdx.data.left_out import LeftOut
from fdx.data.piece_notes import SeenInPieces
from fdx.data.prepared import Prepared, RecordSpec
from fdx.data.records import records_of_windows
from fdx.signal.checks import check_rate
from fdx.signal.dead import dead_samples, dead_unit
from fdx.signal.resample import (
    filter_reach_s,
    piece_grid,
    piece_to_common_band,
    rational_ratio,
    resampled_length,
    samples_of_static_part,
)
from fdx.signal.static_part import StaticPart, static_part
from fdx.signal.usable import Usability
from fdx.signal.wild import NEIGHBOURS, replace_wild_samples
from fdx.types import DataError, Recording

# Numbers (samples times channels) beyond which a recording is prepared in pieces, and those of a piece.
LONG_VALUES = 2**23
PIECE_VALUES = 2**21


@dataclasses.dataclass(frozen=True)
class LongRecording:
    """A recording that is read in pieces.

    Attributes:
      about: the recording with no samples [0, C]: its rate, names and conditions.
      num_samples: of every channel.
      read: (first sample, one behind the last) -> that piece, whose `time_breaks` count from its beginning.
    """

    about: Recording
    num_samples: int
    read: Callable[[int, int], Recording]

    @property
    def recording(self) -> str:
        """Its id."""
        return self.about.recording

    @property
    def source(self) -> str:
        """Where it came from, for messages."""
        return self.about.source

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.num_samples / self.about.sample_rate_hz


def make_long_records(
    long: LongRecording,
    spec: RecordSpec,
    blocks: Sequence[int],
    left_out: LeftOut | None = None,
    piece_values: int = PIECE_VALUES,
) -> Iterator[tuple[str, dict]]:
    """The records of a long recording, as `fdx.data.records.make_records` makes them; memory holds one piece.

    Args:
      long: the recording.
      spec: the dataset's settings.
      blocks: numbers of the wanted blocks.
      left_out: counts the windows that were not written because they cannot be used.
      piece_values: samples times channels of a piece.

    Raises:
      DataError: as for `make_records`, with positions in the whole recording.
      ConfigError: its rate is below the common one.
    """
    left_out = LeftOut() if left_out is None else left_out
    pieces = _Pieces(long, spec, piece_values)
    starts, in_block = cut_windows(pieces.num_samples_out, spec.windowing, long.recording)
    wanted = np.isin(in_block, blocks)
    starts, in_block = starts[wanted], in_block[wanted]
    owner = starts // pieces.length_out
    faults: list[str] = []
    for number in np.unique(owner):
        here = owner == number
        prepared, first = pieces.prepared(int(number), int(starts[here][-1]) + spec.windowing.window_length)
        found = prepared.faults(starts[here] - first)
        faults += found
        yield from records_of_windows(prepared, starts[here], in_block[here], found, first)
    pieces.seen.check(long.source)
    left_out.count(long.recording, pieces.seen.wild_samples, faults)
    left_out.note(long.recording, pieces.seen.notes(long.about.sample_rate_hz))


class _Pieces:
    """Reads pieces of a recording and brings them to the dataset's rate and band.

    Piece k owns the samples [k length_out, (k + 1) length_out) at the common rate, and k length_in and so on before.
    """

    def __init__(self, long: LongRecording, spec: RecordSpec, piece_values: int):
        self._long, self._spec = long, spec
        self._rate = rate = check_rate(long.about.sample_rate_hz, long.source)
        self._up, self._down = rational_ratio(rate, spec.common_rate_hz)
        self._grid = piece_grid(rate, spec.common_rate_hz)
        self._reach_s = filter_reach_s(rate, spec.common_rate_hz)
        # Wide enough for the filter at the ends of a window, for the faults that it spreads from beyond them, and for
        # what is looked at on both sides of a sample that may be wild or dead.
        self._margin = 2 * math.ceil(self._reach_s * rate) + 2 * dead_unit(rate) + 4 * NEIGHBOURS
        shortest = math.ceil(spec.windowing.window_length * rate / spec.common_rate_hz)
        if long.num_samples < shortest:
            raise DataError(f'{long.source}: {long.num_samples} samples are fewer than the {shortest} of one window')
        length = max(piece_values // spec.channels, shortest, 4 * self._margin)
        units = -(-length // self._down)
        self._length_in, self.length_out = units * self._down, units * self._up
        self.num_samples_out = resampled_length(long.num_samples, rate, spec.common_rate_hz)
        self.seen = SeenInPieces(spec.channels)
        self._static = self._static_part(length)

    def prepared(self, number: int, stop_out: int) -> tuple[Prepared, int]:
        """(piece `number`, up to `stop_out` at least; its first sample), at the common rate."""
        total, common = self._long.num_samples, self._spec.common_rate_hz
        begin, end = number * self._length_in, min((number + 1) * self._length_in, total)
        first = max(0, begin - self._margin) // self._grid * self._grid
        stop = min(total, max(end, math.ceil(stop_out * self._down / self._up)) + self._margin)
        # Levels are judged in units that are counted from the beginning of the recording, as for a whole one.
        before = first % dead_unit(self._rate)
        piece = self._read(first - before, stop)
        repaired = replace_wild_samples(piece.samples)
        dead = dead_samples(repaired.samples, self._rate)
        own = slice(begin - first + before, end - first + before)
        self.seen.add(piece, repaired.wild, first - before, own)
        breaks = np.asarray([b - before for b in piece.time_breaks if b > before], np.int64)
        usability = Usability(self._rate, dead[before:], repaired.wild[before:], breaks)
        samples = piece_to_common_band(repaired.samples[before:], first, self._static, self._rate, common)
        about = dataclasses.replace(self._long.about, samples=samples, sample_rate_hz=common)
        return Prepared(about, usability, self._reach_s, self._spec), first // self._down * self._up

    def _static_part(self, length: int) -> StaticPart:
        total = self._long.num_samples
        count = min(total, samples_of_static_part(self._rate, self._spec.common_rate_hz))
        length = min(total, max(length, count))
        head = replace_wild_samples(self._read(0, length).samples).samples[:count]
        tail = replace_wild_samples(self._read(total - length, total).samples).samples[length - count :]
        return static_part(head, tail, total)

    def _read(self, start: int, stop: int) -> Recording:
        piece, source = self._long.read(start, stop), self._long.source
        samples = np.asarray(piece.samples, np.float32)
        if samples.shape != (stop - start, self._spec.channels):
            raise DataError(
                f'{source}: {samples.shape[0]} samples of {samples.shape[1]} channels were read where {stop - start} '
                f'of {self._spec.channels} were expected from sample {start} on; has the file changed?'
            )
        bad = ~np.isfinite(samples)
        if bad.any():
            row, channel = np.argwhere(bad)[0]
            raise DataError(
                f'{source}: channel {channel} has NaN or infinite samples, the first at sample {start + row}; cut them '
                'out or repair the recording'
            )
        return dataclasses.replace(piece, samples=samples)
