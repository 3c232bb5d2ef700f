"""One self-contained HTML page about one evaluation, and the same numbers as results.json."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

import jinja2
from matplotlib.figure import Figure

from fdx.evaluate.conditions import MAX_SHOWN
from fdx.evaluate.data_words import class_rows, data_rows
from fdx.evaluate.html import fill_template
from fdx.evaluate.plots import figure_to_data_uri, plot_confusion, plot_history
from fdx.files import atomic_write_text, write_json
from fdx.types import DataError

TEMPLATE = 'report.html.j2'
MAX_RECORDINGS = 200
BOTH_CONFUSIONS = ('confusion_recordings', 'confusion')

# The order and wording of "how it was made"; what a config holds besides comes after, under its own key.
CONFIG_LABELS = {
    'dataset': 'Dataset',
    'dataset_config': 'Dataset config',
    'dataset_version': 'Dataset version',
    'front_end': 'Front end',
    'model': 'Model',
    'init': 'Initial weights',
    'freeze': 'Frozen',
    'norms': 'Batch norms',
    'protocol': 'Protocol',
    'fold': 'Fold',
    'folds': 'Folds',
    'seed': 'Seed',
    'selection_criterion': 'Step chosen by',
    'selected_step': 'Step chosen',
    'selected_epoch': 'Epoch chosen',
    'packages': 'Package versions',
}

# Order, heading and caption of the figures; others follow under their own name.
FIGURE_TEXTS = {
    'confusion_recordings': (
        'Confusion of recordings',
        'Recordings by true class (rows) and predicted class (columns), one vote each.',
    ),
    'confusion': ('Confusion matrix', 'Windows by true class (rows) and predicted class (columns).'),
    'per_class': (
        'Recall of each class',
        'Dot: recall. Bar: 95 % interval; a recording (in a table: a row, group or stretch) counts about once.',
    ),
    'history': ('Training curves', 'Dotted line: the step that was kept.'),
    'roc_and_pr': (
        'Detection',
        'Receiver operating characteristic, and precision over recall; the mark is the decision threshold.',
    ),
    'reliability': ('Calibration', 'Accuracy over confidence: on the diagonal, confidence can be taken at its word.'),
    'distributions': ('The readings', 'Scored rows, each variable by class.'),
    'samples': ('A sample of each class', 'One window per class: its waveform above, what the model sees below.'),
    'explanations': (
        'What speaks for each class',
        'The surest right window of each class: where it is red, replacing the input by "nothing to see" costs the '
        'class, where it is blue it helps (occlusion; fdx explain has more methods and says how far they hold).',
    ),
    'embedding': ('Embedding', 'Test windows in the embedding of the model; distances between groups mean little.'),
    'embedding_profile': ('One embedding per class', 'The values that the classifier sees.'),
}


@dataclasses.dataclass
class ReportContext:
    """What a report tells; only `result` is needed.

    Attributes:
      result: dict of `fdx.evaluate.metrics.summarise`.
      config: flat dict of how it was made; the keys of CONFIG_LABELS come first, with their wording. A value may be
        a list, or a dict such as {'jax': '0.10.2'}, which are joined on one line.
      history: rows of `fdx.evaluate.plots.plot_history`, or empty.
      figures: name -> figure, placed by FIGURE_TEXTS. `confusion` and `history` are drawn if missing.
      per_recording: rows of `fdx.evaluate.predictions.per_recording`, or empty.
      notes: sentences worth reading before the numbers, for example the length of the guard.
      leak: {'leaks': bool, 'share': float (of the test windows, 0 to 1) or None, 'reason': str}, or None if unknown.
      mistakes: rows of `fdx.evaluate.predictions.confident_mistakes`, or empty.
      title: heading of the page.
      worst_figures: spectrograms of the rows of `result['worst_recordings']`, in their order, or empty.

    Where `result` holds what `fdx.evaluate.for_a_person.for_a_person` finds, the page begins with it, in words.
    """

    result: Mapping[str, Any]
    config: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    history: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    figures: dict[str, Figure] = dataclasses.field(default_factory=dict)
    per_recording: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)
    leak: Mapping[str, Any] | None = None
    mistakes: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    title: str = 'Fault diagnosis: evaluation'
    worst_figures: list[Figure] = dataclasses.field(default_factory=list)


def write_report(path: str | os.PathLike, context: ReportContext) -> None:
    """Renders `context` to one HTML file that needs no other file and no network, completely or not at all.

    Raises:
      DataError: the result or the leak info lacks an entry that the page needs.
      FileWriteError: the file cannot be written.
    """
    atomic_write_text(path, render_report(context))


def write_results(path: str | os.PathLike, results: Mapping[str, Any]) -> None:
    """Writes `results` as JSON with sorted keys; NaN and infinities become null.

    Raises:
      DataError: `results` is not a mapping or holds a value without a JSON form.
      FileWriteError: the file cannot be written.
    """
    if not isinstance(results, Mapping):
        raise DataError(f'results must be a dict of named numbers, not a {type(results).__name__}')
    write_json(path, results)


def render_report(context: ReportContext) -> str:
    """The page as text (see `write_report`)."""
    try:
        recordings = _recordings_in_order(context.per_recording)
        person = _for_a_person(context)
        figures = _figures(context)
        # Beside each other at the top, if recordings were counted too; else where all figures are.
        both = person is not None and BOTH_CONFUSIONS[0] in {figure['name'] for figure in figures}
        return fill_template(
            TEMPLATE,
            title=context.title,
            result=context.result,
            config=_config_rows(context.config),
            notes=context.notes,
            leak=context.leak,
            person=person,
            confusions=[figure for figure in figures if both and figure['name'] in BOTH_CONFUSIONS],
            figures=[figure for figure in figures if not (both and figure['name'] in BOTH_CONFUSIONS)],
            recordings=recordings[:MAX_RECORDINGS],
            recordings_total=len(recordings),
            mistakes=context.mistakes,
        )
    except (KeyError, jinja2.UndefinedError) as error:
        raise DataError(f'the report lacks an entry: {error}; pass the dict of summarise() and whole rows') from error


def _for_a_person(context: ReportContext) -> dict[str, Any] | None:
    """What the top of the page says in words; None if the result holds nothing for it."""
    result = context.result
    if 'score_in_words' not in result:
        return None
    worst = list(result.get('worst_recordings', []))
    uris = [figure_to_data_uri(figure) for figure in context.worst_figures] or [''] * len(worst)
    headings, classes = class_rows(result['data'])
    return {
        'score': result['score_in_words'],
        'advice': result['what_helps'],
        'findings': result['findings'],
        'data': data_rows(result['data']),
        'class_headings': headings,
        'classes': classes,
        'conditions': [c for c in result.get('by_condition', []) if len(c['values']) <= MAX_SHOWN],
        'worst': [{**row, 'uri': uri} for row, uri in zip(worst, uris, strict=True)],
        'any_wrong': not all(row['right'] for row in worst),
    }


def _config_rows(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(wording, value) pairs, known keys first."""
    ordered = [key for key in CONFIG_LABELS if key in config] + [key for key in config if key not in CONFIG_LABELS]
    return [(CONFIG_LABELS.get(key, key), _config_text(config[key])) for key in ordered]


def _config_text(value: Any) -> str:
    """A value of the config on one line."""
    if isinstance(value, Mapping):
        return ', '.join(f'{key} {entry}' for key, entry in value.items()) or 'none'
    if isinstance(value, (list, tuple)):
        return ', '.join(str(entry) for entry in value) or 'none'
    return 'none' if value is None or value == '' else str(value)


def _figures(context: ReportContext) -> list[dict[str, str]]:
    """Name, heading, caption and data URI of each figure, in reading order."""
    figures = dict(context.figures)
    if 'confusion' not in figures:
        figures['confusion'] = plot_confusion(
            context.result['confusion_matrix'], context.result['class_names'], title=''
        )
    if 'confusion_recordings' not in figures and context.result.get('recording_confusion_matrix'):
        figures['confusion_recordings'] = plot_confusion(
            context.result['recording_confusion_matrix'], context.result['class_names'], title=''
        )
    if 'history' not in figures and context.history:
        figures['history'] = plot_history(context.history)
    ordered = [name for name in FIGURE_TEXTS if name in figures]
    ordered += [name for name in figures if name not in FIGURE_TEXTS]
    rows = []
    for name in ordered:
        heading, caption = FIGURE_TEXTS.get(name, (name.replace('_', ' ').capitalize(), ''))
        rows.append({'name': name, 'heading': heading, 'caption': caption, 'uri': figure_to_data_uri(figures[name])})
    return rows


def _recordings_in_order(table: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the table of recordings, trouble first: by wrong verdicts of mean and vote (2, 1, 0), then agreement."""
    rows = []
    for row in table:
        wrong = sum(row[verdict] != row['label'] for verdict in ('predicted_mean', 'predicted_vote'))
        rows.append({**row, 'wrong_verdicts': wrong, 'confidence': row['mean_probability'][row['predicted_mean']]})
    return sorted(rows, key=lambda row: (-row['wrong_verdicts'], row['agreement'], row['recording']))
