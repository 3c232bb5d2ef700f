"""The pretraining benchmark in Markdown: a section a task, each with when and how it was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .pretraining_suite import FINE_TUNING
from .probe_report import shots_words

_BUDGET = ', '.join(f'{name} {value:g}' for name, value in FINE_TUNING.items())
_HEAD = (
    'Linear heads on frozen networks: accuracy on test windows in percent, mean ± standard deviation over draws of '
    'labelled windows and over the seeds (which draw untrained networks, too). The stage is chosen in each fold and '
    'draw on validation windows of the training recordings; no test window takes part. The rows `log_mel` are the '
    'inputs averaged over time: no network at all.'
)
# Versions of fdx that made records of before 2.0.0.
OLD_RECORDS = ('0.1.0',)
_OLD = (
    'Sections that fdx 0.1.0 measured are of records before version 2.0.0, whose windows kept what is slower than 2 Hz.'
)
_NOTES = (
    'Stages chosen: with the most labels. Seconds of a seed, with frozen layers the mean: reading, features and all '
    'heads, less where features were on the disk already; fine-tuned the median, since machines pause. Fine-tuned: all '
    f'layers, fold 0, {_BUDGET}, the step chosen by validation loss; mean ± standard deviation over seeds; its test '
    'windows are those of one fold only.'
)


def percent(values: Mapping[str, Any]) -> str:
    """'97.5 ± 1.2', or '97.5' for a single value."""
    if values['standard_deviation'] is None:
        return f'{100 * values["mean"]:.1f}'
    return f'{100 * values["mean"]:.1f} ± {100 * values["standard_deviation"]:.1f}'


def markdown(tasks: Sequence[Mapping[str, Any]], name: str) -> str:
    """The page.

    Args:
      tasks: of `benchmarks.pretraining_report.assemble`.
      name: of the JSON file and the plot beside it, without suffix.
    """
    lines = [
        '# What is pretraining worth?',
        '',
        _HEAD,
        '',
        'Each task was measured as its section says; `python -m launch.benchmark --suite=pretraining` measures them '
        f'all. Numbers of every cell, with macro F1: [{name}.json]({name}.json).',
        '',
        f'![Accuracy over labelled windows]({name}.png)',
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
        '| ' + ' | '.join(header) + ' |',
        '|' + '---|' * len(header),
        *[_line(row, len(shots), bool(task['fine_tuned'])) for row in task['rows']],
    ]


def _versions(tasks: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line for all tasks that stood on the same versions."""
    groups: dict[str, list[str]] = {}
    for task in tasks:
        how = task['measured']
        words = ', '.join(f'{name} {version}' for name, version in how['versions'].items())
        groups.setdefault(f'{words}; {how["backend"]}', []).append(task['name'])
    old = any(task['measured']['versions'].get('fdx') in OLD_RECORDS for task in tasks)
    lines = [_OLD, ''] if old else []
    if len(groups) == 1:
        return [*lines, f'{next(iter(groups))}.']
    return [*lines, *(f'- {", ".join(names)}: {words}.' for words, names in groups.items())]


def _line(row: Mapping[str, Any], shots: int, with_tuned: bool) -> str:
    if 'cells' not in row:
        empty = [row['not_asked'], '', *(['', ''] if with_tuned else [])]
        return '| ' + ' | '.join([row['network'], row['words'], *['–'] * shots, *empty]) + ' |'
    cells = [percent(cell['accuracy']) for cell in row['cells']]
    chosen = row['cells'][-1]['chosen']
    total = sum(chosen.values()) if chosen else 0
    often = sorted((chosen or {}).items(), key=lambda pick: (-pick[1], pick[0]))
    picks = ', '.join(f'{stage} {100 * times / total:.0f} %' for stage, times in often)
    seconds = '' if row['seconds'] is None else f'{row["seconds"]:.0f}'
    last = _tuned(row) if with_tuned else []
    return '| ' + ' | '.join([row['network'], row['words'], *cells, picks, seconds, *last]) + ' |'


def _tuned(row: Mapping[str, Any]) -> list[str]:
    """Accuracy and seconds of the whole network; inputs by themselves have none to train."""
    tuned = row['fine_tuned']
    if not tuned:
        return ['' if row['words'] == 'no network' else 'not run', '']
    return [percent(tuned['accuracy']), f'{np.median(tuned["seconds"]["values"]):.0f}']
