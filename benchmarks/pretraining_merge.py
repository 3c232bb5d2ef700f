"""Two pages of the pretraining benchmark as one: what a call measured now, and the rows that only an older page has.

A row that was measured at another time than the rest of its task says so itself (`measured`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import pretraining_suite
from .pretraining_results import NAME
from .pretraining_suite import NETWORKS, Task, why_not


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The rows of a new page, with those that only an older one has, in the order of the suite."""
    older, newer = ({task['name']: task for task in page['tasks']} for page in (old, new))
    tasks = []
    for task in pretraining_suite.TASKS:
        there = [page[task.name] for page in (older, newer) if task.name in page]
        if there:
            tasks.append(_complete(task, there[0] if len(there) == 1 else _both(*there)))
    return {'suite': NAME, 'tasks': tasks}


def _both(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """One task of two pages."""
    olds, news = ({row['network']: row for row in task['rows'] if 'cells' in row} for task in (old, new))
    if set(olds) <= set(news):
        return dict(new)
    stamp = {} if new['measured'] == old['measured'] else {'measured': new['measured']}
    windows = old.get('test_windows')
    if new.get('test_windows') != windows:
        news = {name: {'test_windows': new['test_windows'], **row} for name, row in news.items()}
    fresh = {name: _without({**row, **stamp}, 'test_windows', windows) for name, row in news.items()}
    rows = {**olds, **fresh}
    names = [network.name for network in NETWORKS]
    inputs = [row for name, row in rows.items() if name not in names]
    tuned = old['fine_tuned'] or new['fine_tuned']
    return {**old, 'fine_tuned': tuned, 'rows': [*inputs, *(rows[name] for name in names if name in rows)]}


def _without(row: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    """A row without what the task says already."""
    return {k: v for k, v in row.items() if k != key or v != value}


def _complete(task: Task, page: Mapping[str, Any]) -> dict[str, Any]:
    """A task whose rows are all networks of the suite: those that were not measured say why."""
    rows = {row['network']: row for row in page['rows']}
    inputs = [row for name, row in rows.items() if name not in {network.name for network in NETWORKS}]
    networks = []
    for network in NETWORKS:
        row = rows.get(network.name)
        if row is None or 'cells' not in row:
            reason = why_not(task, network) or 'not run'
            row = {'network': network.name, 'words': network.words, 'not_asked': reason}
        networks.append(row)
    return {**page, 'rows': [*inputs, *networks]}
