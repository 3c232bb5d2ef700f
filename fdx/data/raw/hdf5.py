"""Recordings in HDF5 files: plain ones, and MATLAB 7.3 files, which are HDF5 with MATLAB's own layout."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import re
from collections.abc import Iterator, Sequence

import h5py
import numpy as np

from fdx.data.raw.channels import Channel, Track, of_tracks
from fdx.data.raw.clock import read_clock
from fdx.data.raw.hdf5_values import Content, Place, read_content, read_matlab_content
from fdx.data.raw.mat_choice import signal_name
from fdx.data.raw.mat_facts import MatFacts, facts_beside
from fdx.data.raw.mat_values import MatArray, MatDamageError
from fdx.data.raw.signal import NO_SAMPLES, RawSignal, StoredSignal, time_by_channel
from fdx.data.raw.time import TimeColumn, is_time_name, unit_in_name
from fdx.types import DataError

MAGIC = b'\x89HDF\r\n\x1a\n'
# See fdx.data.raw.mat_values: compressed silence is allowed, a few bytes that claim gigabytes are not.
FREE_BYTES = 512 * 2**20
BYTES_PER_BYTE = 64
_CLOCK_ROWS = 2**20
_UNITS = ('unit', 'units', 'unit_string', 'y_unit', 'ni_unitdescription')
_NAMES = ('channel_names', 'channels', 'columns', 'column_names', 'names', 'labels')
# What pandas writes beside its values: the labels of rows and columns.
_LABELS = re.compile(r'(?:.*/)?(?:axis\d+|block\d+_items|index)')


def is_hdf5(file: pathlib.Path) -> bool:
    """Whether a file is HDF5, possibly behind the 512 bytes of MATLAB's header."""
    with file.open('rb') as stream:
        head = stream.read(520)
    return head.startswith((MAGIC, b'MATLAB 7.3')) or head[512:] == MAGIC


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
    with _opened(file) as stream, _damage(file):
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
    facts = _facts(file, content, name, need_rate=need_rate)
    attributes = content.attributes.get(name, {})
    rate_hz, origin = facts.rate_hz, facts.rate_origin
    if rate_hz is None:
        rate_hz, origin = _clock(file, content, name, max(arrays[name].shape), need_rate=need_rate)
    stored = stored_array(file, name, arrays[name], content.places[name])
    names = next((_names(v, stored.num_channels) for k, v in attributes.items() if k.lower() in _NAMES), ())
    raw = RawSignal(
        NO_SAMPLES,
        channel_names=names,
        file_rate_hz=rate_hz,
        rate_origin=origin,
        speed_rpm=facts.speed_rpm,
        load=facts.load,
        unit=_unit(content, name) or ('counts' if arrays[name].dtype.kind in 'iu' else ''),
        notes=(*content.notes, *facts.notes),
    )
    return dataclasses.replace(stored, facts=raw), False


def read_mat73(file: pathlib.Path) -> Content:
    """The content of a MATLAB 7.3 file.

    Raises:
      DataError: the file is damaged.
    """
    with _opened(file) as stream, _damage(file):
        return read_matlab_content(stream, file)


def stored_array(file: pathlib.Path, name: str, array: np.ndarray, place: Place) -> StoredSignal:
    """A data set as a signal, read where it lies; its facts are still empty.

    Args:
      file: the file.
      name: for messages.
      array: of the data set's shape and type.
      place: where it lies.

    Raises:
      DataError: its shape or type is none of a signal, or its samples were never written.
    """
    num_samples, num_channels = time_by_channel(array, file, f'variable {name}').shape
    along = 1 if array.ndim == 2 and array.shape[1] > array.shape[0] else 0
    axis = array.ndim - 1 - along if place.reverse else along
    most = FREE_BYTES + BYTES_PER_BYTE * file.stat().st_size
    with _opened(file) as stream:
        if stream[place.path].id.get_storage_size() == 0:
            raise DataError(f'{file}: {name} claims {num_samples} samples, but none was ever written; record it again')

    def read(start: int, stop: int, channels: Sequence[int]) -> np.ndarray:
        needed = (stop - start) * num_channels * array.dtype.itemsize
        if needed > most:
            raise DataError(
                f'{file}: {name} unpacks to {needed / 2**20:.0f} MiB from few bytes, which is hardly a recording; read '
                'it in pieces (`start_s`, `stop_s`) if that is right'
            )
        with _opened(file) as stream:
            found = stream[place.path].fields(place.field) if place.field else stream[place.path]
            piece = found[start:stop] if axis == 0 else found[:, start:stop].T
        piece = piece.reshape(stop - start, num_channels)
        return piece if list(channels) == list(range(num_channels)) else piece[:, list(channels)]

    return StoredSignal(RawSignal(NO_SAMPLES), num_samples, num_channels, read)


@contextlib.contextmanager
def _opened(file: pathlib.Path) -> Iterator[h5py.File]:
    try:
        stream = h5py.File(file, 'r', locking=False)
    except OSError as e:
        reason = ' '.join(str(e).split())[:200]
        raise DataError(
            f'{file} cannot be read as an HDF5 file ({reason}); it is cut off, damaged or of another kind: copy or '
            'export it again'
        ) from e
    with stream:
        yield stream


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
        facts = _facts(file, content, name, need_rate=need_rate)
        rate_hz = facts.rate_hz
        if rate_hz is None:
            rate_hz, _ = _clock(file, content, name, value.values.size, need_rate=need_rate)
        stored = stored_array(file, name, value.values, content.places[name])
        last = name.rpartition('/')[2]
        tracks.append(
            Track(last, stored.num_samples, rate_hz, _unit(content, name), _vector(stored), (name,), value.is_integer)
        )
    stored = of_tracks(file, tracks, channel, rate_origin=f'group {group}', notes=[*content.notes, *facts.notes])
    return dataclasses.replace(
        stored, facts=dataclasses.replace(stored.facts, speed_rpm=facts.speed_rpm, load=facts.load)
    )


def _vector(stored: StoredSignal):
    return lambda start, stop: stored.read(start, stop, (0,))[:, 0]


def _facts(file: pathlib.Path, content: Content, name: str, *, need_rate: bool) -> MatFacts:
    """What attributes and scalars say of a data set; its own attributes come first, then those of the groups."""
    values: dict[str, MatArray | str] = {}
    originals: dict[str, str] = {}

    def add(owner: str, fact: str, value: MatArray | str) -> None:
        # mat_facts parts names at points.
        dotted = '.'.join(part.replace('.', '_') for part in [*owner.split('/'), fact] if part)
        values[dotted], originals[dotted] = value, f'{owner}/{fact}'.strip('/')

    for found, value in content.values.items():
        if isinstance(value, str) or value.values.size == 1:
            add(*(found.rpartition('/')[::2]), value)
    for owner, attributes in content.attributes.items():
        for fact, value in attributes.items():
            if isinstance(value, str) or (isinstance(value, np.ndarray) and value.size == 1):
                add(owner, fact, value if isinstance(value, str) else MatArray(value, False, value.dtype.kind == 'b'))
    inner = '.'.join(part.replace('.', '_') for part in name.split('/'))
    facts = facts_beside(file, f'{inner}.its samples', values, need_rate=need_rate)
    return dataclasses.replace(facts, rate_origin=originals.get(facts.rate_origin, facts.rate_origin))


def _unit(content: Content, name: str) -> str:
    for owner in (name, name.rpartition('/')[0]):
        for fact, value in content.attributes.get(owner, {}).items():
            if fact.lower() in _UNITS and isinstance(value, str):
                return ' '.join(value.split())[:40]
    return ''


def _names(value: object, count: int) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(',')]
    if isinstance(value, list) and len(value) == count and len(set(value)) == count:
        return tuple(' '.join(str(v).split()) for v in value)
    return ()


def _clock(file: pathlib.Path, content: Content, name: str, count: int, *, need_rate: bool) -> tuple[float | None, str]:
    """(rate, the name) by the only vector of times beside a data set."""
    group = name.rpartition('/')[0]
    timed = [
        n
        for n, v in content.values.items()
        if isinstance(v, MatArray)
        and n != name
        and n.rpartition('/')[0] == group
        and v.values.size == count
        and max(v.values.shape) == count
        and v.values.dtype.kind in 'iuf'
        and is_time_name(n.rpartition('/')[2])
    ]
    if len(timed) != 1:
        return None, ''
    stored = stored_array(file, timed[0], content.array(timed[0]), content.places[timed[0]])
    times = np.asarray(stored.read(0, min(count, _CLOCK_ROWS), (0,))[:, 0], np.float64)
    unit_s = unit_in_name(timed[0].rpartition('/')[2])
    units = content.attributes.get(timed[0], {})
    for fact, value in units.items():
        if unit_s is None and fact.lower() in _UNITS and isinstance(value, str):
            unit_s = unit_in_name(f'time ({value})')
    column = TimeColumn(file, timed[0], times, lambda index: index + 1, unit_s)
    return read_clock(column, need_rate=need_rate).rate_hz, timed[0]
