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

_NOTES = (
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
)


def assemble(
    records: Sequence[Mapping[str, Any]], command: str, about: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What the JSON file of the page holds: suite, measured, and rows with lists over seeds.

    Args:
      records: one per cell.
      command: that measures them again.
      about: what a page on the user's own recordings says besides: page (its name), title, intro, tasks (name,
        protocol, words), inputs (name, words, front_end, model) and notes; None: that of ADI and HIT.
    """
    plain = [{k: v for k, v in record.items() if k != 'asked'} for record in records]
    seeds = sorted({record['seed'] for record in plain})
    found = {'suite': NAME, 'measured': how_measured(command, seeds), 'rows': pack(plain, _PER_SEED)}
    return {**found, 'about': dict(about)} if about else found


def _about(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a page says besides its rows, see `assemble`."""
    if 'about' in data:
        return data['about']
    return {
        'page': NAME,
        'title': 'Your own machine: what forty files are worth',
        'intro': 'Test benches as a new user has them: a folder of files, described by a pattern of names (dataset '
        '`recordings`).',
        'tasks': [{'name': t.name, 'protocol': t.protocol, 'words': t.words} for t in TASKS],
        'inputs': [{k: getattr(i, k) for k in ('name', 'words', 'front_end', 'model')} for i in INPUTS],
        'notes': _NOTES,
    }


def _of_task(rows: Sequence[Row], task: str, order: Sequence[str]) -> list[Row]:
    return sorted((row for row in rows if row['task'] == task), key=lambda row: order.index(row['input']))


def markdown(data: Mapping[str, Any]) -> str:
    """The page, from what `assemble` returns."""
    rows, how, about = data['rows'], data['measured'], _about(data)
    files = about['page']
    lines = [
        f'# {about["title"]}',
        '',
        f'{about["intro"]} All folds of the protocol are scored together, and every recording counts once (mean of its '
        'windows). '
        f'In percent, mean ± standard deviation over seeds {", ".join(map(str, how["seeds"]))}.',
        '',
        f'Made by `{how["command"]}`; values of every seed: [{files}.json]({files}.json).',
        '',
        f'![Macro F1 by recording]({files}.png)',
    ]
    for task in about['tasks']:
        mine = _of_task(rows, task['name'], [kind['name'] for kind in about['inputs']])
        if mine:
            lines += [
                '',
                f'## {task["words"]}',
                '',
                f'Protocol `{task["protocol"]}`, {mine[0]["recordings"]} recordings.',
                '',
            ]
            header = ['input and network', 'macro F1', 'accuracy', 'balanced accuracy', 'by window', 'seconds']
            lines += table(header, [_line(row, len(how['seeds'])) for row in mine])
    lines += ['', '## The rows', '']
    lines += [f'- **{k["name"]}**: {k["words"]} (`{k["front_end"]}`, `{k["model"]}`).' for k in about['inputs']]
    for note in about['notes']:
        lines += ['', note]
    return '\n'.join([*lines, '', f'{versions_text(how)}.', ''])


def _line(row: Row, seeds: int) -> list[str]:
    # A suite that was stopped has rows of fewer seeds, and says so.
    had = len(row['seeds'])
    name = row['input'] if had == seeds else f'{row["input"]} ({had} seed{"s" * (had > 1)} only)'
    values = [
        spread_text(row[k], percent=True) for k in ('macro_f1', 'accuracy', 'balanced_accuracy', 'window_accuracy')
    ]
    return [name, *values, f'{sum(row["seconds"]) / len(row["seconds"]):.0f}']


def plot(data: Mapping[str, Any]) -> Figure:
    """A group of bars per task: macro F1 by recording of every input."""
    rows, about = data['rows'], _about(data)
    kinds = [kind['name'] for kind in about['inputs']]
    tasks = [task for task in about['tasks'] if _of_task(rows, task['name'], kinds)]
    figure = new_figure(max(3.2 * len(tasks), 6), 4.0)
    axes = figure.subplots()
    width = 0.8 / len(kinds)
    for i, kind in enumerate(kinds):
        found = [
            (j, row)
            for j, task in enumerate(tasks)
            for row in rows
            if (row['task'], row['input']) == (task['name'], kind)
        ]
        values = [spread([100 * v for v in row['macro_f1']]) for _, row in found]
        places = [j + (i - (len(kinds) - 1) / 2) * width for j, _ in found]
        errors = [v['standard_deviation'] or 0.0 for v in values]
        axes.bar(places, [v['mean'] for v in values], width, yerr=errors, color=class_style(i)[0], label=kind)
    names = [task['protocol'] if 'about' in data else task['name'] for task in tasks]
    axes.set_xticks(range(len(tasks)), names)
    axes.set_ylim(0, 103)
    style_axes(axes, 'Every recording counts once', '', 'macro F1, %', grid='y')
    axes.legend(fontsize=7, loc='lower left')
    return figure


def measured(data: Mapping[str, Any]) -> set[Hashable]:
    """The cells of a page."""
    return {(row['task'], row['input'], f'seed {seed}') for row in data['rows'] for seed in row['seeds']}


KIND = Kind(markdown, plot, measured)
