"""The page of the pretraining benchmark: a section for each task that says when and how it was measured; a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fdx.evaluate.canvas import class_style, new_figure, style_axes
from fdx.evaluate.spread import NOTHING, spread_text

from .page import OLD_RECORDS, Kind, table, versions_text
from .pretraining_results import NAME, measured, merged
from .pretraining_suite import FINE_TUNING
from .probe_report import shots_words

_BUDGET = ', '.join(f'{name} {value:g}' for name, value in FINE_TUNING.items())
_HEAD = (
    'Linear heads on frozen networks: accuracy on test windows in percent, mean ± standard deviation over draws of '
    'labelled windows and over the seeds (which draw untrained networks, too). The stage is chosen in each fold and '
    'draw on validation windows of the training recordings; no test window takes part. The rows `log_mel` are the '
    'inputs averaged over time: no network at all.'
)
_OLD = (
    'Sections that fdx 0.1.0 measured are of records before version 2.0.0, whose windows kept what is slower than 2 Hz.'
)
_NOTES = (
    'Stages chosen: with the most labels. Seconds of a seed, with frozen layers the mean: reading, features and all '
    'heads, less where features were on the disk already; fine-tuned the median, since machines pause. Fine-tuned: all '
    f'layers, fold 0, {_BUDGET}, the step chosen by validation loss; mean ± standard deviation over seeds; its test '
    'windows are those of one fold only.'
)


def markdown(data: Mapping[str, Any]) -> str:
    """The page, from what `benchmarks.pretraining_results.assemble` returns."""
    tasks = data['tasks']
    lines = [
        '# What is pretraining worth?',
        '',
        _HEAD,
        '',
        'Each task was measured as its section says; `python -m launch.benchmark --suite=pretraining` measures them '
        f'all. Numbers of every cell, with macro F1: [{NAME}.json]({NAME}.json).',
        '',
        f'![Accuracy over labelled windows]({NAME}.png)',
    ]
    for task in tasks:
        lines += ['', *_section(task)]
    return '\n'.join([*lines, '', _NOTES, '', *_versions(tasks), ''])


def _section(task: Mapping[str, Any]) -> list[str]:
    """Heading, protocol, how it was measured, and the table."""
    shots = [cell['shots'] for cell in next(row for row in task['rows'] if 'cells' in row)['cells']]
    header = ['network', 'trained on', *[f'{shots_words(k)} a class' for k in shots], 'stages chosen', 'seconds']
    if task['fine_tuned']:
        header += [f'fine-tuned, {task["fine_tuned"]} a class', 'seconds']
    how = task['measured']
    return [
        f'## {task["name"]}: {task["words"]}',
        '',
        f'`{task["dataset"]}`, protocol `{task["protocol"]}`, {task["classes"]} classes, {task["test_windows"]} '
        f'test windows, {task["validation_windows"]} validation windows. Measured {", ".join(how["on"])} by '
        f'`{how["command"]}`.',
        '',
        *table(header, [_line(row, len(shots), bool(task['fine_tuned'])) for row in task['rows']]),
    ]


def _versions(tasks: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line for all tasks that stood on the same versions."""
    groups: dict[str, list[str]] = {}
    for task in tasks:
        how = task['measured']
        groups.setdefault(versions_text(how), []).append(task['name'])
    old = any(task['measured']['versions'].get('fdx') in OLD_RECORDS for task in tasks)
    lines = [_OLD, ''] if old else []
    if len(groups) == 1:
        return [*lines, f'{next(iter(groups))}.']
    return [*lines, *(f'- {", ".join(names)}: {words}.' for words, names in groups.items())]


def _line(row: Mapping[str, Any], shots: int, with_tuned: bool) -> list[str]:
    if 'cells' not in row:
        empty = [row['not_asked'], '', *(['', ''] if with_tuned else [])]
        return [row['network'], row['words'], *[NOTHING] * shots, *empty]
    cells = [spread_text(cell['accuracy'], percent=True) for cell in row['cells']]
    chosen = row['cells'][-1]['chosen']
    total = sum(chosen.values()) if chosen else 0
    often = sorted((chosen or {}).items(), key=lambda pick: (-pick[1], pick[0]))
    picks = ', '.join(f'{stage} {100 * times / total:.0f} %' for stage, times in often)
    seconds = '' if row['seconds'] is None else f'{row["seconds"]:.0f}'
    last = _tuned(row) if with_tuned else []
    return [row['network'], row['words'], *cells, picks, seconds, *last]


def _tuned(row: Mapping[str, Any]) -> list[str]:
    """Accuracy and seconds of the whole network; inputs by themselves have none to train."""
    tuned = row['fine_tuned']
    if not tuned:
        return ['' if row['words'] == 'no network' else 'not run', '']
    return [spread_text(tuned['accuracy'], percent=True), f'{np.median(tuned["seconds"]["values"]):.0f}']


def plot(data: Mapping[str, Any]) -> Figure:
    """A panel for each task: accuracy over labelled windows of each class."""
    tasks = data['tasks']
    figure = new_figure(4.2 * len(tasks), 4.6)
    names = list(dict.fromkeys(row['network'] for task in tasks for row in task['rows'] if 'cells' in row))
    for axes, task in zip(np.atleast_1d(figure.subplots(1, len(tasks))), tasks):
        for row in task['rows']:
            if 'cells' not in row:
                continue
            found = [cell['accuracy'] for cell in row['cells']]
            colour, marker = class_style(names.index(row['network']))
            axes.errorbar(
                range(len(found)),
                [100 * f['mean'] for f in found],
                yerr=[100 * (f['standard_deviation'] or 0) for f in found],
                color=colour,
                marker=marker,
                markersize=4,
                capsize=2,
                linewidth=1.3,
                linestyle='--' if row['words'] == 'no network' else ':' if row['words'] == 'nothing' else '-',
                label=row['network'],
            )
        axes.set_xticks(range(len(found)), [shots_words(cell['shots']) for cell in row_cells(task)])
        bottom, top = axes.get_ylim()
        axes.set_ylim(bottom, min(top, 100 + 0.03 * (100 - bottom)))
        style_axes(axes, task['name'], 'labelled windows a class', 'test accuracy, %', grid='y')
    handles: dict[str, Any] = {}
    for axes in figure.axes:
        handles.update({label: handle for handle, label in zip(*axes.get_legend_handles_labels())})
    figure.legend(handles.values(), handles.keys(), loc='outside lower center', ncols=6, fontsize=8, frameon=False)
    return figure


def row_cells(task: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Cells of the first row of a task that has some."""
    return next(row['cells'] for row in task['rows'] if 'cells' in row)


KIND = Kind(markdown, plot, measured, merged)
