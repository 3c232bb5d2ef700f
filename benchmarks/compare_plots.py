"""Figures of a comparison: smoothed losses of all strategies in one plot, confusion matrices side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fdx.evaluate.canvas import INK, MUTED, class_style, new_figure, plain, plain_names, style_axes

# Above this ratio of the largest to the smallest loss a linear axis shows the largest alone.
LOG_RATIO = 50
# More classes than this are numbered, and their matrices bear no counts.
MAX_NAMED = 12
COLUMNS = 4


def plot_losses(curves_of: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Training loss (left) and validation loss (right) of every strategy over the epochs.

    Args:
      curves_of: strategy -> what `benchmarks.compare_scores.curves` returns. Thick: the smoothed curve, with its
        band; faint: the raw mean. The axis is logarithmic where the losses span more than LOG_RATIO.
    """
    figure = new_figure(10, 3.8)
    for axes, (split, title) in zip(
        figure.subplots(1, 2), (('train_loss', 'training loss'), ('validation_loss', 'validation loss'))
    ):
        for i, (name, curves) in enumerate(curves_of.items()):
            _draw_loss(axes, curves['epochs'], curves[split], name, class_style(i)[0])
        style_axes(axes, title, 'epoch', 'cross-entropy (nats)', grid='y')
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        drawn = np.array([v for c in curves_of.values() for v in (*c[split]['raw'], *c[split]['smoothed']) if v])
        if len(drawn) and drawn.min() > 0 and drawn.max() > LOG_RATIO * drawn.min():
            axes.set_yscale('log')
        axes.legend(fontsize=8, frameon=False, labelcolor=INK)
    return figure


def _draw_loss(axes: Axes, epochs: Sequence[int], curve: Mapping[str, list], name: str, colour: str) -> None:
    raw, smoothed, band = (np.array(curve[k], dtype=np.float64) for k in ('raw', 'smoothed', 'band'))
    axes.plot(epochs, raw, color=colour, linewidth=1, alpha=0.35)
    # A lower edge at zero or below has no place on a logarithmic axis.
    axes.fill_between(
        epochs, np.maximum(smoothed - band, smoothed / 10), smoothed + band, color=colour, alpha=0.15, lw=0
    )
    few = np.isfinite(smoothed).sum() <= 3
    axes.plot(epochs, smoothed, color=colour, linewidth=2, marker='o' if few else None, markersize=4, label=plain(name))


def plot_confusions(matrices: Mapping[str, np.ndarray], class_names: Sequence[str]) -> Figure:
    """Confusion matrices side by side, at most four per row, with one scale of colour.

    Args:
      matrices: strategy -> int [K, K], rows true, columns predicted.
      class_names: K names; more than MAX_NAMED are numbered from 0.
    """
    k, columns = len(class_names), min(COLUMNS, len(matrices))
    lines = -(-len(matrices) // columns)
    side = min(max(0.5 * k, 2.4), 4.5)
    figure = new_figure(columns * side + 2.2, lines * (side + 0.5) + 0.9)
    grid = figure.subplots(lines, columns, squeeze=False)
    for axes in grid.flat[len(matrices) :]:
        axes.set_visible(False)
    for i, (axes, (name, matrix)) in enumerate(zip(grid.flat, matrices.items())):
        image = _draw_confusion(axes, np.asarray(matrix), k)
        style_axes(axes, name, 'predicted', 'true' if i % columns == 0 else '')
        _name_classes(axes, class_names, rows=i % columns == 0)
    bar = figure.colorbar(image, ax=grid, shrink=0.7, aspect=25, pad=0.02, ticks=[0, 0.5, 1])
    bar.ax.set_yticklabels(['0 %', '50 %', '100 %'], fontsize=8)
    bar.set_label('share of the true class', fontsize=9)
    bar.outline.set_visible(False)
    return figure


def _draw_confusion(axes: Axes, matrix: np.ndarray, k: int):
    """Colours by the share of the row, counts in the cells where they fit; returns the image."""
    totals = matrix.sum(axis=1, keepdims=True)
    share = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
    image = axes.imshow(share, cmap='Blues', vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix) if k <= MAX_NAMED else ():
        if count:
            colour = 'white' if share[row, column] > 0.55 else INK
            axes.text(column, row, f'{count:,}', ha='center', va='center', fontsize=8, color=colour)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return image


def _name_classes(axes: Axes, class_names: Sequence[str], rows: bool) -> None:
    k, class_names = len(class_names), plain_names(class_names)
    if k <= MAX_NAMED:
        axes.set_xticks(range(k), class_names, rotation=40, ha='right', rotation_mode='anchor', fontsize=7)
        axes.set_yticks(range(k), class_names if rows else [''] * k, fontsize=7)
    else:
        ticks = range(0, k, 5)
        axes.set_xticks(ticks, ticks, fontsize=7)
        axes.set_yticks(ticks, ticks if rows else [''] * len(ticks), fontsize=7)
    axes.tick_params(length=0, colors=MUTED, labelcolor=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)
