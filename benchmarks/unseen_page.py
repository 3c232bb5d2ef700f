"""The page of the benchmark `unseen`: what its file holds, its text and its picture."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fdx.datasets.cwru.grades import GRADES
from fdx.evaluate.canvas import class_style, new_figure, style_axes
from fdx.evaluate.spread import NOTHING, spread, spread_text

from .page import Kind, how_measured, table, versions_text
from .unseen_notes import NOTES, PROTOCOL, VARIANTS
from .unseen_scores import rows_of
from .unseen_suite import BY_BEARING, METHODS, NAME, QUESTIONS, tasks

Row = Mapping[str, Any]
ALL = 'all'
# Tables of all machines: title, key of the rows, note.
HEADLINES = (
    (
        'Balanced accuracy over healthy, inner race and outer race',
        'balanced_accuracy',
        f'A recording without a verdict counts as wrong. `{BY_BEARING}` asks for inner and outer race alone, and so '
        'does a machine without healthy recordings.',
    ),
    ('Healthy recordings that are called healthy', 'specificity', 'A recording without a verdict counts as wrong.'),
)


def assemble(
    results: Sequence[Mapping[str, Any]], command: str, missing: Mapping[str, str], skipped: Mapping[str, str]
) -> dict[str, Any]:
    """What the JSON file of the page holds: suite, measured, missing, skipped, and one row per machine, method, seed.

    Args:
      results: one per cell, of `unseen_run.run_cell`.
      command: that measures them again.
      missing: machine -> what of it is not there.
      skipped: method -> why it was not run.
    """
    return {
        'suite': NAME,
        'measured': how_measured(command, sorted({cell['seed'] for cell in results})),
        'missing': dict(missing),
        'skipped': dict(skipped),
        'rows': [row for cell in results for row in rows_of(cell, QUESTIONS)],
    }


def _select(data: Mapping[str, Any], machine: str, method: str, stratum: str, with_ball: bool) -> list[Row]:
    """The rows of all seeds; with the ball, where the machine has recordings of it."""
    rows = [r for r in data['rows'] if (r['machine'], r['method'], r['stratum']) == (machine, method, stratum)]
    return [r for r in rows if ('ball' in r['states']) == with_ball]


def _names(data: Mapping[str, Any], key: str) -> list[str]:
    """Machines or methods of the rows, in the order of the suite."""
    order = [task.name for task in tasks()] if key == 'machine' else [method.name for method in METHODS]
    found = list(dict.fromkeys(row[key] for row in data['rows']))
    return sorted(found, key=lambda name: order.index(name) if name in order else len(order))


def _text(rows: Sequence[Row], key: str, *, percent: bool = True) -> str:
    values = [row[key] for row in rows if row[key] is not None]
    return spread_text(values, percent=percent) if values else NOTHING


def _interval(rows: Sequence[Row]) -> str:
    low, high = (100 * np.mean([row['interval'][i] for row in rows]) for i in (0, 1))
    return f'{low:.0f}–{high:.0f}'


def markdown(data: Mapping[str, Any]) -> str:
    """The page, from what `assemble` returns."""
    how = data['measured']
    machines, methods = _names(data, 'machine'), _names(data, 'method')
    words = {method.name: method.words for method in METHODS}
    lines = [
        '# Machines that fdx has never seen',
        '',
        PROTOCOL,
        '',
        'In percent, by recording; mean ± standard deviation over seeds '
        f'{", ".join(map(str, how["seeds"]))} where a row draws anything.',
        '',
        f'Made by `{how["command"]}`; all values: [{NAME}.json]({NAME}.json).',
        '',
        f'![Balanced accuracy by machine]({NAME}.png)',
    ]
    for title, key, note in HEADLINES:
        lines += ['', f'## {title}', '', note, '']
        found = [[name, *(_text(_select(data, m, name, ALL, False), key) for m in machines)] for name in methods]
        lines += table(['row', *machines], found)
    for machine in machines:
        lines += _machine(data, machine, methods)
    lines += ['', '## The rows', '', *(f'- **{name}**: {words.get(name, "no longer run")}.' for name in methods)]
    lines += [f'- {name}: not run, {why}.' for name, why in data['skipped'].items()]
    lines += ['', '## What is not here', '', *(f'- {name}: {why}.' for name, why in data['missing'].items())]
    lines += ['', '## How it was measured', '', *(f'- {note}' for note in (*NOTES, *VARIANTS))]
    later = [f'`{method}` on {date}' for method, date in data.get('later', {}).items()]
    lines += [f'- Rows that were measured after the others: {", ".join(later)}.'] if later else []
    return '\n'.join([*lines, '', f'{versions_text(how)}.', ''])


def _machine(data: Mapping[str, Any], machine: str, methods: Sequence[str]) -> list[str]:
    """The section of a machine."""
    every = max((r for r in data['rows'] if r['machine'] == machine), key=lambda r: r['recordings'])
    about = next((task.words for task in tasks() if task.name == machine), machine)
    methods = [name for name in methods if _select(data, machine, name, ALL, False)]
    states = ', '.join(every['states'])
    lines = ['', f'## {machine}', '', f'{about}. {every["recordings"]} recordings: {states}.', '']
    header = ['row', 'balanced accuracy', '95 %', 'of answered', 'with ball', 'specificity', 'ROC AUC', 'abstained']
    lines += table([*header, 'wrong', 'calibration error'], [_line(data, machine, name) for name in methods])
    graded = {r['stratum'] for r in data['rows'] if r['machine'] == machine}
    strata = [] if machine == BY_BEARING else [grade for grade in GRADES if grade in graded]
    if strata:
        lines += ['', 'By the grade of Smith and Randall (2015), faults alone, inner and outer race / with ball:', '']
        header = ['row', *(f'{s} ({_count(data, machine, s)})' for s in strata)]
        lines += table(header, [[name, *(_graded(data, machine, name, s) for s in strata)] for name in methods])
    return lines


def _count(data: Mapping[str, Any], machine: str, stratum: str) -> str:
    """'24 / 32': recordings without and with the ball."""
    rows = [r for r in data['rows'] if (r['machine'], r['stratum']) == (machine, stratum)]
    numbers = [[r['recordings'] for r in rows if ('ball' in r['states']) == ball] for ball in (False, True)]
    return ' / '.join(str(n[0]) if n else NOTHING for n in numbers)


def _graded(data: Mapping[str, Any], machine: str, method: str, stratum: str) -> str:
    found = [_select(data, machine, method, stratum, ball) for ball in (False, True)]
    return ' / '.join(_text(rows, 'balanced_accuracy') for rows in found)


def _line(data: Mapping[str, Any], machine: str, method: str) -> list[str]:
    """A row of a machine's table."""
    rows, with_ball = (_select(data, machine, method, ALL, ball) for ball in (False, True))
    return [
        method,
        _text(rows, 'balanced_accuracy'),
        _interval(rows),
        _text(rows, 'balanced_accuracy_answered'),
        _text(with_ball, 'balanced_accuracy'),
        _text(rows, 'specificity'),
        _text(rows, 'roc_auc', percent=False),
        _text(rows, 'abstained'),
        _text(rows, 'wrong'),
        _text(rows, 'ece'),
    ]


def plot(data: Mapping[str, Any]) -> Figure:
    """A group of bars per machine: balanced accuracy of every row."""
    machines, methods = _names(data, 'machine'), _names(data, 'method')
    figure = new_figure(max(1.5 * len(machines), 6), 4.2)
    axes = figure.subplots()
    width = 0.8 / len(methods)
    for i, method in enumerate(methods):
        places, values, errors = [], [], []
        for j, machine in enumerate(machines):
            rows = _select(data, machine, method, ALL, False)
            if rows:
                found = spread([100 * r['balanced_accuracy'] for r in rows])
                places.append(j + (i - (len(methods) - 1) / 2) * width)
                values.append(found['mean'])
                errors.append(found['standard_deviation'] or 0.0)
        axes.bar(places, values, width, yerr=errors, color=class_style(i)[0], label=method)
    names = [m.replace(' ', '\n').replace('cwru_', 'cwru\n', 1) for m in machines]
    axes.set_xticks(range(len(machines)), names, fontsize=8)
    axes.set_ylim(0, 103)
    title = 'Left out of all learning; a recording without a verdict is wrong'
    style_axes(axes, title, '', 'balanced accuracy, %', grid='y')
    figure.legend(*axes.get_legend_handles_labels(), fontsize=7, ncols=len(methods), loc='outside lower center')
    return figure


def measured(data: Mapping[str, Any]) -> set[Hashable]:
    """The cells of a page."""
    return {(row['machine'], row['method'], f'seed {row["seed"]}') for row in data['rows']}


def merged(older: Mapping[str, Any], newer: Mapping[str, Any]) -> dict[str, Any]:
    """An older page with the rows of a newer one in place of its own: of each machine and method, all seeds.

    The page then says which rows were measured later than the others (`later`: method -> date).
    """
    anew = {(row['machine'], row['method']) for row in newer['rows']}
    kept = [row for row in older['rows'] if (row['machine'], row['method']) not in anew]
    if not kept:
        return dict(newer)
    dates = {method: newer['measured']['on'][-1] for _, method in sorted(anew)}
    rows = [*kept, *newer['rows']]
    return {**older, 'missing': newer['missing'], 'rows': rows, 'later': {**older.get('later', {}), **dates}}


KIND = Kind(markdown, plot, measured, merged)
