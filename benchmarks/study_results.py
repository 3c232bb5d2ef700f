"""What the file of the study's page holds, and how two of them become one."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from fdx.data.protocols.splits import PROTOCOLS

from .grid import pack
from .page import how_measured
from .study_models import MODELS, Model
from .study_suite import ANOTHER, NAME, RIG, Task

Row = Mapping[str, Any]
_PER_SEED = {'seed': 'seeds'} | {
    k: k
    for k in (
        'folds', 'train', 'validation', 'test', 'macro_f1', 'precision', 'recall', 'seconds', 'windows', 'recordings',
        'recordings_right', 'confusion',
    )
}  # fmt: skip


def assemble(
    found: Sequence[Mapping[str, Any]],
    tasks: Sequence[Task],
    models: Sequence[Model],
    budget: Mapping[str, int],
    command: str,
    left_out: Mapping[str, str],
) -> dict[str, Any]:
    """What the JSON file of the page holds.

    Args:
      found: one per cell, see `study_run.run_cell`; all of one dataset.
      tasks: that were asked.
      models: that were asked and could be had.
      budget: updates of each kind of training.
      command: that measures the cells again.
      left_out: name of a question or a model -> why it is not there.

    Returns:
      suite; models: name, title, words, network and front end; sections: per dataset how it was measured, its tasks and
      what was left out; rows: {dataset, protocol, model, init, updates, classes, leaks} with lists over seeds of train,
      validation and test accuracy, seconds, confusion, ..., and of precision and recall per class; curves: of the first
      seed.
    """
    updates = {model.name: budget[model.budget] for model in models}
    records = [{**row, 'updates': updates[row['model']]} for cell in found for row in cell['rows']]
    dataset, seeds = records[0]['dataset'], sorted({row['seed'] for row in records})
    asked = [{'name': t.name, 'words': t.words, 'leaks': PROTOCOLS[t.protocol].leaks} for t in tasks]
    if any(row['protocol'] == ANOTHER for row in records):
        words = 'the network of the random windows, asked about a machine that it has never seen'
        asked.append({'name': ANOTHER, 'words': words, 'leaks': False})
    section = {
        'dataset': dataset,
        'measured': how_measured(command, seeds),
        'tasks': asked,
        'left_out': dict(left_out),
    }
    return {
        'suite': NAME,
        'models': [_about(model) for model in models],
        'sections': [section],
        'rows': pack(records, _PER_SEED),
        'curves': [cell['curves'] for cell in found if cell['curves']['seed'] == seeds[0]],
    }


def _about(model: Model) -> dict[str, str]:
    return {k: getattr(model, k) for k in ('name', 'title', 'words', 'model', 'front_end')}


def merged(older: Mapping[str, Any], newer: Mapping[str, Any]) -> dict[str, Any]:
    """Both pages; what the newer one holds of a network and a question is its own. The study's rig comes first."""
    models = {m['name']: m for m in (*older['models'], *newer['models'])}
    order = [model.name for model in MODELS]
    found: dict[str, Any] = {'suite': NAME, 'models': sorted(models.values(), key=lambda m: order.index(m['name']))}
    new = {_cell(row) for row in newer['rows']}
    for key in ('rows', 'curves'):
        both = [*(x for x in older[key] if _cell(x) not in new), *newer[key]]
        found[key] = sorted(both, key=lambda x: (*_place(x), order.index(x['model'])))
    old = {section['dataset']: section for section in older['sections']}
    sections = old | {s['dataset']: _joined(old.get(s['dataset']), s, found['rows']) for s in newer['sections']}
    return found | {'sections': sorted(sections.values(), key=_place)}


def _cell(part: Mapping[str, Any]) -> tuple[str, str, str]:
    return part['dataset'], part['model'], part['protocol']


def _place(part: Mapping[str, Any]) -> tuple[bool, str]:
    return not part['dataset'].startswith(RIG), part['dataset']


def _joined(older: Mapping[str, Any] | None, newer: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, Any]:
    """A section with the tasks of both, and what is left out of both."""
    if older is None:
        return dict(newer)
    tasks = {t['name']: t for t in (*older['tasks'], *newer['tasks'])}
    there = {row[key] for row in rows if row['dataset'] == newer['dataset'] for key in ('model', 'protocol')}
    left_out = {k: v for k, v in {**older['left_out'], **newer['left_out']}.items() if k not in there}
    commands = [command for page in (older, newer) for command in page['measured']['command'].split('; ')]
    how = {**newer['measured'], 'command': '; '.join(dict.fromkeys(commands))}
    asked = [t for t in tasks.values() if t['name'] in there]
    return {**newer, 'measured': how, 'tasks': asked, 'left_out': left_out}


def measured(data: Mapping[str, Any]) -> set[Hashable]:
    """The cells of a page."""
    return {(row['dataset'], row['protocol'], row['model'], f'seed {s}') for row in data['rows'] for s in row['seeds']}
