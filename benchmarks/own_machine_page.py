"""The page of the own_machine benchmark: what its file holds, its text and its picture."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from fdx.evaluate.canvas import class_style, new_figure, style_axes
from fdx.evaluate.spread import spread, spread_text

from .grid import pack
from .own_machine_suite import INPUTS, NAME, TASKS
from .page import Kind, how_measured, table, versions_text

Row = Mapping[str, Any]
_PER_SEED = {'seed': 'seeds'} | {
    k: k for k in ('seconds', 'accuracy', 'balanced_accuracy', 'macro_f1', 'window_accuracy')
}


def assemble(records: Sequence[Mapping[str, Any]], command: str) -> dict[str, Any]:
    """What the JSON file of the page holds: suite, measured, and rows with lists over seeds."""
    plain = [{k: v for k, v in record.items() if k != 'asked'} for record in records]
    seeds = sorted({record['seed'] for record in plain})
    return {'suite': NAME, 'measured': how_measured(command, seeds), 'rows': pack(plain, _PER_SEED)}


def _of_task(rows: Sequence[Row], task: str) -> list[Row]:
    order = [kind.name for kind in INPUTS]
    return sorted((row for row in rows if row['task'] == task), key=lambda row: order.index(row['input']))


def markdown(data: Mapping[str, Any]) -> str:
    """The page, from what `assemble` returns."""
    rows, how = data['rows'], data['measured']
    lines = [
        '# Your own machine: what forty files are worth',
        '',
        'Test benches as a new user has them: a folder of files, described by a pattern of names (dataset '
        '`recordings`). All folds of the protocol are scored together, and every recording counts once (mean of its '
        'windows). '
        f'In percent, mean ± standard deviation over seeds {", ".join(map(str, how["seeds"]))}.',
        '',
        f'Made by `{how["command"]}`; values of every seed: [{NAME}.json]({NAME}.json).',
        '',
        f'![Macro F1 by recording]({NAME}.png)',
    ]
    for task in TASKS:
        mine = _of_task(rows, task.name)
        if mine:
            lines += [
                '',
                f'## {task.words}',
                '',
                f'Protocol `{task.protocol}`, {mine[0]["recordings"]} recordings.',
                '',
            ]
            header = ['input and network', 'macro F1', 'accuracy', 'balanced accuracy', 'by window', 'seconds']
            lines += table(header, [_line(row, len(how['seeds'])) for row in mine])
    lines += ['', '## The rows', '']
    lines += [f'- **{kind.name}**: {kind.words} (`{kind.front_end}`, `{kind.model}`).' for kind in INPUTS]
    return '\n'.join([*lines, '', *_notes(how), ''])


def _line(row: Row, seeds: int) -> list[str]:
    # A suite that was stopped has rows of fewer seeds, and says so.
    had = len(row['seeds'])
    name = row['input'] if had == seeds else f'{row["input"]} ({had} seed{"s" * (had > 1)} only)'
    values = [
        spread_text(row[k], percent=True) for k in ('macro_f1', 'accuracy', 'balanced_accuracy', 'window_accuracy')
    ]
    return [name, *values, f'{sum(row["seconds"]) / len(row["seconds"]):.0f}']


def _notes(how: Mapping[str, Any]) -> list[str]:
    return [
        'The linear rows use the settings of `fdx train`, the networks those of small data elsewhere in fdx (60 '
        'epochs at most, patience 12, Adam at 1e-3), chosen beforehand. What was tried on these recordings before, '
        'and seen with its scores: `band_mel` with one and three axes, with and without peak scaling, by '
        'scikit-learn (89 to 95 % of windows with all other speeds trained on), which made it the default of '
        '`fdx train`; '
        '40, 60 and 300 epochs of the 1 s row (84 to 86 % of windows); a frozen musicnn with a linear head, its '
        'stage chosen on validation (85 %). So ADI is a development set, and these scores are those of one. The '
        'step is the one with the lowest loss on validation recordings. A speed that is left out for testing, and '
        'the one that validates, are not trained on. Where the files name no bearing, all recordings of a class are '
        'of one bearing, so that none of these scores says how another bearing would do. `time_blocks` knows the '
        'very recording. A linear classifier is convex: its seeds differ by the order of windows alone. ADI does '
        'not name its bearing; the one assumed here, an ER-12K, fits its fault lines. On HIT the level alone tells '
        'healthy from faulty (`fdx inspect` says so): `band_mel` and `musicnn` bring every window to one level '
        'first.',
        '',
        f'{versions_text(how)}.',
    ]


def plot(data: Mapping[str, Any]) -> Figure:
    """A group of bars per task: macro F1 by recording of every input."""
    rows = data['rows']
    tasks = [task.name for task in TASKS if _of_task(rows, task.name)]
    figure = new_figure(max(3.2 * len(tasks), 6), 4.0)
    axes = figure.subplots()
    width = 0.8 / len(INPUTS)
    for i, kind in enumerate(INPUTS):
        found = [
            (j, row) for j, task in enumerate(tasks) for row in rows if (row['task'], row['input']) == (task, kind.name)
        ]
        values = [spread([100 * v for v in row['macro_f1']]) for _, row in found]
        places = [j + (i - (len(INPUTS) - 1) / 2) * width for j, _ in found]
        errors = [v['standard_deviation'] or 0.0 for v in values]
        axes.bar(places, [v['mean'] for v in values], width, yerr=errors, color=class_style(i)[0], label=kind.name)
    axes.set_xticks(range(len(tasks)), tasks)
    axes.set_ylim(0, 103)
    style_axes(axes, 'Every recording counts once', '', 'macro F1, %', grid='y')
    axes.legend(fontsize=7, loc='lower left')
    return figure


def measured(data: Mapping[str, Any]) -> set[Hashable]:
    """The cells of a page."""
    return {(row['task'], row['input'], f'seed {seed}') for row in data['rows'] for seed in row['seeds']}


KIND = Kind(markdown, plot, measured)
