"""Recordings that are a part of a file: one of its signals or channels, or a stretch of time."""

from __future__ import annotations

import dataclasses
import pathlib

from fdx.data.collection.entry import Entry, Shared
from fdx.data.collection.read import options_of, read_entry, with_entry
from fdx.data.raw.files import raw_length
from fdx.data.raw.piece import piece_of
from fdx.predict.arrivals import Arrival, look_at
from fdx.types import DataError, Recording


def part_of(entry: Entry, shared: Shared) -> str:
    """What tells an entry from others of the same file: 'run03/acc#x@0-60s'; '' for a whole file.

    Args:
      entry: signal, channel and stretch of time.
      shared: what all recordings have in common, which tells none apart.
    """
    stop = '' if entry.stop_s is None else _number(entry.stop_s)
    parts = [
        entry.variable,
        f'#{entry.channel}' if entry.channel not in ('', shared.channel) else '',
        f'@{_number(entry.start_s)}-{stop}s' if entry.start_s or stop else '',
    ]
    return ''.join(parts)


def _number(seconds: float) -> str:
    return f'{seconds:.6f}'.rstrip('0').rstrip('.')


def cut(entry: Entry, shared: Shared, cut_s: float) -> list[Entry]:
    """A file as stretches of `cut_s` seconds; the last one takes what is left over, half to one and a half of that.

    Raises:
      DataError: the file cannot be read, or does not tell its rate.
    """
    file = entry.files[0]
    found = raw_length(file, **options_of(entry, file, shared))
    if found.duration_s is None:
        raise DataError(f'{file} does not tell its sampling rate; learn the baseline with `sample_rate_hz`')
    count = max(1, round(found.duration_s / cut_s))
    if count == 1:
        return [entry]
    ends = [*(i * cut_s for i in range(1, count)), found.duration_s]
    return [dataclasses.replace(entry, start_s=start, stop_s=stop) for start, stop in zip((0.0, *ends), ends)]


class PartReader:
    """Reads entries; a file that cannot be read in pieces (text, old MATLAB) is kept while its stretches are asked."""

    def __init__(self, shared: Shared):
        """Args: what all recordings have in common."""
        self._shared = shared
        self._of: tuple[Arrival | None, str, str] | None = None
        self._whole: Recording | None = None

    def read(self, entry: Entry) -> Recording:
        """The recording of an entry, as `fdx.data.collection.read.read_entry` gives it.

        Raises:
          DataError: the file cannot be read, or does not reach to the stretch.
        """
        if not entry.start_s and entry.stop_s is None:
            return read_entry(entry, self._shared)
        whole = dataclasses.replace(entry, start_s=0.0, stop_s=None)
        file = entry.files[0]
        key = look_at(str(file)), entry.variable, entry.channel
        if key != self._of:
            length = raw_length(file, **options_of(whole, file, self._shared))
            self._of, self._whole = key, None if length.seekable else read_entry(whole, self._shared)
        if self._whole is None:
            return read_entry(entry, self._shared)
        return with_entry(_stretch(file, self._whole, entry), entry)


def _stretch(file: pathlib.Path, whole: Recording, entry: Entry) -> Recording:
    start, stop = piece_of(file, len(whole.samples), whole.sample_rate_hz, entry.start_s or None, entry.stop_s)
    breaks = tuple(b - start for b in whole.time_breaks if start < b < stop)
    return dataclasses.replace(whole, samples=whole.samples[start:stop], time_breaks=breaks)
