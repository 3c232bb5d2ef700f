"""The figure of a table of readings: how the values of each column are distributed in each class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from fdx.evaluate.canvas import INK, class_style, new_figure, plain, plain_names, style_axes
from fdx.types import DataError

UNITS = {'rpm': 'rpm', 'c': '°C', 'g': 'g', 'a': 'A'}
LINES = ('-', '--', '-.', ':')
HATCHES = ('', '////', '\\\\\\\\')
MIN_BINS, MAX_BINS = 8, 40
# The areas of more classes would cover each other, so these are drawn as outlines.
MAX_FILLED = 3


def plot_distributions(
    values: np.ndarray, columns: Sequence[str], labels: np.ndarray, class_names: Sequence[str]
) -> Figure:
    """One panel per column, with a density histogram of each class, so that a rare class is seen beside a common one.

    The classes of a panel share their bins. Their width is Freedman and Diaconis' (Z. Wahrscheinlichkeitstheorie 57,
    1981), within 8 to 40 bins. Up to three classes are filled and hatched, more are outlines. A class without rows
    is named in the legend but not drawn.

    Args:
      values: float [N, C], N > 0, C > 0, in the units of the names.
      columns: C names; the endings `_rpm`, `_c`, `_g` and `_a` mean the units rpm, degrees Celsius, g and ampere.
      labels: int [N], indices into `class_names`.
      class_names: K names.

    Raises:
      DataError: shapes do not fit, a label has no name, or a reading is not finite.
    """
    values, labels = _checked(values, columns, labels, class_names)
    styles = [_style(k, filled=len(class_names) <= MAX_FILLED) for k in range(len(class_names))]
    across = min(len(columns), 2 if len(columns) <= 4 else 3)
    down = math.ceil(len(columns) / across)
    figure = new_figure(max(4.2 * across, 5.5) if across < 3 else 11, 2.5 * down + 0.5)
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for c, (axes, column) in enumerate(zip(panels, columns)):
        edges = common_edges(values[:, c])
        for k in np.unique(labels):
            density, _ = np.histogram(values[labels == k, c], bins=edges, density=True)
            axes.stairs(density, edges, **styles[k])
        style_axes(axes, '', plain(axis_label(column)), 'density' if c % across == 0 else '', grid='y')
    for axes in panels[len(columns) :]:
        axes.set_axis_off()
    counts = np.bincount(labels, minlength=len(class_names))
    handles = [
        Patch(label=f'{name} (n = {n:,})', **style)
        for name, n, style in zip(plain_names(class_names), counts.tolist(), styles)
    ]
    figure.legend(
        handles=handles,
        loc='outside upper center',
        ncols=min(len(handles), 4),
        fontsize=9,
        frameon=False,
        labelcolor=INK,
        handlelength=2.6,
        handleheight=1.2,
    )
    return figure


def _style(index: int, filled: bool) -> dict[str, Any]:
    """The look of a class: its colour and, for printing in grey, its own line style and hatching of filled areas."""
    colour, _ = class_style(index)
    style = {'edgecolor': colour, 'linestyle': LINES[index % len(LINES)], 'linewidth': 1.4, 'fill': filled}
    if filled:
        style |= {'facecolor': (colour, 0.18), 'hatch': HATCHES[index], 'hatch_linewidth': 0.5}
    return style


def common_edges(values: np.ndarray) -> np.ndarray:
    """Rising edges, float64, of 8 to 40 equal bins that hold all values, even if these are all the same.

    Args:
      values: float [N], finite, N > 0.
    """
    values = np.asarray(values, np.float64)
    low, high = float(values.min()), float(values.max())
    # Closer together than this, the edges of the bins would coincide.
    least = 1e-9 * max(abs(low), abs(high)) or 1.0
    if high - low < least:
        middle = (low + high) / 2
        return np.linspace(middle - least, middle + least, MIN_BINS + 1)
    quarters = np.subtract(*np.percentile(values, (75, 25)))
    width = 2 * quarters / len(values) ** (1 / 3)
    # If the middle half has no spread, the rule gives no width; the largest number of bins then shows the most.
    wished = (high - low) / width if width > 0 else MAX_BINS
    return np.linspace(low, high, int(np.clip(np.ceil(wished), MIN_BINS, MAX_BINS)) + 1)


def axis_label(column: str) -> str:
    """A column's name in words, with the unit that it ends in: temperature_c becomes temperature (°C)."""
    quantity, _, unit = column.rpartition('_')
    if quantity and unit in UNITS:
        return f'{quantity.replace("_", " ")} ({UNITS[unit]})'
    return column.replace('_', ' ')


def _checked(
    values: np.ndarray, columns: Sequence[str], labels: np.ndarray, class_names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Values as float64 [N, C] and labels as int64 [N], or the errors of `plot_distributions`."""
    values, labels = np.asarray(values, np.float64), np.asarray(labels)
    if values.ndim != 2 or not values.size or values.shape[1] != len(columns):
        raise DataError(
            f'readings have shape {values.shape}; for the columns {list(columns)} they must be [N, {len(columns)}], '
            'with a row and a column at least'
        )
    if labels.shape != values.shape[:1] or labels.dtype.kind not in 'iu':
        raise DataError(f'labels are {labels.dtype} {labels.shape}; they must be whole numbers [{len(values)}]')
    if labels.min() < 0 or labels.max() >= len(class_names):
        raise DataError(f'labels lie in [{labels.min()}, {labels.max()}], but there are {len(class_names)} class names')
    bad = ~np.isfinite(values)
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        raise DataError(
            f'column {columns[column]}, row {row}: {values[row, column]} is not finite; remove such rows or fill them'
        )
    return values, labels.astype(np.int64)
