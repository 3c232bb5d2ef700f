"""What the pretraining benchmark found, ready for its page: a section for each task, a row for each network.

The whole study takes hours, so a call may measure some of its tasks and networks; benchmarks.pretraining_merge keeps
the other rows as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from fdx.evaluate.spread import spread

from . import pretraining_suite
from .page import how_measured
from .pretraining_suite import JUDGE, NETWORKS, PLAIN, Network, Task, why_not
from .probe import CHOSEN
from .probe_report import shots_words
from .recording_vectors import NO_LABELS
from .stage_features import INPUT

NAME = 'pretraining'
DIGITS = 4


def cell_of(runs: Sequence[Mapping[str, Any]], stage: str, score: str = 'accuracy') -> list[dict[str, Any]]:
    """One dict for each number of shots: score and macro F1 over all draws of all seeds, and the stages chosen.

    Args:
      runs: results of `benchmarks.probe.probe`, one for each seed; the first has all numbers of shots.
      stage: a stage's name, INPUT or CHOSEN.
      score: what is reported beside macro F1.
    """
    cells = []
    for shots in (part['shots'] for part in runs[0]['shots']):
        parts = [part['rows'] for run in runs for part in run['shots'] if part['shots'] == shots]
        rows = [next(row for row in part if row['stage'] == stage) for part in parts]
        picks: Counter[str] = Counter()
        for row in (row for part in parts for row in part if row['chosen'] and row['stage'] != CHOSEN):
            picks[row['stage']] += row['chosen']
        spreads = {m: _short(spread([v for row in rows for v in row[m]['values']])) for m in (score, 'macro_f1')}
        cells.append({'shots': shots, 'chosen': dict(picks) if stage == CHOSEN else None, **spreads})
    return cells


def _short(found: dict[str, Any]) -> dict[str, Any]:
    """The single values with as many digits as tests of a few thousand windows have."""
    return {**found, 'values': [round(value, DIGITS) for value in found['values']]}


def assemble(
    found: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]],
    seeds: Sequence[int],
    command: str,
    tuned: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]] = MappingProxyType({}),
) -> dict[str, Any]:
    """What the JSON file of the page holds of the tasks that were asked for.

    Args:
      found: (task, network) -> results of a probe with 'seconds' and 'on' (a date), one for each seed.
      seeds: theirs.
      command: that found them.
      tuned: (task, network) -> accuracy, macro_f1 and seconds of fine-tuned networks, one dict for each seed.

    Returns:
      suite (its name), tasks: list of {name, words, dataset, protocol, score, classes, test_windows and
      validation_windows, or recordings (state -> number), fine_tuned (labels a class, 0 for none), measured {on
      (dates), command, seeds, versions, backend}, rows: list of {network, words, front_end, cells of `cell_of`,
      seconds (mean over seeds), fine_tuned {accuracy, macro_f1, seconds} or None, test_windows where they are not the
      task's; or not_asked}}.
      The first rows of a task are the inputs without a network, one for each front end.
    """
    tasks = []
    for task in pretraining_suite.TASKS:
        asked = [network for network in NETWORKS if (task.name, network.name) in found]
        if not asked:
            continue
        rows = _rows(task, found, tuned)
        first = found[task.name, asked[0].name][0]
        told = ('protocol', 'classes', 'test_windows', 'validation_windows', 'recordings')
        about = {k: first[k] for k in told if k in first} | {'score': task.score}
        about['fine_tuned'] = task.fine_tuned if any(row.get('fine_tuned') for row in rows) else 0
        about['measured'] = {
            **how_measured(command, seeds),
            'on': sorted({run['on'] for network in asked for run in found[task.name, network.name]}),
            'versions': first['versions'],
            'backend': first['backend'],
        }
        tasks.append({'name': task.name, 'words': task.words, 'dataset': task.dataset, **about, 'rows': rows})
    return {'suite': NAME, 'tasks': tasks}


def _rows(
    task: Task,
    found: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]],
    tuned: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]],
) -> list[dict[str, Any]]:
    """The inputs, one for each front end, then every network, asked or not."""
    inputs: dict[str, dict] = {}
    rows, windows = [], None
    for network in NETWORKS:
        runs = found.get((task.name, network.name))
        if runs is None:
            reason = why_not(task, network) or 'not run'
            rows.append({'network': network.name, 'words': network.words, 'not_asked': reason})
            continue
        first, number = runs[0], runs[0].get('test_windows')
        windows = number if windows is None else windows
        other = {} if number == windows else {'test_windows': number}
        common = {'front_end': first['front_end'], 'seconds': None, 'fine_tuned': None}
        for name, stage, words in _plain(network, first['front_end'], first['shots'][0]['rows']):
            cells = cell_of(runs[:1], stage, task.score)
            inputs.setdefault(name, {'network': name, 'words': words, **common, 'cells': cells, **other})
        rows.append({**_row(task, network, runs, tuned.get((task.name, network.name))), **other})
    return [*inputs.values(), *rows]


def _plain(network: Network, front_end: str, rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """(name, stage, words) of the rows that a network brings with it and that need none."""
    if network.init == PLAIN:
        return []  # The row itself.
    if network.init != JUDGE:
        kind = 'image' if front_end.startswith('scalogram') else INPUT
        return [(f'{kind} of {front_end}', INPUT, 'no network')]
    alone = [('universal_judge no labels', NO_LABELS, network.words)]
    return [('evidence linear', INPUT, 'no network'), *(alone if any(r['stage'] == NO_LABELS for r in rows) else [])]


def _row(
    task: Task,
    network: Network,
    runs: Sequence[Mapping[str, Any]],
    tuned: Sequence[Mapping[str, Any]] | None,
) -> dict[str, Any]:
    cells = cell_of(runs, CHOSEN, task.score)
    return {
        'network': network.name,
        'words': network.words,
        'front_end': runs[0]['front_end'],
        'cells': [{**cell, 'chosen': None} for cell in cells] if network.init == PLAIN else cells,
        'seconds': float(np.mean([run['seconds'] for run in runs])),
        'fine_tuned': tuned and {m: spread([run[m] for run in tuned]) for m in ('accuracy', 'macro_f1', 'seconds')},
    }


def measured(data: Mapping[str, Any]) -> set[Hashable]:
    """Everything that a page has measured: each value of each cell."""
    found: set[Hashable] = set()
    for task in data['tasks']:
        for row in task['rows']:
            for cell in row.get('cells', ()):
                part, values = f'{shots_words(cell["shots"])} a class', cell[task.get('score', 'accuracy')]['values']
                found |= {(task['name'], row['network'], part, i) for i in range(len(values))}
            if row.get('fine_tuned'):
                values = row['fine_tuned']['accuracy']['values']
                found |= {(task['name'], row['network'], 'fine-tuned', i) for i in range(len(values))}
    return found
