"""The page of the study: its text, from what `study_results.assemble` returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fdx.evaluate.spread import NOTHING, spread_text

from .page import Kind, table, versions_text
from .study_figures import PUBLISHED, REASONS, STATES
from .study_models import MODELS
from .study_plots import plot
from .study_results import measured, merged
from .study_suite import NAME, RANDOM, RIG

Row = Mapping[str, Any]


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
    measured_here = {m['name'] for m in models} | set(section['left_out'])
    missing = [model.title for model in MODELS if model.name not in measured_here]
    if missing:
        lines += ['', f'Not measured: {", ".join(missing)}.']
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


KIND = Kind(markdown, plot, measured, merged, program='launch.study')
