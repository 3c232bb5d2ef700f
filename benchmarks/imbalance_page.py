"""The page of the imbalance benchmark: what its file holds, its text and its picture."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fdx.evaluate.canvas import class_style, new_figure, style_axes
from fdx.evaluate.spread import spread, spread_text

from . import imbalance_suite
from .grid import pack
from .imbalance_suite import BATCH_SIZE, GENERATOR, LEARNING_RATE, MODEL, NAME, RATIOS, REMEDIES, STEPS, Task
from .page import Kind, how_measured, old_records_note, table, versions_text

Row = Mapping[str, Any]
# Only this ratio's recall of each class is on the page; the JSON file has all.
SHOWN_RATIO = 20
_PER_SEED = {'seed': 'seeds', 'fold': 'folds'} | {
    k: k for k in ('windows', 'seconds', 'macro_f1', 'accuracy', 'recall')
}


def assemble(records: Sequence[Mapping[str, Any]], command: str) -> dict[str, Any]:
    """What the JSON file of the page holds.

    Args:
      records: the row of each cell, see `benchmarks.imbalance_run.run_cell`.
      command: that measured them.

    Returns:
      suite, measured (see `page.how_measured`), rows: one for each task with its ratio and method, with lists over
      seeds.
    """
    seeds = sorted({record['seed'] for record in records})
    return {'suite': NAME, 'measured': how_measured(command, seeds), 'rows': pack(records, _PER_SEED)}


def _pick(rows: Sequence[Row], **fields: Any) -> list[Row]:
    return [row for row in rows if all(row[k] == v for k, v in fields.items())]


def _values(rows: Sequence[Row], key: str, **fields: Any) -> list[float]:
    """Values of all seeds of the one row that has these fields; none where it was not run."""
    return [value for row in _pick(rows, **fields) for value in row[key]]


def _remedies(rows: Sequence[Row]) -> list[str]:
    have = {row['method'] for row in rows}
    return [name for name in REMEDIES if name in have]


def _of_task(rows: Sequence[Row], task: Task) -> list[Row]:
    return [row for row in rows if row['task'].rpartition(' ')[0] == task.dataset_name]


def verdict(rows: Sequence[Row], task: Task) -> list[str]:
    """A sentence for each ratio: the best remedy against none, and the GAN against the best simple one."""
    lines = []
    for ratio in RATIOS:
        mine = _pick(rows, task=f'{task.dataset_name} 1:{ratio}')
        means = {m: float(np.mean(_values(mine, 'macro_f1', method=m))) for m in _remedies(mine)}
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
        (row,) = _pick(rows, method=method)
        lines.append([method, *[spread_text(row['recall'][name], percent=True) for name in names]])
    return table(['method', *[f'{name} (rare)' if task.is_rare(name) else name for name in names]], lines)


def markdown(data: Mapping[str, Any]) -> str:
    """The page, from what `assemble` returns."""
    rows, how = data['rows'], data['measured']
    lines = [
        '# Rare faults: what simple remedies and a GAN are worth',
        '',
        *old_records_note(how, NAME),
        'Macro F1 on test windows in percent, mean ± standard deviation over seeds '
        f'{", ".join(map(str, how["seeds"]))}. The rare classes keep one training window of N (at least one); '
        'validation and test rows stay as they are.',
        '',
        f'Made by `{how["command"]}`; values of every seed, with the recall of each class: [{NAME}.json]({NAME}.json).',
        '',
        f'![Macro F1 over the ratio]({NAME}.png)',
    ]
    for task in imbalance_suite.TASKS:
        mine = _of_task(rows, task)
        if not mine:
            continue
        lines += ['', f'## {task.dataset_name}: {task.words}', '']
        header = ['method', *[f'1:{ratio}' for ratio in RATIOS], 'seconds per run']
        lines += table(header, [_method_line(mine, task, method) for method in _remedies(mine)])
        lines += ['', *verdict(mine, task)]
        shown = _pick(mine, task=f'{task.dataset_name} 1:{SHOWN_RATIO}')
        if shown:
            lines += ['', f'Recall of each class at 1:{SHOWN_RATIO}:', '', *_class_table(shown, task)]
        windows = round(float(np.mean([row['windows'] for row in mine])))
        lines += ['', f'About {windows} test windows per seed; fold K for seed K.']
    return '\n'.join([*lines, '', *_notes(how), ''])


def _method_line(rows: Sequence[Row], task: Task, method: str) -> list[str]:
    found = [_values(rows, 'macro_f1', task=f'{task.dataset_name} 1:{ratio}', method=method) for ratio in RATIOS]
    seconds = np.mean([row['seconds'] for row in _pick(rows, method=method)])
    return [method, *(spread_text(values, percent=True) for values in found), f'{seconds:.0f}']


def _notes(how: Mapping[str, Any]) -> list[str]:
    return [
        f'All: `{MODEL}` from random weights, about {STEPS} updates of {BATCH_SIZE} windows for every remedy, Adam, '
        f'learning rate {LEARNING_RATE:g}, the last epoch. oversample repeats rows of rare classes; mixup and '
        'specaugment do so too, and change every example in the step; smote_embedding trains as none, then its head '
        'again on balanced embeddings; gan adds records of a WGAN-GP that was trained on the same rows '
        f'({GENERATOR["steps"]} updates, width {GENERATOR["width"]}); its training counts in the seconds where it was '
        'part of the run. None of these settings was chosen by remedy.',
        '',
        f'{versions_text(how)}.',
    ]


def plot(data: Mapping[str, Any]) -> Figure:
    """A panel for each dataset: macro F1 of every remedy over the ratio, with the spread over seeds."""
    rows = data['rows']
    shown = [task for task in imbalance_suite.TASKS if _of_task(rows, task)]
    figure = new_figure(max(5.5 * len(shown), 6), 4.2)
    for axes, task in zip(np.atleast_1d(figure.subplots(1, len(shown))), shown):
        mine = _of_task(rows, task)
        for i, method in enumerate(_remedies(mine)):
            found = [
                _values(mine, 'macro_f1', task=f'{task.dataset_name} 1:{ratio}', method=method) for ratio in RATIOS
            ]
            places = [j + 0.05 * (i - 3) for j, values in enumerate(found) if values]
            spreads = [spread([100 * v for v in values]) for values in found if values]
            means, whiskers = [s['mean'] for s in spreads], [s['standard_deviation'] or 0.0 for s in spreads]
            axes.errorbar(places, means, whiskers, color=class_style(i)[0], capsize=2, marker='o', label=method)
        axes.set_xticks(range(len(RATIOS)), [f'1:{ratio}' for ratio in RATIOS])
        axes.set_ylim(0, 103)
        style_axes(axes, task.dataset_name, 'rare to frequent', 'macro F1, %', grid='y')
        axes.legend(fontsize=7, loc='lower left')
    return figure


def measured(data: Mapping[str, Any]) -> set[Hashable]:
    """The cells of a page."""
    return {(row['task'], row['method'], f'seed {seed}') for row in data['rows'] for seed in row['seeds']}


KIND = Kind(markdown, plot, measured)
