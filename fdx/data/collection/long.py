"""Recordings of a collection that are too long for memory: in a long file, or in the many files of a group."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np

from fdx.data.collection.entry import NOTHING_SHARED, Entry, Shared
from fdx.data.collection.read import READERS, check_same, joined, options_of, with_entry
from fdx.data.left_out import warnings_kept_back
from fdx.data.long_recording import LONG_VALUES, LongRecording
from fdx.data.raw.files import RawLength, raw_length, read_raw_file
from fdx.types import DataError, Recording


def long_recording(
    entry: Entry, shared: Shared = NOTHING_SHARED, most_values: int = LONG_VALUES
) -> LongRecording | None:
    """The recording of an entry, to be read in pieces; None if it is short or its format can only be read as a whole.

    Files of a group may be of any format, because each is short beside the whole.

    Args:
      entry: which recording.
      shared: values that all recordings share.
      most_values: numbers (samples times channels) up to which a recording is short.

    Raises:
      DataError: a file cannot be read.
    """
    lengths = [raw_length(file, **_without_piece(entry, file, shared)) for file in entry.files]
    rate = lengths[0].sample_rate_hz
    if rate is None:
        return None  # The reader's error says what is missing.
    first, last = _ends(entry, lengths, rate)
    long = (last - first) * lengths[0].num_channels > most_values
    if not long or (len(entry.files) == 1 and not lengths[0].seekable):
        return None
    check_same(entry, [(str(file), of.sample_rate_hz, of.num_channels) for file, of in zip(entry.files, lengths)])
    ends = np.cumsum([0, *(length.num_samples for length in lengths)])

    def read(start: int, stop: int) -> Recording:
        return _read(entry, shared, ends, rate, (first + start, first + stop))

    head = read(0, 1)
    about = dataclasses.replace(head, samples=head.samples[:0], time_breaks=(), notes=(), source=_source(entry))
    return LongRecording(about, last - first, read)


def _without_piece(entry: Entry, file: pathlib.Path, shared: Shared) -> dict:
    return {k: v for k, v in options_of(entry, file, shared).items() if k not in ('start_s', 'stop_s')}


def _source(entry: Entry) -> str:
    more = f' and {len(entry.files) - 1} more' if len(entry.files) > 1 else ''
    return f'{entry.files[0]}{more}'


def _ends(entry: Entry, lengths: Sequence[RawLength], rate: float) -> tuple[int, int]:
    """(first sample, one behind the last) in the files laid end to end, as `read_raw_file` rounds them."""
    total = sum(length.num_samples for length in lengths)
    last = total if entry.stop_s is None else round(entry.stop_s * rate)
    return round(entry.start_s * rate), min(last, total)


def _read(entry: Entry, shared: Shared, ends: np.ndarray, rate: float, span: tuple[int, int]) -> Recording:
    """The samples of a span, counted from the beginning of the first file; `ends`: where each file begins and ends."""
    parts = []
    for number, file in enumerate(entry.files):
        start, stop = max(span[0], int(ends[number])), min(span[1], int(ends[number + 1]))
        if start >= stop:
            continue
        at = (start - int(ends[number])) / rate, (stop - int(ends[number])) / rate
        options = {**_without_piece(entry, file, shared), 'start_s': at[0], 'stop_s': at[1]}
        with warnings_kept_back(READERS):
            parts.append(read_raw_file(file, **options))
        if len(parts[-1].samples) != stop - start:
            raise DataError(
                f'{file}: {len(parts[-1].samples)} samples could be read where {stop - start} were expected; the file '
                'has changed, or its end is damaged'
            )
    return with_entry(parts[0] if len(parts) == 1 else joined(entry, parts), entry)
