"""Sections of the page of the benchmark `health`: promised against measured false alarms, and lives until failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fdx.evaluate.spread import NOTHING, spread_text

from .health_claims import pooled_rates
from .health_methods import OWN
from .health_scores import RATES, verdict
from .page import table

Row = Mapping[str, Any]
PROMISED = tuple(f'promised {100 * rate:g} %' for rate in RATES)


def name_of(row: Row) -> str:
    """The method of a row: 'default:auto'."""
    return f'{row["features"]}:{row["detector"]}'


def select(data: Mapping[str, Any], dataset: str, method: str) -> list[Row]:
    """The rows of all seeds of a method on a machine."""
    return [row for row in data['rows'] if row['dataset'] == dataset and name_of(row) == method]


def text(rows: Sequence[Row], key: str, *, percent: bool = False) -> str:
    """Mean and spread over seeds of a value; a dash where it was not measured."""
    values = [row[key] for row in rows if row.get(key) is not None]
    return spread_text(values, percent=percent) if values else NOTHING


def interval(rows: Sequence[Row], key: str, scale: float, digits: int) -> str:
    """'93–100': the ends of an interval, averaged over seeds."""
    ends = [row[key] for row in rows if row.get(key) is not None]
    if not ends:
        return NOTHING
    low, high = (scale * np.mean([e[i] for e in ends]) for i in (0, 1))
    return f'{low:.{digits}f}–{high:.{digits}f}'


def promises(data: Mapping[str, Any], datasets: Sequence[str], methods: Sequence[str]) -> list[str]:
    """Promised against measured rates: the own row in full, the others counted."""
    lines = ['', '## False alarms: promised against measured', '']
    for key, what in (('rates', 'calls unusual'), ('rise_rates', 'calls risen, where an alarm asks for it')):
        found = []
        for dataset in datasets:
            pooled = pooled_rates(select(data, dataset, OWN.name), key)
            if pooled:
                found.append([dataset, *(_promise(rate) for rate in pooled)])
        lines += [f'Healthy units that `{OWN.name}` {what}:', '', *table(['machine', *PROMISED], found), '']
    lines += ['All rows, machines that keep the promise of unusual recordings:', '']
    found = []
    for method in methods:
        every = [pooled for d in datasets if (pooled := pooled_rates(select(data, d, method), 'rates'))]
        cells = [method]
        for i in range(len(RATES)):
            said = [verdict(p[i]['promised'], p[i]['exceeded'], p[i]['units']) for p in every]
            cells.append(', '.join(f'{said.count(word)} {word}' for word in ('yes', 'no', 'few') if word in said))
        found.append(cells)
    return lines + table(['row', *PROMISED], found)


def _promise(rate: Mapping[str, Any]) -> str:
    low, high = (100 * end for end in rate['interval'])
    said = verdict(rate['promised'], rate['exceeded'], rate['units'])
    return f'{100 * rate["measured"]:.1f} % ({rate["exceeded"]} of {rate["units"]}; {low:.1f}–{high:.1f}) {said}'


def lives_of(data: Mapping[str, Any], lives: Sequence[str], methods: Sequence[str]) -> list[str]:
    """Alarms and lead in every life."""
    if not lives:
        return []
    lines = ['', '## Lives until failure (PRONOSTIA)', '']
    parts: tuple[tuple[str, Callable[[Sequence[Row]], str]], ...] = (
        (
            'Recordings of the first third after the beginning that are in alarm',
            lambda rows: _counts(rows, 'false_third'),
        ),
        ('The same in the first half', lambda rows: _counts(rows, 'false_half', of=False)),
        ('Share of the life left at the first alarm after the first third, %', lambda rows: _lead(rows, 'lead_share')),
        (
            'The same at equal false alarms: the lowest limit that leaves the first third without alarm, %',
            lambda rows: _lead(rows, 'equal_lead_share'),
        ),
        ('ROC AUC: the last tenth against the first third', lambda rows: text(rows, 'roc_auc')),
    )
    for title, cell in parts:
        found = [[m, *(cell(select(data, life, m)) for life in lives)] for m in methods]
        lines += [f'**{title}**', '', *table(['row', *lives], found), '']
    for key, what in (('later', 'unusual'), ('later_risen', 'risen')):
        found = [[life, *map(_promise, pooled)] for life in lives
                 if (pooled := pooled_rates(select(data, life, OWN.name), key))]  # fmt: skip
        if found:
            lines += [
                f'Single recordings from a tenth to a third of the life that `{OWN.name}` calls {what}: what drifts '
                'while a bearing runs in is no part of what was learned.',
                '',
                *table(['life', *PROMISED], found),
                '',
            ]
    return lines


def _counts(rows: Sequence[Row], key: str, *, of: bool = True) -> str:
    if not rows:
        return NOTHING
    values = [row[key] for row in rows]
    mean = f'{np.mean(values):.1f}'.removesuffix('.0')
    return f'{mean} of {rows[0]["early"]}' if of else mean


def _lead(rows: Sequence[Row], key: str) -> str:
    if not rows:
        return NOTHING
    values = [row[key] for row in rows]
    if None in values:
        missed = values.count(None)
        return 'no alarm' if missed == len(values) else f'no alarm with {missed} of {len(values)} seeds'
    return spread_text(values, percent=True)
