"""What a dataset must know of a collection before it is built: rates, channels, durations, and a hash of it all."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import pathlib
from collections.abc import Callable, Iterable
from typing import Any

from fdx.data.collection.entry import Collection, Entry, Shared
from fdx.data.collection.read import options_of
from fdx.data.raw.files import raw_length
from fdx.types import ConfigError, DataError

# Says how far a long piece of work is: wraps what it goes through.
Progress = Callable[[Iterable[Entry]], Iterable[Entry]]


@dataclasses.dataclass(frozen=True)
class Survey:
    """Facts of a collection's files.

    Attributes:
      rates_hz: rate of every entry, in their order.
      durations_s: length of every entry.
      channels: channels of every recording.
      channel_names: their names where all files agree on them, else ().
      unit: of the samples where all files agree on it, else ''.
      sha256: of everything that decides what the dataset holds: the entries' values and the bytes of their files.
    """

    rates_hz: tuple[float, ...]
    durations_s: tuple[float, ...]
    channels: int
    channel_names: tuple[str, ...]
    unit: str
    sha256: str

    @property
    def common_rate_hz(self) -> float:
        """The lowest rate, to which all recordings are brought (law 3)."""
        return min(self.rates_hz)


@dataclasses.dataclass(frozen=True)
class _Facts:
    rate_hz: float
    duration_s: float
    channels: int
    channel_names: tuple[str, ...]
    unit: str


def survey(collection: Collection, progress: Progress = lambda entries: entries) -> Survey:
    """Reads what the files say about themselves, and hashes them.

    Args:
      collection: the recordings.
      progress: wraps the entries, to show how far it is.

    Raises:
      DataError: a file cannot be read, or does not tell its rate.
      ConfigError: the recordings differ in their number of channels, and no channel is chosen.
    """
    facts = [_facts(entry, collection.shared) for entry in progress(collection.entries)]
    channels = {f.channels for f in facts}
    if len(channels) > 1:
        few, many = (
            next(e for e, f in zip(collection.entries, facts) if f.channels == n) for n in sorted(channels)[:2]
        )
        raise ConfigError(
            f'the recordings have {" and ".join(map(str, sorted(channels)))} channels ({few.recording}, '
            f'{many.recording}): choose the same for all with `channel`'
        )
    names, units = ({getattr(f, field) for f in facts} for field in ('channel_names', 'unit'))
    return Survey(
        rates_hz=tuple(f.rate_hz for f in facts),
        durations_s=tuple(f.duration_s for f in facts),
        channels=channels.pop(),
        channel_names=names.pop() if len(names) == 1 else (),
        unit=units.pop() if len(units) == 1 else '',
        sha256=content_sha256(collection),
    )


def content_sha256(collection: Collection) -> str:
    """SHA-256 of the entries' values and the bytes of all files; the same wherever the folder lies.

    Raises:
      DataError: a file cannot be read.
    """
    whole = hashlib.sha256(json.dumps(dataclasses.asdict(collection.shared), sort_keys=True).encode())
    names = [field.name for field in dataclasses.fields(Entry) if field.name not in ('files', 'place')]
    for entry in collection.entries:
        # What only a built dataset has is left out elsewhere, so that older hashes stay.
        values = {name: getattr(entry, name) for name in names if name != 'variable' or entry.variable}
        if entry.geometry is not None:
            values['geometry'] = dataclasses.asdict(entry.geometry)
        # NaN has no single text in JSON, so unknown numbers are written as null.
        known = {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in values.items()}
        whole.update(json.dumps(known, sort_keys=True).encode())
        for file in () if collection.content else entry.files:
            whole.update(_file_sha256(file))
    for file in collection.content:
        whole.update(_file_sha256(file))
    return whole.hexdigest()


def _file_sha256(file: pathlib.Path) -> bytes:
    try:
        with open(file, 'rb') as stream:
            return hashlib.file_digest(stream, 'sha256').digest()
    except OSError as e:
        raise DataError(f'{file} cannot be read: {e.strerror or e}; check the file and its permissions') from e


def _facts(entry: Entry, shared: Shared) -> _Facts:
    """From the headers of the files, where their format has one; text and .mat files are read."""
    lengths = [raw_length(file, **_whole_file(options_of(entry, file, shared))) for file in entry.files]
    first = lengths[0]
    if first.sample_rate_hz is None:
        raise DataError(f'{entry.place}: {entry.files[0]} does not tell its sampling rate; pass `sample_rate_hz` in Hz')
    seconds = sum(length.num_samples for length in lengths) / first.sample_rate_hz
    stop_s = seconds if entry.stop_s is None else min(entry.stop_s, seconds)
    return _Facts(
        first.sample_rate_hz, stop_s - entry.start_s, first.num_channels, first.channel_names, first.unit
    )  # fmt: skip


def _whole_file(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in ('start_s', 'stop_s')}
