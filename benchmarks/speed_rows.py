"""Rows of the table of speed, from what the rounds of a work have found."""

from __future__ import annotations

import importlib.metadata
import platform
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import fdx

from .speed_load import NOISY
from .speed_suite import OTHER, OURS, Work

OF_FDX = ('jax', 'jaxlib', 'numpy', 'scipy')


def rows_of(work: Work, cell: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row for fdx and one for the other side, where there is one.

    Args:
      work: what was measured.
      cell: `rounds`, each a dict of the sides ('fdx', 'other': seconds, cpu_seconds, count), `others`, `load_start`,
        `load_end`, `date` and `elapsed_s`; and `cpu` and `cores`.

    Returns:
      Rows {work, side, words, section, seconds, cpu_seconds, count, unit, ratio, cpu_ratio, goal, reached, cores, cpu,
      versions, rounds, others, noisy, load_start, load_end, date, elapsed_s}. Seconds are the median over the rounds of
      the medians of a process. Ratios are those to the other side and stand in the row of fdx; None elsewhere.
    """
    rounds = cell['rounds']
    sides = (OURS, OTHER) if work.other else (OURS,)
    wall, cpu = ({side: _median(rounds, side, key) for side in sides} for key in ('seconds', 'cpu_seconds'))
    others = [r['others'] for r in rounds if r['others'] is not None]
    load = statistics.fmean(others) if others else None
    common = {
        'words': work.words,
        'section': work.section,
        'unit': work.unit,
        'cores': cell['cores'],
        'cpu': cell['cpu'],
        'rounds': len(rounds),
        'others': None if load is None else round(load, 2),
        'noisy': load is not None and load > NOISY,
        'load_start': rounds[0]['load_start'],
        'load_end': rounds[-1]['load_end'],
        'date': rounds[-1]['date'],
    }
    ours = {
        'work': work.name,
        'side': OURS,
        'seconds': wall[OURS],
        'cpu_seconds': cpu[OURS],
        'count': _count(rounds),
        'ratio': _ratio(wall),
        'cpu_ratio': _ratio(cpu),
        'versions': versions_of(OF_FDX),
        **common,
        'elapsed_s': round(sum(r['elapsed_s'] for r in rounds), 1),
    }
    ours['goal'] = work.goal.words(work.unit) if work.goal else None
    ours['reached'] = work.goal.reached(ours) if work.goal else None
    if not work.other:
        return [ours]
    empty = dict.fromkeys(('count', 'ratio', 'cpu_ratio', 'goal', 'reached', 'elapsed_s'))
    theirs = {'side': work.other, 'seconds': wall[OTHER], 'cpu_seconds': cpu[OTHER]}
    return [ours, {**ours, **empty, **theirs, 'versions': versions_of(work.packages) or ours['versions']}]


def _median(rounds: Sequence[Mapping[str, Any]], side: str, key: str) -> float | None:
    values = [statistics.median(r[side][key]) for r in rounds if r[side][key]]
    return float(f'{statistics.median(values):.4g}') if values else None


def _ratio(seconds: Mapping[str, float | None]) -> float | None:
    ours, theirs = seconds[OURS], seconds.get(OTHER)
    return round(ours / theirs, 3) if ours is not None and theirs else None


def _count(rounds: Sequence[Mapping[str, Any]]) -> float | None:
    counts = [r[OURS]['count'] for r in rounds if r[OURS]['count'] is not None]
    return round(statistics.median(counts), 2) if counts else None


def versions_of(packages: Sequence[str]) -> dict[str, str]:
    """Versions of fdx or of another side's packages, for the page."""
    if not packages:
        return {}
    found = {'fdx': fdx.__version__} if packages == OF_FDX else {}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = 'missing'
    return {'python': platform.python_version(), **found}
