"""The page of the pretraining benchmark: a section for each task that says when and how it was measured; a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fdx.evaluate.canvas import class_style, new_figure, style_axes
from fdx.evaluate.spread import NOTHING, spread_text

from .page import OLD_RECORDS, Kind, table, versions_text
from .pretraining_answer import answer
from .pretraining_merge import merged
from .pretraining_results import NAME, measured
from .pretraining_suite import FEW_RECORDINGS, FINE_TUNING
from .probe_report import shots_words

COLUMNS = 4
# Rows of the shipped judge, which is not trained here.
JUDGED = 'universal_judge'
_BUDGET = ', '.join(f'{name} {value:g}' for name, value in FINE_TUNING.items())
_HEAD = (
    'Linear heads on frozen networks: accuracy on test windows in percent, mean ± standard deviation over draws of '
    'labelled windows and over the seeds (which draw untrained networks, too). The stage is chosen in each fold and '
    'draw on validation windows of the training recordings; no test window takes part. The rows `log_mel` and `image` '
    'are the inputs averaged over time: no network at all. `fault_orders linear` is a linear head on the image of '
    'fault orders as it is, and `evidence linear` one on the image that the universal judge reads. `vgg16` is its five '
    'blocks of convolutions on `scalogram_small`. `universal_judge` is the judge that fdx ships '
    '(fdx.predict.universal): its stage `read` is the vector in front of the classifier, 64 values of each of its six '
    'networks, and `verdict` their mean logits, one value for each of five states. In tasks of windows it sees the '
    'evidence of one window, where it was trained on whole recordings.'
)
_FEW = (
    'Whole recordings are labelled: in each draw, as many of every class as the column says, drawn at random, and all '
    'others are tested, so that no test recording shares a window with a labelled one. Of a class with too few '
    'recordings, all but one are labelled. No network has seen the machine before, and the head has no other labels '
    'than these. It is fitted to windows, and its probabilities are averaged over the windows of a recording. The '
    'stage is the one that did best on the other of the two machines with as many labels. Balanced accuracy over '
    'recordings in percent (chance is {chance}). `universal_judge no labels` is what the judge says by itself. Its '
    'rows, and those of its evidence, are development results: the evidence was improved while errors on these two '
    'machines were looked at (docs/decisions/zero_shot.md).'
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
        *([said, ''] if (said := answer(tasks)) else []),
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
    shots = [cell['shots'] for cell in row_cells(task)]
    header = ['network', 'trained on', *[f'{shots_words(k)} a class' for k in shots], 'stages chosen', 'seconds']
    if task['fine_tuned']:
        header += [f'fine-tuned, {task["fine_tuned"]} a class', 'seconds']
    few = task['protocol'] == FEW_RECORDINGS
    return [
        f'## {task["name"]}: {task["words"]}',
        '',
        f'{_of_recordings(task) if few else _of_windows(task)} Measured {_how(task["measured"])}.{_later(task)}',
        *(['', _FEW.format(chance=f'{100 / task["classes"]:.0f}')] if few else []),
        '',
        *table(header, [_line(row, len(shots), task) for row in task['rows']]),
        *_other_windows(task),
    ]


def _of_windows(task: Mapping[str, Any]) -> str:
    return (
        f'`{task["dataset"]}`, protocol `{task["protocol"]}`, {task["classes"]} classes, {task["test_windows"]} '
        f'test windows, {task["validation_windows"]} validation windows.'
    )


def _of_recordings(task: Mapping[str, Any]) -> str:
    states = ', '.join(f'{number} {state}' for state, number in task['recordings'].items())
    return f'`{task["protocol"]}` on {task["dataset"]}: {sum(task["recordings"].values())} recordings ({states}).'


def _how(how: Mapping[str, Any]) -> str:
    return f'{", ".join(how["on"])} by `{how["command"]}`'


def _later(task: Mapping[str, Any]) -> str:
    """Sentences about rows that were measured at another time than the others."""
    groups: dict[str, list[str]] = {}
    for row in task['rows']:
        if 'measured' in row:
            how = row['measured']
            groups.setdefault(f'measured {_how(how)} (fdx {how["versions"].get("fdx")}).', []).append(row['network'])
    return ''.join(f' {", ".join(f"`{name}`" for name in names)}: {words}' for words, names in groups.items())


def _other_windows(task: Mapping[str, Any]) -> list[str]:
    """A line about rows whose front end makes other windows of the same recordings."""
    groups: dict[tuple[str, int], list[str]] = {}
    for row in task['rows']:
        if 'test_windows' in row:
            groups.setdefault((row['front_end'], row['test_windows']), []).append(f'`{row["network"]}`')
    words = [f'{", ".join(n)}: {number} test windows of `{front_end}`' for (front_end, number), n in groups.items()]
    return ['', f'Other windows of the same recordings: {"; ".join(words)}.'] if words else []


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


def _line(row: Mapping[str, Any], shots: int, task: Mapping[str, Any]) -> list[str]:
    with_tuned, score = bool(task['fine_tuned']), task.get('score', 'accuracy')
    if 'cells' not in row:
        empty = [row['not_asked'], '', *(['', ''] if with_tuned else [])]
        return [row['network'], row['words'], *[NOTHING] * shots, *empty]
    cells = [spread_text(cell[score], percent=True) for cell in row['cells']]
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
        return ['' if row['words'] == 'no network' or row['network'].startswith(JUDGED) else 'not run', '']
    return [spread_text(tuned['accuracy'], percent=True), f'{np.median(tuned["seconds"]["values"]):.0f}']


def plot(data: Mapping[str, Any]) -> Figure:
    """A panel for each task: accuracy over labelled windows of each class."""
    tasks = data['tasks']
    columns = min(len(tasks), COLUMNS)
    rows = -(-len(tasks) // columns)
    figure = new_figure(2.55 * columns, 2.5 * rows + 0.9)
    names = list(dict.fromkeys(row['network'] for task in tasks for row in task['rows'] if 'cells' in row))
    panels = np.ravel(figure.subplots(rows, columns))
    for axes in panels[len(tasks) :]:
        axes.remove()
    for axes, task in zip(panels, tasks):
        _panel(axes, task, names)
    handles: dict[str, Any] = {}
    for axes in figure.axes:
        handles.update({label: handle for handle, label in zip(*axes.get_legend_handles_labels())})
    figure.legend(handles.values(), handles.keys(), loc='outside lower center', ncols=5, fontsize=7, frameon=False)
    return figure


def _panel(axes: Axes, task: Mapping[str, Any], names: Sequence[str]) -> None:
    """One task: a line for each row. With twenty lines, bars of the deviations, which the table has, hide them."""
    score = task.get('score', 'accuracy')
    for row in task['rows']:
        if 'cells' not in row:
            continue
        found = [cell[score] for cell in row['cells']]
        colour, marker = class_style(names.index(row['network']))
        axes.plot(
            range(len(found)),
            [100 * f['mean'] for f in found],
            color=colour,
            marker=marker,
            markersize=4,
            linewidth=1.3,
            linestyle='--' if row['words'] == 'no network' else ':' if row['words'] == 'nothing' else '-',
            label=row['network'],
        )
    cells = row_cells(task)
    axes.set_xticks(range(len(cells)), [shots_words(cell['shots']) for cell in cells])
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom, min(top, 100 + 0.03 * (100 - bottom)))
    few = task['protocol'] == FEW_RECORDINGS
    labels = ('recordings', 'balanced accuracy') if few else ('windows', 'test accuracy')
    style_axes(axes, task['name'], f'labelled {labels[0]} a class', f'{labels[1]}, %', grid='y')


def row_cells(task: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Cells of the first row of a task that has some."""
    return next(row['cells'] for row in task['rows'] if 'cells' in row)


KIND = Kind(markdown, plot, measured, merged)
