"""The judgement of a generator as files: results.json, pictures, one self-contained page."""

from __future__ import annotations

import math
import pathlib
from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from fdx.evaluate.canvas import figure_to_data_uri
from fdx.evaluate.html import fill_template, write_html

HEADER = (
    'class',
    'windows learned from',
    'Frechet distance',
    'of the nearest other class',
    'ratio',
    'precision',
    'recall',
    'to the nearest window learned from: generated',
    'new real',
    'near copies, %',
)
CAPTIONS = {
    'real_and_generated': 'Real windows on the left, generated ones on the right; each row is a class with one scale; '
    'in images frequency runs upwards and time to the right',
    'mean_spectra': 'Mean spectrum of real and generated windows; bands: one standard deviation over windows',
    'health': 'Health of training: an estimate that settles near 0, a penalty near 0, norms that stay bounded',
}
STATEMENTS = (
    'Only training windows of the fold were learned from. Distances are measured in the embedding of a classifier that '
    'knows the whole training part: {judge}.',
    'Frechet distance: how far mean and spread of the generated windows lie from the real ones of their class, 0 if '
    'they agree. Beside it the distance of real windows of the nearest other class with some noise: what a generator '
    'that misses the class would get. The ratio of the two should be well above 1.',
    'Precision: share of generated windows that lie among real ones. Recall: share of real windows that lie among '
    'generated ones; low where all generated windows look alike.',
    'Copies: generated windows that are much nearer to a window learned from than new real ones are have been learned '
    'by heart. "Near copies" lie within half the distance that windows learned from have among themselves.',
    'Trained on generated, tested on real: what a classifier learns that never saw a real window. Trained on real, '
    'tested on generated: whether generated windows are taken for their class.',
    'Generated records are for training only: evaluation refuses them in validation and test.',
)


def _number(value: float, digits: int) -> str:
    return '–' if value is None or math.isnan(value) else f'{value:.{digits}f}'


def class_rows(result: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A row for each class, with the columns of HEADER."""
    return [
        (
            row['name'],
            str(row['train_rows']),
            _number(row['frechet'], 2),
            f'{_number(row["frechet_other_class"], 2)} ({row["other_class"]})',
            _number(row['frechet_ratio'], 1),
            _number(row['precision'], 2),
            _number(row['recall'], 2),
            _number(row['nearest_generated'], 2),
            _number(row['nearest_real'], 2),
            _number(100 * row['near_copies'], 0),
        )
        for row in result['classes']
    ]


def score_rows(result: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """(trained on, tested on, accuracy, macro F1 in percent)."""
    pairs = (
        ('real', 'real', 'train_real_test_real'),
        ('generated', 'real', 'train_synthetic_test_real'),
        ('real', 'generated', 'train_real_test_synthetic'),
    )
    return [
        (trained, tested, f'{100 * result[key]["accuracy"]:.1f}', f'{100 * result[key]["macro_f1"]:.1f}')
        for trained, tested, key in pairs
    ]


def write_judgement(folder: pathlib.Path, result: Mapping[str, Any], figures: Mapping[str, Figure]) -> pathlib.Path:
    """Writes results.json, a PNG for each figure, and report.html; returns the path of the page.

    Args:
      folder: where.
      result: what `fdx.synth.judge.judge` returns, with dataset, checkpoint, step, protocol, fold, seed, imbalance,
        config, history, versions and backend beside it; `notes`, a list of texts, if there is more to say.
      figures: by name, keys of CAPTIONS.

    Raises:
      FileWriteError: a file cannot be written.
    """
    return write_html(folder, 'results', result, figures, render_judgement(result, figures))


def render_judgement(result: Mapping[str, Any], figures: Mapping[str, Figure]) -> str:
    """The page as text; it needs no other file and no network."""
    return fill_template(
        'synthesis.html.j2',
        numbered=False,
        results=result,
        header=HEADER,
        rows=class_rows(result),
        scores=score_rows(result),
        pictures=[(CAPTIONS[name], figure_to_data_uri(figure)) for name, figure in figures.items()],
        statements=[text.format(judge=result['judge']) for text in STATEMENTS] + list(result.get('notes', [])),
    )
