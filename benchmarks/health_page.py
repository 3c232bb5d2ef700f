"""The page of the benchmark `health`: what its file holds, its text and its picture."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fdx.evaluate.canvas import class_style, new_figure, style_axes
from fdx.evaluate.spread import NOTHING

from .health_claims import BEARING_FAULTS, claims
from .health_methods import METHODS, OWN
from .health_notes import NOTES, PROTOCOL, VARIANTS
from .health_rows import FEATURES
from .health_sections import interval, lives_of, name_of, promises, select, text
from .health_suite import NAME, tasks
from .page import Kind, how_measured, table, versions_text

Row = Mapping[str, Any]
DIGITS = 5
# Shown of the own row alone; with those of all rows the file would be half as large again.
DETAILS = ('worse_by_kind', 'rise_rates', 'later_risen')
# Rows whose detections are shown by kind of fault.
BY_KIND = ('default:auto', 'level_free:gaussian', 'log_mel:gaussian', 'rms:limit', 'kurtosis:limit')


def assemble(
    results: Sequence[Mapping[str, Any]], command: str, missing: Mapping[str, str], timing: Mapping[str, Any]
) -> dict[str, Any]:
    """What the JSON file of the page holds: suite, measured, missing, timing, and one row per machine, method, seed.

    Args:
      results: one per cell, of `health_run.run_cell`.
      command: that measures them again.
      missing: machine -> why it is not here.
      timing: of `measure_timing`.
    """
    return {
        'suite': NAME,
        'measured': how_measured(command, sorted({cell['seed'] for cell in results})),
        'missing': dict(missing),
        'timing': dict(timing),
        'rows': [_rounded({key: cell[key] for key in cell if key not in _left_out(cell)}) for cell in results],
    }


def _left_out(cell: Row) -> tuple[str, ...]:
    """What no page shows of a cell: how it was asked and, of rows that are not the own one, the details of rises."""
    return ('asked',) if name_of(cell) == OWN.name else ('asked', *DETAILS)


def _rounded(value: Any) -> Any:
    """A row with as many digits as its recordings allow."""
    if isinstance(value, Mapping):
        return {key: _rounded(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(v) for v in value]
    return round(value, DIGITS) if isinstance(value, float) else value


def _datasets(data: Mapping[str, Any], *, lives: bool) -> list[str]:
    order = [task.name for task in tasks()]
    found = dict.fromkeys(row['dataset'] for row in data['rows'] if ('false_third' in row) == lives)
    return sorted(found, key=lambda name: order.index(name) if name in order else len(order))


def _methods(data: Mapping[str, Any]) -> list[str]:
    order = [method.name for method in METHODS]
    found = dict.fromkeys(map(name_of, data['rows']))
    return sorted(found, key=lambda name: order.index(name) if name in order else len(order))


def markdown(data: Mapping[str, Any]) -> str:
    """The page, from what `assemble` returns."""
    how = data['measured']
    machines, lives, methods = _datasets(data, lives=False), _datasets(data, lives=True), _methods(data)
    seeds = ', '.join(map(str, how['seeds']))
    lines = [
        '# Healthy recordings only',
        '',
        PROTOCOL,
        '',
        f'Mean ± standard deviation over seeds {seeds} where a row draws anything.',
        '',
        f'Made by `{how["command"]}`; all values: [{NAME}.json]({NAME}.json).',
        '',
        f'![Detection and lead]({NAME}.png)',
        '',
        '## What was asked for, and what is reached',
        '',
        f'By the row `{OWN.name}`, which is what `fdx baseline` does.',
        '',
        *table(['asked', 'reached', ''], [[c.asked, c.reached, c.verdict] for c in claims(data)]),
    ]
    for title, key, percent in (
        ('Recordings with a fault that are found at 1 % false alarms, %', 'detected', True),
        ('Of these, recordings that have also risen as damage rises, which an alarm takes, %', 'worse', True),
        ('ROC AUC', 'roc_auc', False),
        ('Partial ROC AUC, up to 10 % false alarms', 'partial_auc_10', False),
    ):
        found = [[m, *(text(select(data, d, m), key, percent=percent) for d in machines)] for m in methods]
        lines += ['', f'## {title}', '', *table(['row', *machines], found)]
    for machine in machines:
        lines += _machine(data, machine, methods)
    lines += promises(data, [*machines, *lives], methods)
    lines += lives_of(data, lives, methods)
    lines += _about(data, methods)
    return '\n'.join([*lines, '', f'{versions_text(how)}.', ''])


def _machine(data: Mapping[str, Any], machine: str, methods: Sequence[str]) -> list[str]:
    """The section of a machine: found by kind, for some rows."""
    shown = [m for m in BY_KIND if m in methods and select(data, machine, m)]
    if not shown:
        return []
    about = next((task.machine.words for task in tasks() if task.name == machine), machine)
    own = select(data, machine, shown[0])
    lines = ['', f'## {machine}', '', f'{about}. {own[0]["baseline_units"]} healthy units.']
    outside = sum(row['outside'] for row in own)
    if outside:
        lines[-1] += f' {outside} tested recordings lie outside the operating range and are not judged.'
    kinds = list(dict.fromkeys(kind for row in own for kind in row['by_kind']))
    kinds.sort(key=lambda kind: (kind.split(',')[0] not in BEARING_FAULTS, kind))
    found = [[kind, *(_of_kind(select(data, machine, m), kind) for m in shown)] for kind in kinds]
    found.append(['**all**', *(text(select(data, machine, m), 'detected', percent=True) + ' %' for m in shown)])
    found.append(['95 %', *(interval(select(data, machine, m), 'detected_interval', 100, 0) for m in shown)])
    found.append(['ROC AUC, 95 %', *(interval(select(data, machine, m), 'auc_interval', 1, 3) for m in shown)])
    return [*lines, '', 'Found of recordings, all seeds together:', '', *table(['', *shown], found)]


def _of_kind(rows: Sequence[Row], kind: str) -> str:
    hits, of = (sum(row['by_kind'].get(kind, [0, 0])[i] for row in rows) for i in (0, 1))
    return f'{hits} of {of}' if of else NOTHING


def _about(data: Mapping[str, Any], methods: Sequence[str]) -> list[str]:
    """Rows, what is not here, how it was measured."""
    words = {method.name: method.words for method in METHODS}
    lines = ['', '## The rows', '', 'A row is named FEATURES:DETECTOR.', '']
    lines += [f'- `{name}`: {text}.' for name, text in FEATURES.items()]
    lines += [f'- `{name}`: {words[name]}.' for name in methods if words.get(name)]
    chosen = {
        d: sorted({r['chosen'] for r in select(data, d, OWN.name)})
        for d in dict.fromkeys(r['dataset'] for r in data['rows'])
    }
    named = '; '.join(f'{d}: {", ".join(c)}' for d, c in chosen.items() if c)
    lines += [f'- `auto` chose: {named}.'] if named else []
    reasons: dict[str, list[str]] = {}
    for name, why in data['missing'].items():
        reasons.setdefault(why, []).append(name)
    if reasons:
        lines += ['', '## What is not here', '', *(f'- {", ".join(names)}: {why}.' for why, names in reasons.items())]
    later = [f'{name} on {date}' for name, date in data.get('later', {}).items()]
    lines += ['', '## How it was measured', '', *(f'- {note}' for note in (*NOTES, *VARIANTS))]
    lines += [f'- Measured after the others: {", ".join(later)}.'] if later else []
    return [*lines, f'- Variants in the tables: {len(methods)} rows.']


def plot(data: Mapping[str, Any]) -> Figure:
    """Detections by machine, and lead by life at equal false alarms, of the rows of BY_KIND."""
    panels = [
        (_datasets(data, lives=False), 'detected', 'found at 1 % false alarms, %', 'Faulty recordings'),
        (_datasets(data, lives=True), 'equal_lead_share', 'life left at the alarm, %', 'Lives, equal false alarms'),
    ]
    panels = [panel for panel in panels if panel[0]]
    methods = [m for m in BY_KIND if m in _methods(data)] or _methods(data)
    figure = new_figure(max(6.0, 1.1 * sum(len(p[0]) for p in panels)), 4.0)
    ratios = [len(panel[0]) for panel in panels]
    axes = figure.subplots(1, len(panels), width_ratios=ratios, squeeze=False)[0]
    width = 0.8 / len(methods)
    for axis, (names, key, label, title) in zip(axes, panels):
        for i, method in enumerate(methods):
            places = np.arange(len(names)) + (i - (len(methods) - 1) / 2) * width
            values = [100 * np.mean([r[key] or 0.0 for r in select(data, d, method)] or [0.0]) for d in names]
            axis.bar(places, values, width, color=class_style(i)[0], label=method)
        axis.set_xticks(range(len(names)), [n.replace('_', '\n', 1) for n in names], fontsize=8)
        axis.set_ylim(0, 103)
        style_axes(axis, title, '', label, grid='y')
    handles = axes[0].get_legend_handles_labels()
    figure.legend(*handles, fontsize=7, ncols=len(methods), loc='outside lower center')
    return figure


def measured(data: Mapping[str, Any]) -> set[Hashable]:
    """The cells of a page."""
    return {(row['dataset'], name_of(row), f'seed {row["seed"]}') for row in data['rows']}


def merged(older: Mapping[str, Any], newer: Mapping[str, Any]) -> dict[str, Any]:
    """An older page with the rows of a newer one in place of its own: of each machine and method, all seeds.

    The page then says which rows were measured later than the others (`later`: method -> date).
    """
    anew = {(row['dataset'], name_of(row)) for row in newer['rows']}
    kept = [row for row in older['rows'] if (row['dataset'], name_of(row)) not in anew]
    if not kept:
        return dict(newer)
    missing = {name: why for name, why in older['missing'].items() if name not in {d for d, _ in anew}}
    dates = {f'{dataset} {method}': newer['measured']['on'][-1] for dataset, method in sorted(anew)}
    later = {**older.get('later', {}), **dates}
    return {**older, 'missing': missing, 'timing': newer['timing'], 'rows': [*kept, *newer['rows']], 'later': later}


KIND = Kind(markdown, plot, measured, merged)
