"""Recordings in TDMS files of LabVIEW, DAQmx and FlexLogger, by npTDMS."""

from __future__ import annotations

import dataclasses
import pathlib
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from nptdms import TdmsFile

from fdx.data.raw.channels import Channel, Track, of_tracks
from fdx.data.raw.clock import round_rate
from fdx.data.raw.mat_facts import MatFacts, facts_beside
from fdx.data.raw.mat_values import MatArray
from fdx.data.raw.signal import StoredSignal
from fdx.files import boundary
from fdx.types import DataError

_REMEDY = 'it is cut off, damaged or of another kind: copy or export it again'
_UNITS = ('unit_string', 'NI_UnitDescription', 'unit', 'units')


def open_tdms(file: pathlib.Path, group: str | None, channel: Channel | None, *, need_rate: bool) -> StoredSignal:
    """Opens a TDMS file: every channel of numbers, scaled as the file says.

    The rate is 1 / wf_increment, else a property such as Fs or SamplingRate of the channel, its group or the file; the
    unit is unit_string. A channel has its own name where no other has it, else 'group/channel', which always chooses
    it. Channels of spectra (x in Hz) are left out. The .tdms_index file beside it is not used: it may be of another
    recording. A piece takes the memory of the chunks in which it lies (those that were written at once).

    Args:
      file: the file.
      group: the group to read, None reads all.
      channel: the wanted channels.
      need_rate: whether the file alone must tell the sampling rate.

    Raises:
      DataError: the file is damaged, has no such group or no channel of numbers, or the wanted channels have different
        rates or lengths.
    """
    with boundary('cannot read', file, _REMEDY, DataError):
        content = _content(file)
        groups = content.groups()
        is_cut = content.file_status.incomplete_final_segment
    if group is not None and group not in {g.name for g in groups}:
        names = ', '.join(' '.join(g.name.split()) for g in groups[:20]) or 'no group'
        raise DataError(f'{file} has no group {group!r}; pass `variable` with one of: {names}')
    found = [c for g in groups if group in (None, g.name) for c in g.channels()]
    tracks, notes, offsets, facts = [], [], {}, MatFacts()
    if is_cut:
        notes.append('it ends inside its last segment (cut off, or its writer crashed): all that is there was read')
    counts = [c.name for c in found]
    size = file.stat().st_size
    for c in found:
        with boundary('cannot read', file, _REMEDY, DataError):
            kind, length = np.dtype(c.dtype).kind, len(c)
        name = ' '.join((c.name if counts.count(c.name) == 1 else f'{c.group_name}/{c.name}').split())
        if kind not in 'iuf' or length == 0:
            continue
        if 'hz' in str(c.properties.get('wf_xunit_string', '')).lower():
            notes.append(f'channel {name} is a spectrum (its x is in Hz) and was left out')
            continue
        if length > size:
            raise DataError(f'{file}: channel {name} claims {length} samples in a file of {size} bytes; {_REMEDY}')
        facts = _facts(file, content, c, need_rate=need_rate)
        whole = kind in 'iu'
        tracks.append(
            Track(name, length, facts.rate_hz, _unit(c.properties), _reader(file, content, c), _paths(c), whole)
        )
        offsets[name] = float(c.properties.get('wf_start_offset', 0.0))
    stored = of_tracks(file, tracks, channel, rate_origin='wf_increment', notes=[*notes, *facts.notes])
    starts = {offsets[name] for name in stored.facts.channel_names if name in offsets}
    notes = list(stored.facts.notes)
    if len(starts) > 1:
        shown = ', '.join(f'{offsets[n]:g}' for n in stored.facts.channel_names)
        notes.append(f'its channels start at different times (wf_start_offset {shown} s); they were put side by side')
    raw = dataclasses.replace(stored.facts, speed_rpm=facts.speed_rpm, load=facts.load, notes=tuple(notes))
    return dataclasses.replace(stored, facts=raw)


def _content(file: pathlib.Path) -> TdmsFile:
    """The metadata; the file stays open for its samples and is closed with the last reference to it."""
    stream = file.open('rb')
    try:
        content = TdmsFile.open(stream)
    except BaseException:
        stream.close()
        raise
    weakref.finalize(content, stream.close)
    return content


def _reader(file: pathlib.Path, content: TdmsFile, channel: Any) -> Callable[[int, int], np.ndarray]:
    def read(start: int, stop: int) -> np.ndarray:
        with boundary('cannot read', file, _REMEDY, DataError):
            # By way of the file, which must live as long as its channels are read.
            values = np.asarray(content[channel.group_name][channel.name].read_data(start, stop - start))
        if len(values) != stop - start:
            raise DataError(f'{file}: channel {channel.name} has {len(values)} of {stop - start} samples; {_REMEDY}')
        return values

    return read


def _paths(channel: Any) -> tuple[str, ...]:
    return (f'{channel.group_name}/{channel.name}',)


def _unit(properties: Mapping[str, Any]) -> str:
    found = (' '.join(str(properties[name]).split()) for name in _UNITS if properties.get(name))
    return next(found, '')[:40]


def _facts(file: pathlib.Path, content: TdmsFile, channel: Any, *, need_rate: bool) -> MatFacts:
    """Rate and speed by the properties of the channel, its group and the file, the innermost first."""
    values: dict[str, MatArray | str] = {}
    scopes = ('', 'group.', 'group.channel.')
    owners = (content.properties, content[channel.group_name].properties, channel.properties)
    step = channel.properties.get('wf_increment')
    for scope, properties in zip(scopes, owners):
        for name, value in properties.items():
            if isinstance(value, str):
                values[f'{scope}{name.replace(".", "_")}'] = value
            elif isinstance(value, (int, float, np.number)) and not isinstance(value, bool):
                values[f'{scope}{name.replace(".", "_")}'] = MatArray(np.asarray(value), False)
    has_step = isinstance(step, (int, float, np.number)) and np.isfinite(step) and step > 0
    facts = facts_beside(file, 'group.channel.its samples', values, need_rate=need_rate and not has_step)
    if has_step:
        return dataclasses.replace(facts, rate_hz=round_rate(1.0 / float(step)), rate_origin='wf_increment')
    return facts
