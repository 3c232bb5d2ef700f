"""The pretraining benchmark as a page in Markdown, a JSON file and a plot of accuracy over labels."""

from __future__ import annotations

import pathlib
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fdx.evaluate.canvas import class_style, new_figure, save_png, style_axes
from fdx.evaluate.comparison_scores import spread
from fdx.evaluate.pretraining_suite import FINE_TUNING, NETWORKS, TASKS, Network, why_not
from fdx.evaluate.probe import CHOSEN
from fdx.evaluate.probe_report import shots_words
from fdx.evaluate.stage_features import INPUT
from fdx.files import atomic_write_text, write_json

NAME = 'pretraining'


def cell_of(runs: Sequence[Mapping[str, Any]], stage: str) -> list[dict[str, Any]]:
    """One dict a number of shots: accuracy and macro F1 over all draws of all seeds, and the stages chosen.

    Args:
      runs: results of `fdx.evaluate.probe.probe`, one a seed; the first has all numbers of shots.
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
    tuned: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]] = MappingProxyType({}),
) -> dict[str, Any]:
    """Everything that the page tells.

    Args:
      found: (task, network) -> results of a probe with 'seconds', one a seed.
      seeds: theirs.
      tuned: (task, network) -> accuracy, macro_f1 and seconds of fine-tuned networks, one dict a seed.

    Returns:
      seeds, environment of the last run, tasks: list of {name, words, dataset, protocol, classes, test_windows, rows:
      list of {network, words, front_end, cells of `cell_of`, seconds (mean of a seed), fine_tuned {accuracy, macro_f1,
      seconds} or None, or not_asked}}. The first rows of a task are the inputs without network, one a front end.
    """
    tasks = []
    for task in TASKS:
        asked = [network for network in NETWORKS if (task.name, network.name) in found]
        if not asked:
            continue
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
        first = found[task.name, asked[0].name][0]
        about = {k: first[k] for k in ('protocol', 'classes', 'test_windows', 'validation_windows')}
        about['fine_tuned'] = task.fine_tuned if any(row.get('fine_tuned') for row in rows) else 0
        tasks.append({'name': task.name, 'words': task.words, 'dataset': task.dataset, **about})
        tasks[-1]['rows'] = [*inputs.values(), *rows]
    last = next(iter(found.values()))[0]
    return {'seeds': list(seeds), 'versions': last['versions'], 'backend': last['backend'], 'tasks': tasks}


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


def percent(values: Mapping[str, Any]) -> str:
    """'97.5 ± 1.2', or '97.5' for a single value."""
    if values['standard_deviation'] is None:
        return f'{100 * values["mean"]:.1f}'
    return f'{100 * values["mean"]:.1f} ± {100 * values["standard_deviation"]:.1f}'


def markdown(results: Mapping[str, Any], command: str) -> str:
    """The page."""
    lines = [
        '# What is pretraining worth?',
        '',
        'Linear heads on frozen networks: accuracy on test windows in percent, mean ± standard deviation over draws of '
        f'labelled windows and over the seeds {", ".join(map(str, results["seeds"]))} (which draw untrained networks, '
        'too). The stage is chosen in each fold and draw on validation windows of the training recordings; no test '
        'window takes part. The rows `log_mel` are the inputs averaged over time: no network at all.',
        '',
        f'Made by `{command}`. Numbers of every cell, with macro F1: [{NAME}.json]({NAME}.json).',
        '',
        f'![Accuracy over labelled windows]({NAME}.png)',
    ]
    for task in results['tasks']:
        shots = [cell['shots'] for cell in next(row for row in task['rows'] if 'cells' in row)['cells']]
        header = ['network', 'trained on', *[f'{shots_words(k)} a class' for k in shots], 'stages chosen', 'seconds']
        if task['fine_tuned']:
            header += [f'fine-tuned, {task["fine_tuned"]} a class', 'seconds']
        lines += ['', f'## {task["name"]}: {task["words"]}', '']
        lines += [
            f'`{task["dataset"]}`, protocol `{task["protocol"]}`, {task["classes"]} classes, {task["test_windows"]} '
            f'test windows, {task["validation_windows"]} validation windows.',
            '',
            '| ' + ' | '.join(header) + ' |',
            '|' + '---|' * len(header),
        ]
        lines += [_line(row, len(shots), bool(task['fine_tuned'])) for row in task['rows']]
    lines += ['', *_NOTES]
    versions = ', '.join(f'{name} {version}' for name, version in results['versions'].items())
    return '\n'.join([*lines, '', f'{versions}; {results["backend"]}.', ''])


_BUDGET = ', '.join(f'{name} {value:g}' for name, value in FINE_TUNING.items())
_NOTES = (
    'Stages chosen: with the most labels. Seconds of a seed: reading, features and all heads; less where features were '
    'on the disk already. Fine-tuned: all '
    f'layers, fold 0, {_BUDGET}, the step chosen by validation loss; mean ± standard deviation over seeds; its test '
    'windows are those of one fold only.',
)


def _untuned(row: Mapping[str, Any]) -> str:
    return '' if row['words'] == 'no network' else 'not run'


def _line(row: Mapping[str, Any], shots: int, with_tuned: bool) -> str:
    if 'cells' not in row:
        empty = [row['not_asked'], '', *(['', ''] if with_tuned else [])]
        return '| ' + ' | '.join([row['network'], row['words'], *['–'] * shots, *empty]) + ' |'
    cells = [percent(cell['accuracy']) for cell in row['cells']]
    chosen = row['cells'][-1]['chosen']
    total = sum(chosen.values()) if chosen else 0
    picks = ', '.join(f'{k} {100 * v / total:.0f} %' for k, v in chosen.items()) if chosen else ''
    seconds = '' if row['seconds'] is None else f'{row["seconds"]:.0f}'
    tuned = row['fine_tuned']
    last = (
        [percent(tuned['accuracy']), f'{tuned["seconds"]["mean"]:.0f}']
        if tuned
        else [_untuned(row), '']
        if with_tuned
        else []
    )
    return '| ' + ' | '.join([row['network'], row['words'], *cells, picks, seconds, *last]) + ' |'


def plot(results: Mapping[str, Any]) -> Figure:
    """A panel a task: accuracy over labelled windows of each class."""
    tasks = results['tasks']
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


def write_pretraining(folder: pathlib.Path, results: Mapping[str, Any], command: str) -> pathlib.Path:
    """Writes pretraining.json, .md and .png; returns the path of the page.

    Raises:
      FileWriteError: a file cannot be written.
    """
    save_png(plot(results), folder / f'{NAME}.png')
    write_json(folder / f'{NAME}.json', results)
    atomic_write_text(folder / f'{NAME}.md', markdown(results, command))
    return folder / f'{NAME}.md'
