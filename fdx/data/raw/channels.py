"""Which channels of a file are wanted, and channels that lie in a file each on its own."""

from __future__ import annotations

import dataclasses
import logging
import math
import pathlib
from collections.abc import Callable, Sequence

import numpy as np

from fdx.data.raw.signal import NO_SAMPLES, RawSignal, StoredSignal
from fdx.data.raw.time import is_time_name, is_weak_time_name
from fdx.types import DataError

_SHOWN = 20
Channel = int | str | Sequence[int | str]
_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Track:
    """One channel that a file stores by itself, with a length, a rate and a unit of its own.

    Attributes:
      name: its name; those of all tracks of a file differ, or are all ''.
      num_samples: T.
      rate_hz: its sampling rate, None where the file does not tell it.
      unit: its unit, '' where the file does not tell it.
      read: (first sample, one behind the last) -> real numbers [n].
      aliases: longer names that choose it, too.
      is_integer: whether its numbers are counts of a converter.
    """

    name: str
    num_samples: int
    rate_hz: float | None
    unit: str
    read: Callable[[int, int], np.ndarray]
    aliases: tuple[str, ...] = ()
    is_integer: bool = False


def channel_indices(
    file: pathlib.Path,
    names: Sequence[str],
    count: int,
    channel: Channel,
    aliases: Sequence[Sequence[str]] = (),
) -> list[int]:
    """The indices of the wanted channels.

    Args:
      file: for messages.
      names: of all channels, or () where they have none.
      count: of all channels.
      channel: an index from 0, a name, or several, as a list or separated by commas.
      aliases: for each channel other names that choose it.

    Raises:
      DataError: there is no such channel, or one is named twice.
    """
    known = {*names, *(alias for more in aliases for alias in more)}
    if isinstance(channel, str) and channel not in known:
        wanted: list[int | str] = [part.strip() for part in channel.split(',')]
    else:
        wanted = [channel] if isinstance(channel, (int, str)) else list(channel)
    indices = [_index(file, names, count, c, aliases) for c in wanted]
    if not indices or len(set(indices)) < len(indices):
        raise DataError(f'{file}: `channel` {channel!r} must name channels, each once')
    return indices


def _index(
    file: pathlib.Path, names: Sequence[str], count: int, channel: int | str, aliases: Sequence[Sequence[str]]
) -> int:
    if isinstance(channel, str) and channel in names:
        if list(names).count(channel) > 1:
            raise DataError(f'{file} has several channels {channel!r}; pass `channel` with an index')
        return list(names).index(channel)
    found = [i for i, more in enumerate(aliases) if channel in more]
    if len(found) == 1:
        return found[0]
    # A command line gives digits as text.
    index = int(channel) if isinstance(channel, int) or channel.isdecimal() else -1
    if not 0 <= index < count:
        more = f', ... ({len(names)} in all)' if len(names) > _SHOWN else ''
        shown = f' or one of: {", ".join(names[:_SHOWN])}{more}' if names else ''
        raise DataError(f'{file} has no channel {channel!r}; pass `channel` with 0 to {count - 1}{shown}')
    return index


def of_tracks(
    file: pathlib.Path,
    tracks: Sequence[Track],
    channel: Channel | None,
    *,
    rate_origin: str,
    notes: Sequence[str] = (),
) -> StoredSignal:
    """The wanted tracks side by side, or all that are no times.

    Args:
      file: for messages.
      tracks: all that hold numbers.
      channel: see `channel_indices`; None takes all of them.
      rate_origin: where the rates stand in the file.
      notes: what is known about the file so far.

    Raises:
      DataError: there is no track, or the wanted ones have different rates or lengths: it names them.
    """
    if not tracks:
        raise DataError(f'{file} holds no channel of numbers; export the samples too')
    notes = list(notes)
    names = tuple(t.name for t in tracks)
    if channel is None:
        timed = [is_time_name(name) and not is_weak_time_name(name) for name in names]
        indices = [i for i, is_time in enumerate(timed) if not is_time] or list(range(len(tracks)))
        if len(indices) < len(tracks):
            left = ', '.join(name for name, is_time in zip(names, timed) if is_time)
            notes.append(f'channel {left} holds times by its name and was left out')
    else:
        indices = channel_indices(file, names, len(tracks), channel, [t.aliases for t in tracks])
    chosen = [tracks[i] for i in indices]
    _check_alike(file, chosen)
    units = {t.unit for t in chosen}
    if len(units) > 1:
        notes.append(f'its channels have different units: {_shown(chosen, lambda t: t.unit or "none")}')
    unit = units.pop() if len(units) == 1 else ''
    if not unit and all(t.is_integer for t in chosen):
        unit = 'counts'

    def read(start: int, stop: int, channels: Sequence[int]) -> np.ndarray:
        return np.stack([np.asarray(chosen[i].read(start, stop)) for i in channels], axis=1)

    facts = RawSignal(
        NO_SAMPLES,
        channel_names=tuple(t.name for t in chosen) if any(names) else (),
        file_rate_hz=chosen[0].rate_hz,
        rate_origin=rate_origin,
        unit=unit,
        notes=tuple(notes),
    )
    return StoredSignal(facts, chosen[0].num_samples, len(chosen), read)


def _check_alike(file: pathlib.Path, tracks: Sequence[Track]) -> None:
    first = tracks[0]
    if any(t.num_samples == 0 for t in tracks):
        empty = ', '.join(t.name or str(i) for i, t in enumerate(tracks) if t.num_samples == 0)
        raise DataError(f'{file}: channel {empty} holds no samples; choose others with `channel`')
    if not all(_same_rate(first.rate_hz, t.rate_hz) for t in tracks):
        shown = _shown(tracks, lambda t: 'no rate' if t.rate_hz is None else f'{t.rate_hz:g} Hz')
        raise DataError(f'{file} has channels of different sampling rates ({shown}); choose with `channel`')
    if any(t.num_samples != first.num_samples for t in tracks):
        shown = _shown(tracks, lambda t: f'{t.num_samples} samples')
        raise DataError(f'{file} has channels of different lengths ({shown}); choose with `channel`')


def _same_rate(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return math.isclose(a, b, rel_tol=1e-6)


def _shown(tracks: Sequence[Track], fact: Callable[[Track], str]) -> str:
    more = f', ... ({len(tracks)} in all)' if len(tracks) > _SHOWN else ''
    return ', '.join(f'{t.name or i}: {fact(t)}' for i, t in enumerate(tracks[:_SHOWN])) + more
