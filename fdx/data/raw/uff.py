"""Time records in universal files (.uff, .unv): data sets 58 and 58b of modal analysers, by pyuff."""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyuff

from fdx.data.raw.channels import Channel, Track, of_tracks
from fdx.data.raw.clock import read_clock, round_rate
from fdx.data.raw.signal import StoredSignal
from fdx.data.raw.time import TimeColumn
from fdx.files import boundary
from fdx.types import DataError

_REMEDY = 'it is cut off, damaged or of another kind: export it again'
_FUNCTIONS = {
    **{2: 'an auto spectrum', 3: 'a cross spectrum', 4: 'a frequency response', 5: 'a transmissibility'},
    **{6: 'a coherence', 7: 'an auto correlation', 8: 'a cross correlation', 9: 'a power spectral density'},
    **{10: 'an energy spectral density', 11: 'a probability density', 12: 'a spectrum', 27: 'an order function'},
}
_UNKNOWN, _TIME_RESPONSE = 0, 1
_TIME_AXIS, _FREQUENCY_AXIS = 17, 18
_COMPLEX = (5, 6)
_EVEN = 1
_DIRECTIONS = {0: '', **{s * i: f'{"+" if s > 0 else "-"}{a}' for i, a in enumerate('XYZ', 1) for s in (1, -1)}}


def open_uff(file: pathlib.Path, channel: Channel | None, *, need_rate: bool) -> StoredSignal:
    """Opens the time records of a universal file; each data set 58 is a channel.

    The rate is 1 / abscissa increment, or comes from the abscissa where it is uneven; the unit is that of the ordinate.
    A channel is named by its ID line 1, else by node and direction ('12+X'), else by its ordinate's label, else by its
    number ('set 3'): by the first of them that differs in all sets. The file is read as a whole.

    Args:
      file: the file.
      channel: the wanted channels.
      need_rate: whether the file alone must tell the sampling rate.

    Returns:
      The signal; a note where other functions (spectra) beside the time records were left out.

    Raises:
      DataError: the file is damaged, or holds no time record: it names what it holds.
    """
    with boundary('cannot read', file, _REMEDY, DataError):
        content = pyuff.UFF(str(file))
        kinds = [int(kind) for kind in content.get_set_types()]
    numbers = [i for i, kind in enumerate(kinds) if kind == 58]
    if not numbers:
        found = ', '.join(map(str, sorted(set(kinds)))) or 'none'
        raise DataError(f'{file} holds no complete data set 58 (data sets: {found}); {_REMEDY}')
    with boundary('cannot read', file, _REMEDY, DataError):
        headers = [content.read_sets(i, header_only=True) for i in numbers]
    others = [f'set {n + 1} is {why}' for n, why in ((i, _no_time(h)) for i, h in enumerate(headers)) if why]
    wanted = [i for i, h in enumerate(headers) if not _no_time(h)]
    if not wanted:
        more = f', ... ({len(others)} in all)' if len(others) > 8 else ''
        raise DataError(
            f'{file} holds no time record ({", ".join(others[:8])}{more}); export the time signals: a spectrum cannot '
            'be read back'
        )
    notes = [f'{", ".join(others[:8])}: left out'] if others else []
    names = _names([headers[i] for i in wanted], wanted)
    tracks = []
    for name, i in zip(names, wanted):
        # Read once, when length or samples are wanted.
        values = functools.cache(functools.partial(_samples, file, content, numbers[i], i + 1))
        header = headers[i]
        rate_hz = _even_rate(header)
        if header['abscissa_spacing'] != _EVEN:
            column = TimeColumn(file, f'abscissa of set {i + 1}', values()[0], lambda index: index + 1, 1.0)
            rate_hz = read_clock(column, need_rate=need_rate).rate_hz
        length = values()[1].size
        tracks.append(Track(name, length, rate_hz, _label(header, 'ordinate_axis_units_lab'), _reader(values), ()))
    stored = of_tracks(file, tracks, channel, rate_origin='the abscissa increment', notes=notes)
    return StoredSignal(stored.facts, stored.num_samples, stored.num_channels, stored.read, seekable=False)


def _reader(values: Callable[[], tuple[np.ndarray, np.ndarray]]) -> Callable[[int, int], np.ndarray]:
    return lambda start, stop: values()[1][start:stop]


def _no_time(header: Mapping[str, Any]) -> str:
    """What a function is that is no time record, or ''."""
    kind, axis = header.get('func_type', _UNKNOWN), header.get('abscissa_spec_data_type', 0)
    if kind not in (_UNKNOWN, _TIME_RESPONSE):
        return _FUNCTIONS.get(kind, f'a function of type {kind}')
    if axis == _FREQUENCY_AXIS:
        return 'a function of frequency'
    if kind == _UNKNOWN and axis != _TIME_AXIS:
        return 'of an unknown type, and not over time'
    return 'complex' if header.get('ord_data_type') in _COMPLEX else ''


def _even_rate(header: Mapping[str, Any]) -> float | None:
    step = header['abscissa_inc']
    # Written with six digits.
    return round_rate(1.0 / step, 1e-5) if np.isfinite(step) and step > 0 else None


def _samples(file: pathlib.Path, content: pyuff.UFF, index: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """(abscissa, ordinate) of a set, float64 [T]."""
    with boundary('cannot read', file, _REMEDY, DataError):
        found = content.read_sets(index)
        x, y = np.asarray(found['x'], np.float64), np.asarray(found['data'])
        announced = int(found['num_pts'])
    if y.size < announced:
        raise DataError(f'{file}: set {number} announces {announced} samples, {y.size} are there; {_REMEDY}')
    return x[:announced], y[:announced]


def _label(header: Mapping[str, Any], key: str) -> str:
    text = ' '.join(str(header.get(key, '')).split())
    return '' if text.upper() == 'NONE' else text


def _names(headers: Sequence[Mapping[str, Any]], numbers: Sequence[int]) -> list[str]:
    by_id = [_label(h, 'id1') for h in headers]
    by_node = [f'{_label(h, "rsp_ent_name")} {_node(h)}'.strip() for h in headers]
    by_label = [_label(h, 'ordinate_axis_lab') for h in headers]
    for names in (by_id, by_node, by_label):
        if all(names) and len(set(names)) == len(names):
            return names
    return [f'set {i + 1}' for i in numbers]


def _node(header: Mapping[str, Any]) -> str:
    node, direction = header.get('rsp_node', 0), header.get('rsp_dir', 0)
    return f'{node}{_DIRECTIONS.get(direction, f"({direction})")}' if node or direction else ''
