"""The page of an adaptation benchmark: Markdown, JSON rows and a plot."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fdx.adapt.config import DEFAULT_CRITERION
from fdx.adapt.methods import METHODS
from fdx.adapt.selection import ORACLE, SELECTIONS
from fdx.evaluate.canvas import class_style, new_figure, save_png, style_axes
from fdx.evaluate.intervals import wilson_interval
from fdx.files import atomic_write_text, write_json
from fdx.train.description import environment

from .adaptation_suite import BATCH_SIZE, INPUTS, LEARNING_RATE, Suite

Row = Mapping[str, Any]


def by_seed(rows: Sequence[Row]) -> list[float]:
    """Mean accuracy over the tasks of each seed, in percent."""
    seeds = sorted({row['seed'] for row in rows})
    return [100 * float(np.mean([row['accuracy'] for row in rows if row['seed'] == seed])) for seed in seeds]


def summary(rows: Sequence[Row]) -> str:
    """'97.5 ± 1.2 / 3.4': mean, spread of the seeds' means, spread over tasks; '–' without rows."""
    if not rows:
        return '–'
    means = by_seed(rows)
    tasks = sorted({row['task'] for row in rows})
    over_tasks = [100 * np.mean([row['accuracy'] for row in rows if row['task'] == task]) for task in tasks]
    text = f'{np.mean(means):.1f}'
    if len(means) > 1:
        text += f' ± {np.std(means, ddof=1):.1f}'
    return f'{text} / {np.std(over_tasks, ddof=1):.1f}' if len(tasks) > 1 else text


def _pick(rows: Sequence[Row], **fields: Any) -> list[Row]:
    return [row for row in rows if all(row[k] == v for k, v in fields.items())]


def _order(rows: Sequence[Row], key: str, known: Sequence[str]) -> list[str]:
    have = {row[key] for row in rows}
    return [name for name in known if name in have]


def markdown(suite: Suite, cells: Sequence[Mapping[str, Any]], command: str) -> str:
    """The page."""
    rows = [row for cell in cells for row in cell['rows']]
    seeds = sorted({row['seed'] for row in rows})
    lines = [
        f'# {suite.words}',
        '',
        'Labels of the target are read for scores, and before that for the classes that both sides have: windows of '
        'others are left out, and protocols by recording deal its recordings class by class.',
        '',
        f'Accuracy on windows of the target in percent: mean over tasks and seeds ({", ".join(map(str, seeds))}) ± '
        "standard deviation of the seeds' means / standard deviation over tasks. Each column chooses the epoch by "
        f'another criterion; `{DEFAULT_CRITERION}` is the default of `launch.adapt`. None reads a label of the target, '
        f'but **{ORACLE}**, which is not usable: it shows what choosing on target labels would claim.',
        '',
        f'Made by `{command}`; every run: [{suite.name}.json]({suite.name}.json).',
        '',
        f'![Accuracy of every method]({suite.name}.png)',
    ]
    for name in _order(rows, 'input', suite.inputs):
        of_input = _pick(rows, input=name)
        entry = INPUTS[name]
        lines += ['', f'## {name}: {entry.words}, {entry.model}', '']
        header = ['method', *[s for s in SELECTIONS if s != ORACLE], 'seconds a run', f'{ORACLE} (not usable)']
        lines += _table(header, [_method_line(of_input, m) for m in _order(of_input, 'method', list(METHODS))])
        lines += [
            '',
            f'By task, epoch chosen by `{DEFAULT_CRITERION}`, with the 95 % interval {_counted(cells)}:',
            '',
        ]
        lines += _task_table(suite, cells, name)
    lines += ['', *_notes(suite, rows)]
    return '\n'.join([*lines, ''])


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return ['| ' + ' | '.join(header) + ' |', '|' + '---|' * len(header), *['| ' + ' | '.join(r) + ' |' for r in rows]]


def _method_line(rows: Sequence[Row], method: str) -> list[str]:
    mine = _pick(rows, method=method)
    seconds = np.mean([row['seconds'] for row in mine])
    usable = [summary(_pick(mine, selection=s)) for s in SELECTIONS if s != ORACLE]
    return [method, *usable, f'{seconds:.0f}', summary(_pick(mine, selection=ORACLE))]


def _task_table(suite: Suite, cells: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    of_input = [cell for cell in cells if cell['rows'][0]['input'] == name]
    methods = _order([cell['rows'][0] for cell in of_input], 'method', list(METHODS))
    lines = []
    for pair in suite.pairs:
        line = [pair.name]
        for method in methods:
            mine = [c for c in of_input if c['rows'][0]['task'] == pair.name and c['rows'][0]['method'] == method]
            found = [next(r for r in c['rows'] if r['selection'] == DEFAULT_CRITERION)['accuracy'] for c in mine]
            line.append(_with_interval(found, [_number(c, cells) for c in mine]))
        lines.append(line)
    return _table(['task', *methods], lines)


def _counted(cells: Sequence[Mapping[str, Any]]) -> str:
    """What the intervals of a page count; cells of older versions do not know their recordings."""
    if all('units' in cell for cell in cells):
        return "of its recordings (Wilson's, of recordings that are right or wrong as a whole)"
    return 'over its windows, as if they were independent, which they are not'


def _number(cell: Mapping[str, Any], cells: Sequence[Mapping[str, Any]]) -> float:
    return cell['units'] if all('units' in c for c in cells) else cell['windows']


def _with_interval(accuracies: Sequence[float], numbers: Sequence[float]) -> str:
    """Mean over seeds, with the interval that the recordings (or windows) of one seed give.

    Other seeds score the same ones, or (where folds follow the seed) about as many: counting them as new ones would
    narrow the interval without cause.
    """
    if not accuracies:
        return '–'
    mean, n = float(np.mean(accuracies)), float(np.mean(numbers))
    low, high = wilson_interval(mean * n, n) or (0.0, 1.0)
    return f'{100 * mean:.1f} ({100 * low:.0f}–{100 * high:.0f})'


def _notes(suite: Suite, rows: Sequence[Row]) -> list[str]:
    versions = ', '.join(f'{name} {version}' for name, version in environment()['versions'].items())
    records = ' and '.join(dict.fromkeys(str(row.get('records', 'before 2.0.0')) for row in rows))
    few = f', {suite.labels_per_class} source windows of each class' if suite.labels_per_class else ''
    protocols = '; '.join(dict.fromkeys(row['protocol'].partition(', fold')[0] for row in rows))
    folds = 'Fold K for seed K. ' if any(pair.rotates for pair in suite.pairs) else ''
    return [
        f'Protocols: {protocols}. {folds}Windows of the target are seen without labels from its training part. Adam, '
        f'learning rate {LEARNING_RATE:g}, {BATCH_SIZE} windows of each domain a step, about {suite.steps} steps{few}; '
        'the same for all methods. Inputs, networks and these settings were chosen with target accuracy of CWRU and '
        'MFPT in view: development results. The methods of one input are scored on the same windows; an input that '
        'none adapts, on all of the target. Seconds of a run: training, all criteria in every epoch, last checkpoint.',
        '',
        f'Records of version {records}; {versions}; {environment()["backend"]}.',
    ]


def plot(suite: Suite, rows: Sequence[Row]) -> Figure:
    """A panel an input: every method's accuracy by the default criterion, and what the oracle would claim."""
    inputs = _order(rows, 'input', suite.inputs)
    figure = new_figure(max(4.4 * len(inputs), 5), 4.2)
    for axes, name in zip(np.atleast_1d(figure.subplots(1, len(inputs))), inputs):
        of_input = _pick(rows, input=name)
        methods = _order(of_input, 'method', list(METHODS))
        for i, method in enumerate(methods):
            mine = _pick(of_input, method=method)
            means = by_seed(_pick(mine, selection=DEFAULT_CRITERION))
            spread = np.std(means, ddof=1) if len(means) > 1 else 0.0
            axes.bar(i, np.mean(means), yerr=spread, color=class_style(i)[0], capsize=3)
            axes.plot([i - 0.4, i + 0.4], [np.mean(by_seed(_pick(mine, selection=ORACLE)))] * 2, ':', color='#1f2933')
        axes.set_xticks(range(len(methods)), methods, rotation=60, ha='right')
        axes.set_ylim(0, 103)
        axes.set_xlim(-1, max(len(methods), 3))  # One bar alone would fill its panel.
        style_axes(axes, name, '', f'target accuracy, % (by {DEFAULT_CRITERION}; dotted: oracle)', grid='y')
    return figure


def write_suite(folder: pathlib.Path, suite: Suite, cells: Sequence[Mapping[str, Any]], command: str) -> pathlib.Path:
    """Writes SUITE.md, SUITE.json (a list of rows) and SUITE.png; returns the path of the page."""
    rows = [row for cell in cells for row in cell['rows']]
    save_png(plot(suite, rows), folder / f'{suite.name}.png')
    write_json(folder / f'{suite.name}.json', rows)
    atomic_write_text(folder / f'{suite.name}.md', markdown(suite, cells, command))
    return folder / f'{suite.name}.md'
