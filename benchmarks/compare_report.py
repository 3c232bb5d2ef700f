"""One self-contained HTML page about a comparison of training strategies, its numbers as JSON, its figures as PNGs."""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fdx.evaluate.canvas import figure_to_data_uri
from fdx.evaluate.html import fill_template, write_html

from .compare_plots import MAX_NAMED, plot_confusions, plot_losses

MAX_RECORDINGS = 100

# Key of AVERAGED, wording, whether it is a share; the groups are headings over the columns.
COLUMNS = (
    ('', (('accuracy', 'accuracy %', True),)),
    (
        'weighted by class size',
        (
            ('weighted_precision', 'precision', False),
            ('weighted_recall', 'recall', False),
            ('weighted_f1', 'F1', False),
        ),
    ),
    (
        'mean over classes',
        (('macro_precision', 'precision', False), ('macro_recall', 'recall', False), ('macro_f1', 'F1', False)),
    ),
    ('recordings', (('recording_vote_accuracy', 'by vote %', True), ('recording_mean_accuracy', 'by mean %', True))),
)


def write_comparison(folder: pathlib.Path, results: Mapping[str, Any]) -> pathlib.Path:
    """Writes comparison.json, loss_PROTOCOL.png, confusion_PROTOCOL.png and report.html; returns the report's path.

    Args:
      folder: where.
      results: of `benchmarks.compare_outcome.compare`.

    Raises:
      FileWriteError: a file cannot be written.
    """
    figures = draw(results)
    return write_html(folder, 'comparison', results, figures, render(results, figures))


def draw(results: Mapping[str, Any]) -> dict[str, Figure]:
    """`loss_PROTOCOL` and `confusion_PROTOCOL` of every protocol."""
    figures = {}
    for part in results['protocols']:
        of = part['strategies']
        figures[f'loss_{part["protocol"]}'] = plot_losses({name: s['curves'] for name, s in of.items()})
        matrices = {name: np.array(s['confusion_matrix']) for name, s in of.items()}
        figures[f'confusion_{part["protocol"]}'] = plot_confusions(matrices, results['class_names'])
    return figures


def render(results: Mapping[str, Any], figures: Mapping[str, Figure]) -> str:
    """The page as text; it needs no other file and no network."""
    body = _section(results, figures)
    return _page('comparison.html.j2', results=results, body=body, numbered=_numbered(results))


def write_front_ends(folder: pathlib.Path, results: Mapping[str, Any]) -> pathlib.Path:
    """Writes comparison.json, report.html and FRONT_END/{loss,confusion}_PROTOCOL.png; returns the report's path.

    Args:
      folder: where.
      results: of `benchmarks.compare_front_ends.compare_front_ends`.

    Raises:
      FileWriteError: a file cannot be written.
    """
    figures = [draw(part) for part in results['front_ends']]
    by_path = {
        f'{part["front_end"]["name"]}/{name}': figure
        for part, of_part in zip(results['front_ends'], figures, strict=True)
        for name, figure in of_part.items()
    }
    return write_html(folder, 'comparison', results, by_path, render_front_ends(results, figures))


def render_front_ends(results: Mapping[str, Any], figures: Sequence[Mapping[str, Figure]]) -> str:
    """The page of several front ends: a summary, then the tables of each; `figures` has one dict per front end."""
    parts = results['front_ends']
    sections = [
        (part['front_end']['name'], _section(part, of_part, prefix=f'{part["front_end"]["name"]}-'))
        for part, of_part in zip(parts, figures, strict=True)
    ]
    return _page(
        'comparison_front_ends.html.j2',
        comparison=results,
        sections=sections,
        numbered=_numbered(parts[0]),
    )


def _section(results: Mapping[str, Any], figures: Mapping[str, Figure], prefix: str = '') -> str:
    """Tables and figures of one front end; `prefix` keeps the anchors of several apart."""
    return _page(
        'comparison_results.html.j2',
        results=results,
        columns=COLUMNS,
        statements=statements(results),
        norms=norms_statement(results),
        uris={name: figure_to_data_uri(figure) for name, figure in figures.items()},
        numbered=_numbered(results),
        max_recordings=MAX_RECORDINGS,
        prefix=prefix,
    )


# Templates of this package, which extend those of fdx.evaluate.
_page = functools.partial(fill_template, package=__package__)


def _numbered(results: Mapping[str, Any]) -> bool:
    return len(results['class_names']) > MAX_NAMED


def statements(results: Mapping[str, Any]) -> list[str]:
    """What all strategies share, in sentences: budget, selection, weights, seeds."""
    b = results['budget']
    pace = f'halved every {b["halve_every"]} epochs' if b['halve_every'] else 'constant'
    labels = f'{b["labels_per_class"]} a class' if b['labels_per_class'] else 'all'
    clip = f', gradients clipped at a norm of {b["clip_norm"]:g}' if b['clip_norm'] else ''
    every = 'every epoch' if b['save_every'] == 1 else f'every {b["save_every"]} epochs and the last one'
    seeds = results['seeds']
    lines = [
        f'One budget for every strategy: {b["epochs"]} epochs of batches of {b["batch_size"]}, Adam with a learning '
        f'rate of {b["learning_rate"]:g} ({pace}), L2 {b["l2"]:g}, dropout {b["dropout_rate"]:g}{clip}; '
        f'labelled training windows: {labels}. The rates are not tuned for a strategy.',
        f'The scored step is chosen by validation {b["select_by"]} among the checkpoints ({every}); test windows play '
        'no part in it.'
        if b['select_by'] != 'last'
        else 'The last step is scored; nothing is selected.',
        f'Seeds: {", ".join(map(str, seeds))}. A seed decides new weights, the order of the data and dropout.',
    ]
    if results['weights']:
        lines.append(f'Pretrained weights: {results["weights"]}.')
    if results.get('seen_recordings'):
        lines.append(
            f'Mind: the weights come from a run that was trained on {len(results["seen_recordings"])} recordings of '
            'this dataset, so that the pretrained strategies may have seen test windows.'
        )
    if b['exclude_recordings']:
        lines.append(f'Left out: {", ".join(b["exclude_recordings"])}.')
    return lines


def norms_statement(results: Mapping[str, Any]) -> str:
    """Whether strategies that freeze layers train the batch norms; '' where the network has none."""
    parts = []
    for s in results['strategies']:
        trained, frozen = s['norms']['trained'], s['norms']['frozen']
        if not trained + frozen or s['freeze'] == 'none':
            continue
        if not trained:
            parts.append(f'{s["name"]}: all {frozen} frozen, running statistics untouched')
        else:
            parts.append(f'{s["name"]}: {trained} of {trained + frozen} train, with their running statistics')
    return 'Batch norms (train_norms) of ' + '; '.join(parts) + '.' if parts else ''
