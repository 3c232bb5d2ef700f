"""The page of the imbalance benchmark: Markdown, JSON rows and a plot."""

from __future__ import annotations

import fnmatch
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fdx.evaluate.canvas import class_style, new_figure, save_png, style_axes
from fdx.files import atomic_write_text, write_json
from fdx.train.description import environment

from .imbalance_suite import (
    BATCH_SIZE,
    GENERATOR,
    LEARNING_RATE,
    MODEL,
    NAME,
    RATIOS,
    REMEDIES,
    STEPS,
    Task,
)

Row = Mapping[str, Any]
# Of which the recall of each class is on the page; that of the others is in the rows.
SHOWN_RATIO = 20


def _pick(rows: Sequence[Row], **fields: Any) -> list[Row]:
    return [row for row in rows if all(row[k] == v for k, v in fields.items())]


def spread(values: Sequence[float]) -> str:
    """'93.1 ± 2.4' in percent: mean and standard deviation over seeds; '–' without values."""
    if not len(values):
        return '–'
    text = f'{100 * np.mean(values):.1f}'
    return f'{text} ± {100 * np.std(values, ddof=1):.1f}' if len(values) > 1 else text


def is_rare(task: Task, name: str) -> bool:
    """Whether a class is thinned."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in task.rare)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return ['| ' + ' | '.join(header) + ' |', '|' + '---|' * len(header), *['| ' + ' | '.join(r) + ' |' for r in rows]]


def _remedies(rows: Sequence[Row]) -> list[str]:
    have = {row['method'] for row in rows}
    return [name for name in REMEDIES if name in have]


def _of_task(rows: Sequence[Row], task: Task) -> list[Row]:
    return [row for row in rows if row['task'].rpartition(' ')[0] == task.name]


def verdict(rows: Sequence[Row], task: Task) -> list[str]:
    """A sentence a ratio: the best remedy against none, and the GAN against the best simple one."""
    lines = []
    for ratio in RATIOS:
        mine = _pick(rows, task=f'{task.name} 1:{ratio}')
        means = {m: float(np.mean([row['macro_f1'] for row in _pick(mine, method=m)])) for m in _remedies(mine)}
        simple = {m: v for m, v in means.items() if m not in ('none', 'gan')}
        if 'none' not in means or not simple:
            continue
        best = max(simple, key=simple.get)
        gain = 100 * (simple[best] - means['none'])
        text = f'- 1:{ratio}: the best simple remedy is {best}, {gain:+.1f} points over none'
        if 'gan' in means:
            difference = 100 * (means['gan'] - simple[best])
            beats = 'beats' if difference > 0 else 'equals' if difference == 0 else 'does not beat'
            text += f'; the GAN {beats} it ({difference:+.1f} points)'
        lines.append(text + '.')
    return lines


def _class_table(rows: Sequence[Row], task: Task) -> list[str]:
    names = list(rows[0]['recall'])
    lines = []
    for method in _remedies(rows):
        mine = _pick(rows, method=method)
        lines.append([method, *[spread([row['recall'][name] for row in mine]) for name in names]])
    return _table(['method', *[f'{name} (rare)' if is_rare(task, name) else name for name in names]], lines)


def markdown(rows: Sequence[Row], tasks: Sequence[Task], command: str, windows: Mapping[str, int]) -> str:
    """The page.

    Args:
      rows: of all runs.
      tasks: what they are about.
      command: that makes the page.
      windows: task -> test windows of a seed.
    """
    seeds = sorted({row['seed'] for row in rows})
    lines = [
        '# Rare faults: what simple remedies and a GAN are worth',
        '',
        f'Macro F1 on test windows in percent, mean ± standard deviation over seeds {", ".join(map(str, seeds))}. The '
        'rare classes keep one training window of N (at least one); validation and test rows stay as they are.',
        '',
        f'Made by `{command}`; every run, with the recall of each class: [{NAME}.json]({NAME}.json).',
        '',
        f'![Macro F1 over the ratio]({NAME}.png)',
    ]
    for task in tasks:
        mine = _of_task(rows, task)
        if not mine:
            continue
        lines += ['', f'## {task.name}: {task.words}', '']
        header = ['method', *[f'1:{ratio}' for ratio in RATIOS], 'seconds a run']
        lines += _table(header, [_method_line(mine, task, method) for method in _remedies(mine)])
        lines += ['', *verdict(mine, task)]
        shown = _pick(mine, task=f'{task.name} 1:{SHOWN_RATIO}')
        if shown:
            lines += ['', f'Recall of each class at 1:{SHOWN_RATIO}:', '', *_class_table(shown, task)]
        lines += ['', f'{windows[task.name]} test windows a seed, about; fold K for seed K.']
    return '\n'.join([*lines, '', *_notes(rows), ''])


def _method_line(rows: Sequence[Row], task: Task, method: str) -> list[str]:
    found = [
        spread([row['macro_f1'] for row in _pick(rows, task=f'{task.name} 1:{ratio}', method=method)])
        for ratio in RATIOS
    ]
    return [method, *found, f'{np.mean([row["seconds"] for row in _pick(rows, method=method)]):.0f}']


def _notes(rows: Sequence[Row]) -> list[str]:
    made = environment()
    versions = ', '.join(f'{name} {version}' for name, version in made['versions'].items())
    return [
        f'All: `{MODEL}` from random weights, about {STEPS} updates of {BATCH_SIZE} windows whatever the remedy, Adam, '
        f'learning rate {LEARNING_RATE:g}, the last epoch. oversample repeats rows of rare classes; mixup and '
        'specaugment do so too, and change every example in the step; smote_embedding trains as none, then its head '
        'again on balanced embeddings; gan adds records of a WGAN-GP trained on the same rows '
        f'({GENERATOR["steps"]} updates, width {GENERATOR["width"]}), its training counted in the seconds where it was '
        'trained in the run. None of these settings was chosen by remedy.',
        '',
        f'{versions}; {made["backend"]}.',
    ]


def plot(rows: Sequence[Row], tasks: Sequence[Task]) -> Figure:
    """A panel a dataset: macro F1 of every remedy over the ratio, with the spread over seeds."""
    shown = [task for task in tasks if _of_task(rows, task)]
    figure = new_figure(max(5.5 * len(shown), 6), 4.2)
    for axes, task in zip(np.atleast_1d(figure.subplots(1, len(shown))), shown):
        mine = _of_task(rows, task)
        for i, method in enumerate(_remedies(mine)):
            found = [
                [100 * row['macro_f1'] for row in _pick(mine, task=f'{task.name} 1:{ratio}', method=method)]
                for ratio in RATIOS
            ]
            places = [j + 0.05 * (i - 3) for j, values in enumerate(found) if values]
            means = [np.mean(values) for values in found if values]
            spreads = [np.std(values, ddof=1) if len(values) > 1 else 0.0 for values in found if values]
            axes.errorbar(places, means, spreads, color=class_style(i)[0], capsize=2, marker='o', label=method)
        axes.set_xticks(range(len(RATIOS)), [f'1:{ratio}' for ratio in RATIOS])
        axes.set_ylim(0, 103)
        style_axes(axes, task.name, 'rare to frequent', 'macro F1, %', grid='y')
        axes.legend(fontsize=7, loc='lower left')
    return figure


def write_imbalance(
    folder: pathlib.Path, cells: Sequence[Mapping[str, Any]], tasks: Sequence[Task], command: str
) -> pathlib.Path:
    """Writes imbalance.md, imbalance.json (a list of rows) and imbalance.png; returns the path of the page."""
    rows = [cell['row'] for cell in cells]
    windows = {
        task.name: round(
            float(np.mean([c['windows'] for c in cells if c['row']['task'].rpartition(' ')[0] == task.name]))
        )
        for task in tasks
    }
    save_png(plot(rows, tasks), folder / f'{NAME}.png')
    write_json(folder / f'{NAME}.json', rows)
    atomic_write_text(folder / f'{NAME}.md', markdown(rows, tasks, command, windows))
    return folder / f'{NAME}.md'
