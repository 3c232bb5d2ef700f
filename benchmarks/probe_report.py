"""The results of a probe: a table, a plot of accuracy over labels, and one self-contained page."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from fdx.evaluate.canvas import class_style, figure_to_data_uri, new_figure, style_axes
from fdx.evaluate.html import fill_template, write_html
from fdx.evaluate.spread import spread_text

from .probe import CHOSEN
from .probe_heads import ALL_LABELS
from .stage_features import INPUT

POOL_WORDS = {
    'bands': 'the mean of the stage over time, each band by itself',
    'global': 'the mean and the maximum of the stage over time and bands',
}


def shots_words(shots: int) -> str:
    """'1', '5', 'all'."""
    return 'all' if shots == ALL_LABELS else str(shots)


def probe_rows(results: Mapping[str, Any], metric: str = 'accuracy') -> list[tuple]:
    """(stage, values, mean ± spread for every number of shots in percent, how often chosen) of each row, as text."""
    rows = []
    for i, first in enumerate(results['shots'][0]['rows']):
        of_shots = [part['rows'][i] for part in results['shots']]
        chosen = ['-' if row['chosen'] is None else row['chosen'] for row in of_shots]
        values = '' if first['values'] is None else first['values']
        found = [spread_text(row[metric], percent=True) for row in of_shots]
        rows.append((first['stage'], values, *found, '' if first['stage'] == CHOSEN else '/'.join(map(str, chosen))))
    return rows


def probe_header(results: Mapping[str, Any]) -> tuple[str, ...]:
    """Headings of `probe_rows`."""
    return ('stage', 'values', *[f'{shots_words(part["shots"])} a class' for part in results['shots']], 'chosen')


def plot_probe(results: Mapping[str, Any]) -> Figure:
    """Accuracy over labelled windows per class, a line for each stage; the choice thick, the input itself dashed."""
    figure = new_figure(8, 4.6)
    axes = figure.subplots()
    at = range(len(results['shots']))
    for i, first in enumerate(results['shots'][0]['rows']):
        found = [part['rows'][i]['accuracy'] for part in results['shots']]
        means = [100 * f['mean'] for f in found]
        colour, marker = class_style(i)
        chosen, plain = first['stage'] == CHOSEN, first['stage'] == INPUT
        axes.errorbar(
            at,
            means,
            yerr=[100 * (f['standard_deviation'] or 0.0) for f in found],
            label=f'{first["stage"]}, no network' if plain else first['stage'],
            color='#1f2933' if chosen else colour,
            marker=marker,
            markersize=4,
            linewidth=2.4 if chosen else 1.2,
            linestyle='--' if plain else '-',
            capsize=2,
        )
    axes.axhline(100 / results['classes'], color='#66717d', linewidth=0.8, linestyle=':')
    axes.set_xticks(list(at), [shots_words(part['shots']) for part in results['shots']])
    style_axes(axes, '', 'labelled training windows a class', 'test accuracy, %; bars: draws; dotted: chance', grid='y')
    axes.legend(fontsize=8, frameon=False, loc='center left', bbox_to_anchor=(1.0, 0.5))
    return figure


def write_probe(folder: pathlib.Path, results: Mapping[str, Any]) -> pathlib.Path:
    """Writes probe.json, probe.png and report.html; returns the path of the page.

    Args:
      folder: where.
      results: of `benchmarks.probe.probe`, with dataset, model, init, front_end and pool (names) beside it, and what
        `fdx.train.description.environment` returns.

    Raises:
      FileWriteError: a file cannot be written.
    """
    figure = plot_probe(results)
    return write_html(folder, 'probe', results, {'probe': figure}, render_probe(results, figure))


def render_probe(results: Mapping[str, Any], figure: Figure) -> str:
    """The page as text; it needs no other file and no network."""
    return fill_template(
        'probe.html.j2',
        package=__package__,
        numbered=False,
        results=results,
        header=probe_header(results),
        tables=[('Accuracy, %', probe_rows(results)), ('Macro F1, %', probe_rows(results, 'macro_f1'))],
        uri=figure_to_data_uri(figure),
        chosen=CHOSEN,
        statements=probe_statements(results),
    )


def probe_statements(results: Mapping[str, Any]) -> list[str]:
    """How to read the numbers, in sentences."""
    draws = max(part['draws'] for part in results['shots'])
    folds = results['folds']
    lines = [
        f'Protocol {results["protocol"]}, {len(folds)} fold{"s" if len(folds) > 1 else ""}: {results["test_windows"]} '
        f'test windows{", pooled" if len(folds) > 1 else ""}. Training windows of a fold: '
        f'{min(results["train_windows"])} to {max(results["train_windows"])}.',
        f'Few labels are drawn {draws} times, from recordings in turn: mean ± standard deviation over draws.',
        f'Each head is a logistic regression on {POOL_WORDS[results["pool"]]}, standardised by all training windows '
        '(which takes no labels); the network is frozen.',
        f'"{CHOSEN}": in every fold and draw the stage that is best on validation windows of the training recordings '
        f'({results["validation_windows"]} in all folds together, which are labelled for it). No test window plays a '
        'part.',
        f'"{INPUT}" is the image of front end {results["front_end"]}, averaged over time: no network.',
    ]
    if results['leaks']:
        lines.insert(0, 'This protocol leaks: test windows are not independent of training windows.')
    return lines
