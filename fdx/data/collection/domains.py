"""Domains of a collection that names none: its machines, or else its operating conditions."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Sequence

from fdx.data.collection.entry import Entry

UNKNOWN_TEXT = 'unknown'
# CWRU's measured speeds of one load are up to 0.2 % apart, those of two loads 1 % and more.
SAME_SPEED = 0.005


def with_domains(entries: Sequence[Entry]) -> list[Entry]:
    """The entries with a domain each.

    A domain that the manifest names stays. Else, where there are several machines, it is the machine; where speeds or
    loads differ it is the operating condition ('1800 rpm, load 11'); where nothing differs it is 'all'. Measured
    speeds differ a little every time: those up to SAME_SPEED apart are one condition ('1796 to 1797 rpm').
    """
    machines = {e.machine for e in entries}
    speeds = _speeds({e.speed_rpm for e in entries})
    loads = {_text(e.load) for e in entries}

    def domain(entry: Entry) -> str:
        if len(machines) > 1:
            return entry.machine or 'machine unknown'
        parts = []
        if len(set(speeds.values())) > 1:
            parts.append(f'{speeds.get(entry.speed_rpm, UNKNOWN_TEXT)} rpm')
        if len(loads) > 1:
            parts.append(f'load {_text(entry.load)}')
        return ', '.join(parts) or 'all'

    return [e if e.domain else dataclasses.replace(e, domain=domain(e)) for e in entries]


def _speeds(values: Collection[float]) -> dict[float, str]:
    """Speed -> what it is called; NaN has no entry, but one for the count of the names."""
    known = sorted(v for v in values if not math.isnan(v))
    runs: list[list[float]] = []
    for value in known:
        if runs and value <= runs[-1][-1] * (1 + SAME_SPEED):
            runs[-1].append(value)
        else:
            runs.append([value])
    names = {v: _text(run[0]) if len(run) == 1 else f'{_text(run[0])} to {_text(run[-1])}' for run in runs for v in run}
    return names if len(known) == len(values) else {**names, math.inf: UNKNOWN_TEXT}


def _text(value: float) -> str:
    return UNKNOWN_TEXT if math.isnan(value) else f'{value:g}'
