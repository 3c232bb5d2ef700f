"""All figures of fdx in one place; those of results are made here: confusion, learning curves, recall per class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fdx.evaluate.canvas import INK, MUTED, PALETTE, figure_to_data_uri, new_figure, plain_names, save_png, style_axes
from fdx.evaluate.embedding_plots import plot_embedding, plot_embedding_profile
from fdx.evaluate.sample_plots import ClassSample, plot_samples_per_class
from fdx.evaluate.signal_plots import mel_centres_hz, plot_log_mel, plot_waveform
from fdx.types import DataError

__all__ = [
    'ClassSample',
    'figure_to_data_uri',
    'mel_centres_hz',
    'plot_confusion',
    'plot_embedding',
    'plot_embedding_profile',
    'plot_history',
    'plot_log_mel',
    'plot_per_class',
    'plot_samples_per_class',
    'plot_waveform',
    'save_png',
]

CURVES = (('train', PALETTE[0], '-', 'training'), ('validation', PALETTE[3], '--', 'validation'))


def plot_confusion(matrix: np.ndarray, class_names: Sequence[str], title: str = 'Confusion matrix') -> Figure:
    """Counts and, below them, percentages of the row (the true class); colour follows the percentage.

    Args:
      matrix: int [K, K], rows true, columns predicted.
      class_names: K names.
      title: heading.

    Raises:
      DataError: the matrix is not [K, K].
    """
    matrix, k = np.asarray(matrix), len(class_names)
    if matrix.shape != (k, k) or k == 0:
        raise DataError(f'a confusion matrix of {k} classes must have shape ({k}, {k}), not {matrix.shape}')
    totals = matrix.sum(axis=1, keepdims=True)
    share = np.divide(matrix, totals, out=np.zeros((k, k)), where=totals > 0)
    side = max(0.62 * k, 3.2)
    size = 10 if k <= 4 else 8 if k <= 7 else 7
    figure = new_figure(side + 2.4, side + 1.6)
    axes = figure.subplots()
    image = axes.imshow(share, cmap='Blues', vmin=0, vmax=1)
    style_axes(axes, title, 'predicted', 'true')
    axes.set_xticks(range(k), plain_names(class_names), rotation=40, ha='right', rotation_mode='anchor')
    axes.set_yticks(range(k), plain_names(class_names))
    axes.set_xticks(np.arange(k + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(k + 1) - 0.5, minor=True)
    axes.grid(which='minor', color='white', linewidth=1.5)
    axes.tick_params(which='both', length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for (row, column), count in np.ndenumerate(matrix):
        if not count:
            continue
        colour = 'white' if share[row, column] > 0.55 else INK
        text = f'{count:,}\n{_percent(share[row, column])}'
        axes.text(column, row, text, ha='center', va='center', fontsize=size, color=colour, linespacing=1.25)
    bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=25, pad=0.02, ticks=[0, 0.5, 1])
    bar.ax.set_yticklabels(['0 %', '50 %', '100 %'], fontsize=8)
    bar.set_label('share of the true class', fontsize=9)
    bar.outline.set_visible(False)
    return figure


def _percent(share: float) -> str:
    """A share as a short percentage that never rounds a mistake away to 0 or 100."""
    text = f'{100 * share:.0f} %'
    if text not in ('0 %', '100 %') or share in (0, 1):
        return text
    text = f'{100 * share:.1f} %'
    return {'0.0 %': '< 0.1 %', '100.0 %': '> 99.9 %'}.get(text, text)


def plot_history(history: Sequence[Mapping[str, Any]], title: str = 'Training') -> Figure:
    """Loss and accuracy of training and validation over the epochs, with a mark at the epoch that was kept.

    Args:
      history: one dict per epoch with `epoch` (or else `step`) and any of `train_loss`, `train_accuracy`,
        `validation_loss`, `validation_accuracy`; `selected` is true in the row whose checkpoint was kept. A missing
        or null value is skipped, so that validation may run only every few epochs.
      title: heading.

    Raises:
      DataError: the history is empty or has neither epochs nor steps.
    """
    if not history:
        raise DataError('the history is empty: nothing was trained, so there is no curve to draw')
    axis = 'epoch' if 'epoch' in history[0] else 'step'
    if any(axis not in row for row in history):
        raise DataError(f'every row of the history needs {axis!r}; the first row has {sorted(history[0])}')
    x = np.array([row[axis] for row in history], dtype=np.float64)
    selected = [row[axis] for row in history if row.get('selected')]
    figure = new_figure(9, 3.2)
    for axes, quantity in zip(figure.subplots(1, 2), ('loss', 'accuracy')):
        _draw_curves(axes, x, history, quantity)
        style_axes(axes, f'{title}: {quantity}', axis, quantity, grid='y')
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        for position in selected:
            axes.axvline(position, color=MUTED, linewidth=1, linestyle=':', label=f'kept: {axis} {position:g}')
        if axes.lines:
            axes.legend(fontsize=8, frameon=False, labelcolor=INK)
    return figure


def _draw_curves(axes: Axes, x: np.ndarray, history: Sequence[Mapping[str, Any]], quantity: str) -> None:
    """Draws the training and the validation curve of one quantity, with dots if there are only a few points."""
    for split, colour, line, label in CURVES:
        values = [row.get(f'{split}_{quantity}') for row in history]
        y = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        present = np.isfinite(y)
        if present.any():
            marker = 'o' if present.sum() <= 40 else None
            axes.plot(
                x[present], y[present], line, color=colour, label=label, linewidth=1.5, marker=marker, markersize=3
            )


def plot_per_class(result: Mapping[str, Any], title: str = 'Recall of each class') -> Figure:
    """Recall of each class with its 95 % interval; a class without windows is named and left empty.

    Args:
      result: a dict of `fdx.evaluate.metrics.summarise`.
      title: heading.
    """
    rows = result['per_class']
    figure = new_figure(8, 0.36 * len(rows) + 1.3)
    axes = figure.subplots()
    for y, row in enumerate(rows):
        if not row['support']:
            axes.text(0.5, y, 'no windows', ha='center', va='center', fontsize=8, color=MUTED, style='italic')
            continue
        low, high = row['recall_interval']
        axes.plot([low, high], [y, y], color=PALETTE[0], linewidth=5, alpha=0.3, solid_capstyle='butt')
        axes.plot(row['recall'], y, 'o', color=PALETTE[0], markersize=6, clip_on=False, zorder=3)
        axes.annotate(
            f'{100 * row["recall"]:.1f} %   n = {row["support"]:,}',
            (1.02, y),
            xycoords=('axes fraction', 'data'),
            va='center',
            fontsize=8,
            color=INK,
        )
    style_axes(axes, f'{title} (95 % interval by {result.get("interval_unit", "recording")})', 'recall', grid='x')
    axes.set_yticks(range(len(rows)), plain_names(row['class'] for row in rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    return figure
