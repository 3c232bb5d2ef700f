"""What attributes and scalars in an HDF5 file say about a data set: rate, speed, unit, names of channels."""

from __future__ import annotations

import dataclasses
import pathlib

import numpy as np

from fdx.data.raw.clock import read_clock
from fdx.data.raw.hdf5_array import stored_array
from fdx.data.raw.hdf5_values import Content
from fdx.data.raw.mat_facts import MatFacts, facts_beside
from fdx.data.raw.mat_values import MatArray
from fdx.data.raw.time import TimeColumn, is_time_name, unit_in_name

_CLOCK_ROWS = 2**20
_UNITS = ('unit', 'units', 'unit_string', 'y_unit', 'ni_unitdescription')
_NAMES = ('channel_names', 'channels', 'columns', 'column_names', 'names', 'labels')


def facts_of(file: pathlib.Path, content: Content, name: str, *, need_rate: bool) -> MatFacts:
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


def unit_of(content: Content, name: str) -> str:
    """The attribute unit (or alike) of a data set or of its group; '' without one."""
    for owner in (name, name.rpartition('/')[0]):
        for fact, value in content.attributes.get(owner, {}).items():
            if fact.lower() in _UNITS and isinstance(value, str):
                return ' '.join(value.split())[:40]
    return ''


def names_of(content: Content, name: str, count: int) -> tuple[str, ...]:
    """Names of the channels in an attribute of a data set, or ()."""
    attributes = content.attributes.get(name, {})
    return next((_names(v, count) for k, v in attributes.items() if k.lower() in _NAMES), ())


def _names(value: object, count: int) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(',')]
    if isinstance(value, list) and len(value) == count and len(set(value)) == count:
        return tuple(' '.join(str(v).split()) for v in value)
    return ()


def rate_of_times(
    file: pathlib.Path, content: Content, name: str, count: int, *, need_rate: bool
) -> tuple[float | None, str]:
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
