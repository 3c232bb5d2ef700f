"""Recordings in HDF5 files: plain ones, and MATLAB 7.3 files, which are HDF5 with MATLAB's own layout."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import re
from collections.abc import Callable, Iterator

import numpy as np

from fdx.data.raw.channels import Channel, Track, of_tracks
from fdx.data.raw.hdf5_array import opened, stored_array
from fdx.data.raw.hdf5_facts import facts_of, names_of, rate_of_times, unit_of
from fdx.data.raw.hdf5_matlab import read_matlab_content
from fdx.data.raw.hdf5_values import Content, read_content
from fdx.data.raw.mat_choice import signal_name
from fdx.data.raw.mat_facts import MatFacts
from fdx.data.raw.mat_values import MatArray, MatDamageError
from fdx.data.raw.signal import NO_SAMPLES, RawSignal, StoredSignal
from fdx.data.raw.time import is_time_name
from fdx.types import DataError

# What pandas writes beside its values: the labels of rows and columns.
_LABELS = re.compile(r'(?:.*/)?(?:axis\d+|block\d+_items|index)')


def open_hdf5(
    file: pathlib.Path, variable: str | None, channel: Channel | None, *, need_rate: bool
) -> tuple[StoredSignal, bool]:
    """Opens an HDF5 file that is not MATLAB's.

    The signal is the data set `variable` by its path ('run_1/acc'), else the only one that looks like a signal (see
    fdx.data.raw.mat.open_mat), labels of tables and times left aside. A group or a table as `variable` means its
    vectors as channels. Attributes of the data set and of the groups around it, and scalars beside it, give the
    sampling rate (fs, sample_rate, dt, ...), else a data set of times beside it; the unit is its attribute unit or
    units, and names of the channels are its attribute channel_names, columns or alike. Links to other files are not
    followed.

    Args:
      file: the file.
      variable: path of a data set or group, or None.
      channel: the wanted channels.
      need_rate: whether the file alone must tell the sampling rate.

    Returns:
      (the signal, whether the channels have been chosen).

    Raises:
      DataError: the file is damaged, or does not settle which data set is the signal.
    """
    with opened(file) as stream, _damage(file):
        content = read_content(stream, file)
    arrays = {n: v.values for n, v in content.values.items() if isinstance(v, MatArray)}
    wanted = None if variable is None else variable.strip('/')
    members = _members(arrays, wanted)
    if wanted is not None and members:
        return _group(file, content, wanted, members, channel, need_rate=need_rate), True
    candidates = {n: a for n, a in arrays.items() if n == wanted or not _is_label(n)}
    if wanted is None and candidates and all(is_time_name(n.rpartition('/')[2]) for n in candidates):
        candidates = arrays
    name = signal_name(file, candidates if wanted is None else arrays, wanted)
    facts = facts_of(file, content, name, need_rate=need_rate)
    rate_hz, origin = facts.rate_hz, facts.rate_origin
    if rate_hz is None:
        rate_hz, origin = rate_of_times(file, content, name, max(arrays[name].shape), need_rate=need_rate)
    stored = stored_array(file, name, arrays[name], content.places[name])
    raw = RawSignal(
        NO_SAMPLES,
        channel_names=names_of(content, name, stored.num_channels),
        file_rate_hz=rate_hz,
        rate_origin=origin,
        speed_rpm=facts.speed_rpm,
        load=facts.load,
        unit=unit_of(content, name) or ('counts' if arrays[name].dtype.kind in 'iu' else ''),
        notes=(*content.notes, *facts.notes),
    )
    return dataclasses.replace(stored, facts=raw), False


def read_mat73(file: pathlib.Path) -> Content:
    """The content of a MATLAB 7.3 file.

    Raises:
      DataError: the file is damaged.
    """
    with opened(file) as stream, _damage(file):
        return read_matlab_content(stream, file)


@contextlib.contextmanager
def _damage(file: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except (MatDamageError, OSError, RuntimeError, KeyError, ValueError, TypeError) as e:
        reason = ' '.join(str(e).split())[:200]
        raise DataError(
            f'{file} cannot be read as an HDF5 file: {reason}; it is damaged: copy or export it again'
        ) from e


def _is_label(name: str) -> bool:
    last = name.rpartition('/')[2]
    return _LABELS.fullmatch(name) is not None or is_time_name(last)


def _members(arrays: dict[str, np.ndarray], group: str | None) -> list[str]:
    """The vectors right in a group or table."""
    if group is None or group in arrays:
        return []
    return [n for n, a in arrays.items() if n.rpartition('/')[0] == group and a.ndim == 1 and a.size > 1]


def _group(
    file: pathlib.Path,
    content: Content,
    group: str,
    members: list[str],
    channel: Channel | None,
    *,
    need_rate: bool,
) -> StoredSignal:
    tracks, facts = [], MatFacts()
    members = [n for n in members if _LABELS.fullmatch(n) is None] or members
    for name in members:
        value = content.values[name]
        if not isinstance(value, MatArray) or value.values.dtype.kind not in 'iuf':
            continue
        facts = facts_of(file, content, name, need_rate=need_rate)
        rate_hz = facts.rate_hz
        if rate_hz is None:
            rate_hz, _ = rate_of_times(file, content, name, value.values.size, need_rate=need_rate)
        stored = stored_array(file, name, value.values, content.places[name])
        last = name.rpartition('/')[2]
        tracks.append(
            Track(last, stored.num_samples, rate_hz, unit_of(content, name), _vector(stored), (name,), value.is_integer)
        )
    stored = of_tracks(file, tracks, channel, rate_origin=f'group {group}', notes=[*content.notes, *facts.notes])
    return dataclasses.replace(
        stored, facts=dataclasses.replace(stored.facts, speed_rpm=facts.speed_rpm, load=facts.load)
    )


def _vector(stored: StoredSignal) -> Callable[[int, int], np.ndarray]:
    return lambda start, stop: stored.read(start, stop, (0,))[:, 0]
