"""Domains of a collection that names none: its machines, or else its operating conditions."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from fdx.data.collection.entry import Entry


def with_domains(entries: Sequence[Entry]) -> list[Entry]:
    """The entries with a domain each.

    A domain that the manifest names stays. Else, where there are several machines, it is the machine; where speeds or
    loads differ it is the operating condition ('1800 rpm, load 11'); where nothing differs it is 'all'.
    """
    machines = {e.machine for e in entries}
    speeds = {_text(e.speed_rpm) for e in entries}
    loads = {_text(e.load) for e in entries}

    def domain(entry: Entry) -> str:
        if len(machines) > 1:
            return entry.machine or 'machine unknown'
        parts = []
        if len(speeds) > 1:
            parts.append(f'{_text(entry.speed_rpm)} rpm')
        if len(loads) > 1:
            parts.append(f'load {_text(entry.load)}')
        return ', '.join(parts) or 'all'

    return [e if e.domain else dataclasses.replace(e, domain=domain(e)) for e in entries]


def _text(value: float) -> str:
    return 'unknown' if math.isnan(value) else f'{value:g}'
