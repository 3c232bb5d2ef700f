"""The picture of the study: losses, accuracies and the confusion matrix of each network (its Figures 10 and 11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fdx.evaluate.canvas import INK, class_style, new_figure, plain_names, style_axes

KINDS = (('train', 'training'), ('validation', 'validation'))
# Above this share of its row a cell is dark.
DARK = 0.55
# So few points are marked.
MARKED = 10


def plot(data: Mapping[str, Any]) -> Figure:
    """A row per network of the first dataset and its first question: loss, accuracy, confusion matrix of all seeds."""
    section = data['sections'][0]
    where = {'dataset': section['dataset'], 'protocol': section['tasks'][0]['name']}
    rows, curves = ([x for x in data[k] if all(x[n] == v for n, v in where.items())] for k in ('rows', 'curves'))
    titles = {m['name']: m['title'] for m in data['models']}
    figure = new_figure(11, 2.7 * len(rows) + 0.4)
    grid = figure.subplots(len(rows), 3, squeeze=False)
    for axes, row in zip(grid, rows):
        of = next((c for c in curves if c['model'] == row['model']), None)
        title = titles[row['model']]
        if of is not None:
            _lines(axes[0], of, 'loss', f'{title}: loss')
            _lines(axes[1], of, 'accuracy', f'{title}: accuracy')
        _confusion(axes[2], np.sum(row['confusion'], axis=0), row['classes'], f'{title}: test')
    figure.suptitle(f'{where["dataset"]}, {where["protocol"]}', fontsize=11, color=INK, x=0.01, ha='left')
    return figure


def _lines(axes: Axes, curves: Mapping[str, Any], what: str, title: str) -> None:
    """Training and validation over the epochs; a single epoch is a point."""
    for i, (kind, word) in enumerate(KINDS):
        values = np.array(curves[f'{kind}_{what}'], dtype=np.float64)
        marker = 'o' if len(values) <= MARKED else None
        axes.plot(curves['epochs'], values, color=class_style(i)[0], marker=marker, markersize=4, label=word)
    if what == 'accuracy':
        axes.set_ylim(0, 1.03)
    else:
        axes.set_ylim(bottom=0)
    if len(curves['epochs']) <= MARKED:
        axes.set_xlim(curves['epochs'][0] - 0.5, curves['epochs'][-1] + 0.5)
    style_axes(axes, title, 'epoch', 'cross-entropy (nats)' if what == 'loss' else 'share of windows', grid='y')
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.legend(fontsize=7, frameon=False, labelcolor=INK)


def _confusion(axes: Axes, matrix: np.ndarray, classes: list[str], title: str) -> None:
    """Windows by true (rows) and predicted (columns) class."""
    totals = matrix.sum(axis=1, keepdims=True)
    share = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
    axes.imshow(share, cmap='Blues', vmin=0, vmax=1, aspect='auto')
    for (i, j), count in np.ndenumerate(matrix):
        if count:
            colour = 'white' if share[i, j] > DARK else INK
            axes.text(j, i, f'{count:,}', ha='center', va='center', fontsize=7, color=colour)
    style_axes(axes, title, 'predicted', 'true')
    names = plain_names(classes)
    axes.set_xticks(range(len(names)), names, fontsize=7, rotation=30 if len(names) > 4 else 0)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    for spine in axes.spines.values():
        spine.set_visible(False)
