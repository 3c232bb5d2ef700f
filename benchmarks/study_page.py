"""The page of the study: what its file holds, and its text."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from fdx.data.protocols.splits import PROTOCOLS
from fdx.evaluate.spread import NOTHING, spread_text

from .grid import pack
from .page import Kind, how_measured, table, versions_text
from .study_figures import PUBLISHED, REASONS, STATES
from .study_plots import plot
from .study_suite import ANOTHER, MODELS, NAME, RANDOM, RIG, Model, Task

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
    return {**newer, 'tasks': [t for t in tasks.values() if t['name'] in there], 'left_out': left_out}


def markdown(data: Mapping[str, Any]) -> str:
    """The page, from what `assemble` returns."""
    lines = [
        '# The study: VGGish, YAMNet and VGG16 on bearings',
        '',
        'Di Maggio, *Sensors* 23(1):211, 2023, compares networks of sound with one of images on one rig. This page '
        'has the same rows, and asks them what the study left open. Accuracies are of windows, in percent, mean ± '
        'standard deviation over the seeds. **Leaks** marks a split whose test windows are not independent of its '
        'training windows.',
        '',
        f'Values of every seed, with the confusion matrices: [{NAME}.json]({NAME}.json).',
        '',
        f'![Losses, accuracies and confusion matrices]({NAME}.png)',
    ]
    for section in data['sections']:
        lines += ['', *_section(section, data)]
    return '\n'.join([*lines, '', '## Why figures differ from those of the study', '', *_bullets(REASONS), ''])


def _bullets(texts: Sequence[str]) -> list[str]:
    return [f'- {text}' for text in texts]


def _section(section: Mapping[str, Any], data: Mapping[str, Any]) -> list[str]:
    dataset, how = section['dataset'], section['measured']
    rows = [row for row in data['rows'] if row['dataset'] == dataset]
    models = [m for m in data['models'] if any(row['model'] == m['name'] for row in rows)]
    seeds = ', '.join(map(str, sorted({seed for row in rows for seed in row['seeds']})))
    lines = [f'## {dataset}', '', f'Made by `{how["command"]}`; seeds {seeds}, {how["on"][-1]}.', '']
    lines += _bullets(
        [f'{t["name"]}: {t["words"]}.' if not t['leaks'] else f'{t["name"]} (**leaks**): {t["words"]}.'
         for t in section['tasks']]
    )  # fmt: skip
    lines += ['', '### Test accuracy', '', *_overview(rows, models, section['tasks'])]
    study = dataset.startswith(RIG)
    for task in section['tasks']:
        mine = [row for row in rows if row['protocol'] == task['name']]
        beside = study and task['name'] == RANDOM.name
        lines += ['', f'### {task["name"][0].upper()}{task["name"][1:]}', '', *_accuracies(mine, models, beside)]
        lines += ['', 'Precision / recall:', '', *_per_class(mine, models, beside)]
    updates = {m['title']: next(row['updates'] for row in rows if row['model'] == m['name']) for m in models}
    words = ', '.join(f'{title} {number:,}' for title, number in updates.items())
    lines += ['', f'Updates (batches of 32 windows) for every split: {words}.']
    if section['left_out']:
        lines += ['', 'Left out:', '', *_bullets([f'{text}.' for text in section['left_out'].values()])]
    return [*lines, '', f'{versions_text(how)}.']


def _of(rows: Sequence[Row], model: Mapping[str, str]) -> Row | None:
    return next((row for row in rows if row['model'] == model['name']), None)


def _overview(rows: Sequence[Row], models: Sequence[Mapping], tasks: Sequence[Mapping]) -> list[str]:
    """A row per network and a column per question."""
    header = ['network', 'starts from', *[f'{t["name"]}, leaks' if t['leaks'] else t['name'] for t in tasks]]
    lines = []
    for model in models:
        of_task = [_of([r for r in rows if r['protocol'] == t['name']], model) for t in tasks]
        init = next(row['init'] for row in rows if row['model'] == model['name'])
        cells = [NOTHING if row is None else spread_text(row['test'], percent=True) for row in of_task]
        few = _few(rows, model)
        lines.append([f'{model["title"]}{few}: {model["words"]}', f'`{init}`', *cells])
    return table(header, lines)


def _few(rows: Sequence[Row], model: Mapping[str, str]) -> str:
    """' (1 seed)' for a network that was measured with fewer seeds than another; else ''."""
    had = {row['model']: len(row['seeds']) for row in rows}
    mine = had[model['name']]
    return '' if mine == max(had.values()) else f' ({mine} seed{"s" * (mine > 1)})'


def _accuracies(rows: Sequence[Row], models: Sequence[Mapping], beside: bool) -> list[str]:
    """The study's Table 7: accuracies and seconds, beside those of the study where the split is the same."""
    header = ['network', 'training', 'validation', 'test', 'macro F1', 'recordings right', 's']
    header += ['the study: training', 'validation', 'test', 's', 'on'] if beside else []
    lines = []
    for model in models:
        row = _of(rows, model)
        if row is None:
            continue
        keys = ('train', 'validation', 'test', 'macro_f1', 'recordings_right')
        seconds = f'{sum(row["seconds"]) / len(row["seconds"]):.0f}'
        line = [model['title'], *[spread_text(row[key], percent=True) for key in keys], seconds]
        if beside:
            p = PUBLISHED[model['name']]
            line += [f'{p.train:.2f}', f'{p.validation:.2f}', f'{p.test:.2f}', str(p.seconds), p.hardware]
        lines.append(line)
    return table(header, lines)


def _per_class(rows: Sequence[Row], models: Sequence[Mapping], beside: bool) -> list[str]:
    """The study's Table 8: precision and recall of each class."""
    # JSON files sort their keys; the classes keep their order.
    names = list(dict.fromkeys(name for row in rows for name in row['classes'] if name in row['recall']))
    header = ['network', *names, *([f'the study: {state}' for state in STATES] if beside else [])]
    lines = []
    for model in models:
        row = _of(rows, model)
        if row is None:
            continue
        line = [model['title']]
        for name in names:
            both = [row[key].get(name, ()) for key in ('precision', 'recall')]
            line.append(' / '.join(spread_text(values, percent=True) for values in both))
        if beside:
            p = PUBLISHED[model['name']]
            line += [f'{a:g} / {b:g}' for a, b in zip(p.precision, p.recall, strict=True)]
        lines.append(line)
    return table(header, lines)


def measured(data: Mapping[str, Any]) -> set[Hashable]:
    """The cells of a page."""
    return {(row['dataset'], row['protocol'], row['model'], f'seed {s}') for row in data['rows'] for s in row['seeds']}


KIND = Kind(markdown, plot, measured, merged, program='launch.study')
