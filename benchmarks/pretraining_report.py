"""The pretraining benchmark as a page in Markdown, a JSON file and a plot of accuracy over labels.

The whole suite takes hours: a call for some of its tasks replaces those in the JSON file and keeps the others.
"""

from __future__ import annotations

import json
import pathlib
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fdx.evaluate.canvas import class_style, new_figure, save_png, style_axes
from fdx.evaluate.spread import spread
from fdx.files import atomic_write_text, write_json
from fdx.types import DataError

from .pretraining_page import markdown
from .pretraining_suite import NETWORKS, TASKS, Network, Task, why_not
from .probe import CHOSEN
from .probe_report import shots_words
from .stage_features import INPUT

NAME = 'pretraining'


def cell_of(runs: Sequence[Mapping[str, Any]], stage: str) -> list[dict[str, Any]]:
    """One dict a number of shots: accuracy and macro F1 over all draws of all seeds, and the stages chosen.

    Args:
      runs: results of `benchmarks.probe.probe`, one a seed; the first has all numbers of shots.
      stage: a stage's name, INPUT or CHOSEN.
    """
    cells = []
    for shots in (part['shots'] for part in runs[0]['shots']):
        parts = [part['rows'] for run in runs for part in run['shots'] if part['shots'] == shots]
        rows = [next(row for row in part if row['stage'] == stage) for part in parts]
        picks: Counter[str] = Counter()
        for row in (row for part in parts for row in part if row['chosen'] and row['stage'] != CHOSEN):
            picks[row['stage']] += row['chosen']
        spreads = {m: spread([v for row in rows for v in row[m]['values']]) for m in ('accuracy', 'macro_f1')}
        cells.append({'shots': shots, 'chosen': dict(picks) if stage == CHOSEN else None, **spreads})
    return cells


def assemble(
    found: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]],
    seeds: Sequence[int],
    command: str,
    tuned: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """Everything that the page tells of the tasks that were asked for.

    Args:
      found: (task, network) -> results of a probe with 'seconds' and 'on' (a date), one a seed.
      seeds: theirs.
      command: that found them.
      tuned: (task, network) -> accuracy, macro_f1 and seconds of fine-tuned networks, one dict a seed.

    Returns:
      list of {name, words, dataset, protocol, classes, test_windows, validation_windows, fine_tuned (labels a class, 0
      for none), measured {on (dates), command, seeds, versions, backend}, rows: list of {network, words, front_end,
      cells of `cell_of`, seconds (mean of a seed), fine_tuned {accuracy, macro_f1, seconds} or None, or not_asked}}.
      The first rows of a task are the inputs without network, one a front end.
    """
    tasks = []
    for task in TASKS:
        asked = [network for network in NETWORKS if (task.name, network.name) in found]
        if not asked:
            continue
        rows = _rows(task, found, tuned)
        first = found[task.name, asked[0].name][0]
        about = {k: first[k] for k in ('protocol', 'classes', 'test_windows', 'validation_windows')}
        about['fine_tuned'] = task.fine_tuned if any(row.get('fine_tuned') for row in rows) else 0
        about['measured'] = {
            'on': sorted({run['on'] for network in asked for run in found[task.name, network.name]}),
            'command': command,
            'seeds': list(seeds),
            'versions': first['versions'],
            'backend': first['backend'],
        }
        tasks.append({'name': task.name, 'words': task.words, 'dataset': task.dataset, **about, 'rows': rows})
    return tasks


def _rows(
    task: Task,
    found: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]],
    tuned: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]],
) -> list[dict[str, Any]]:
    """The inputs, one a front end, then every network, asked or not."""
    inputs: dict[str, dict] = {}
    rows = []
    for network in NETWORKS:
        runs = found.get((task.name, network.name))
        if runs is None:
            reason = why_not(task, network) or 'not run'
            rows.append({'network': network.name, 'words': network.words, 'not_asked': reason})
            continue
        front_end = runs[0]['front_end']
        plain = {'network': f'{INPUT} of {front_end}', 'words': 'no network', 'front_end': front_end}
        empty = {'seconds': None, 'fine_tuned': None}
        inputs.setdefault(front_end, {**plain, 'cells': cell_of(runs[:1], INPUT), **empty})
        rows.append(_row(network, runs, tuned.get((task.name, network.name))))
    return [*inputs.values(), *rows]


def _row(
    network: Network, runs: Sequence[Mapping[str, Any]], tuned: Sequence[Mapping[str, Any]] | None
) -> dict[str, Any]:
    return {
        'network': network.name,
        'words': network.words,
        'front_end': runs[0]['front_end'],
        'cells': cell_of(runs, CHOSEN),
        'seconds': float(np.mean([run['seconds'] for run in runs])),
        'fine_tuned': tuned and {m: spread([run[m] for run in tuned]) for m in ('accuracy', 'macro_f1', 'seconds')},
    }


def with_published(folder: pathlib.Path, tasks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tasks just measured, with those that only an earlier call measured, in the suite's order.

    Args:
      folder: of that call's pretraining.json, if there was one.
      tasks: of `assemble`.

    Raises:
      DataError: the file there is not a page's.
    """
    path = folder / f'{NAME}.json'
    if not path.exists():
        return list(tasks)
    try:
        published = {task['name']: task for task in json.loads(path.read_text(encoding='utf-8'))['tasks']}
        markdown(list(published.values()), NAME)  # What cannot be a page is none.
    except (ValueError, KeyError, TypeError) as e:
        raise DataError(
            f'{path}: not what `launch.benchmark --suite=pretraining` writes ({e!r}), and its other tasks were to be '
            'kept: remove it, or give another --out'
        ) from e
    published.update({task['name']: task for task in tasks})
    return [published[task.name] for task in TASKS if task.name in published]


def plot(tasks: Sequence[Mapping[str, Any]]) -> Figure:
    """A panel a task: accuracy over labelled windows of each class."""
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


def write_pretraining(folder: pathlib.Path, tasks: Sequence[Mapping[str, Any]]) -> pathlib.Path:
    """Writes pretraining.json, .md and .png; returns the path of the page.

    Raises:
      FileWriteError: a file cannot be written.
    """
    save_png(plot(tasks), folder / f'{NAME}.png')
    write_json(folder / f'{NAME}.json', {'tasks': tasks})
    atomic_write_text(folder / f'{NAME}.md', markdown(tasks, NAME))
    return folder / f'{NAME}.md'
