"""Figures of explanations: what the network saw, what spoke for its verdict, and what removing it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fdx.evaluate.canvas import INK, MUTED, PALETTE, new_figure, plain, plain_names, style_axes
from fdx.evaluate.signal_plots import draw_spectrogram
from fdx.explain.explanation import Explanation
from fdx.explain.faithfulness import Curves
from fdx.explain.orders import HARMONICS, Line, axis_in_orders, lines_of
from fdx.explain.spectral import frequencies_hz
from fdx.predict.predictor import AnyPredictor
from fdx.signal.envelope_orders import EnvelopeOrders
from fdx.signal.fault_orders import FaultOrders
from fdx.signal.patch import Condition
from fdx.signal.readings import reads_tables

SIGNED = 'RdBu_r'
MAX_CHANNELS = 3
MAX_COLUMNS = 30
# So many bars of the spectrum of a waveform: its bins are summed, which keeps the sum of the attributions.
BARS = 64
WORDS = {
    'integrated_gradients': 'Integrated gradients',
    'grad_cam': 'Grad-CAM',
    'occlusion': 'Occlusion',
}


def plot_explanation(explanation: Explanation, predictor: AnyPredictor, known_orders: Sequence[float] = ()) -> Figure:
    """The input of a window beside its attributions: red speaks for the explained class, blue against it.

    Args:
      explanation: of the window.
      predictor: of the run.
      known_orders: of gear meshes and the like, marked beside those of shaft and bearing.
    """
    values = {WORDS[name]: a.values for name, a in explanation.attributions.items()}
    if reads_tables(predictor.front_end):
        return _plot_columns(values, predictor.front_end.columns)
    lines = lines_of(explanation.condition, known_orders)
    if explanation.x.shape[1] == 1:
        return _plot_line(explanation, values, predictor, lines)
    return plot_images(explanation.x, values, predictor, lines, explanation.condition)


def plot_images(
    x: np.ndarray,
    values: Mapping[str, np.ndarray],
    predictor: AnyPredictor,
    lines: Sequence[Line] = (),
    condition: Condition | None = None,
) -> Figure:
    """An image and attributions of its values side by side, one row per channel, at most MAX_CHANNELS.

    Args:
      x: float [T, F, C] or [F, T, C], as the front end orders its axes.
      values: heading -> attributions of the same shape; each has its own scale of colours.
      predictor: of the run.
      lines: parts of the machine to be marked on the frequency axis, if it has one.
      condition: speed, which the marks need.
    """
    front_end = predictor.front_end
    panels = front_end.panels(predictor.meta['dataset'].get('channels', 1))[:MAX_CHANNELS]  # type: ignore[union-attr]
    figure = new_figure(2.9 * (1 + len(values)) + 0.6, 2.3 * len(panels) + 0.9)
    axes = figure.subplots(len(panels), 1 + len(values), squeeze=False, sharex=True, sharey=True)
    limits = tuple(np.percentile(x, (0.5, 99.5)))
    drawn: list[Line] = []
    for c, panel in enumerate(panels):
        for cell, (heading, image) in zip(axes[c], [('Input', x), *values.items()]):
            flat = image[..., c] if front_end.axes == 'TF' else image[..., c].T
            hop_s, centres = front_end.hop_s, front_end.centre_frequencies_hz()  # type: ignore[union-attr]
            picture = draw_spectrogram(cell, flat, hop_s, centres, '', limits, front_end.plot_labels)
            if heading != 'Input':
                reach = float(np.percentile(np.abs(image), 99.5)) or 1.0
                picture.set_cmap(SIGNED)
                picture.set_clim(-reach, reach)
            cell.set_title(f'{heading}{": " if panel else ""}{plain(panel)}', loc='left', fontsize=8, color=INK)
            if condition is not None:
                drawn = _mark_rows(cell, predictor, x.shape, lines, condition)
            if isinstance(front_end, FaultOrders) and front_end.layout == 'image':
                middles = front_end.cells * (np.arange(front_end.harmonics) + 0.5)
                cell.set_xticks(middles, [f'{h}x' for h in range(1, front_end.harmonics + 1)])
                cell.set_xlabel('harmonic of the order')
            if cell is not axes[c][0]:
                cell.set_ylabel('')
            if c < len(panels) - 1:
                cell.set_xlabel('')
    _legend(figure, drawn)
    return figure


def plot_curves(explanation: Explanation) -> Figure:
    """Deletion and insertion of each method beside those of random orders."""
    found: dict[str, Curves] = {WORDS[name]: a.curves for name, a in explanation.attributions.items()}
    found['random order'] = explanation.random
    figure = new_figure(8.2, 2.6)
    left, right = figure.subplots(1, 2, sharey=True)
    for i, (name, curves) in enumerate(found.items()):
        style = {'color': MUTED if name == 'random order' else PALETTE[i % len(PALETTE)], 'linewidth': 1.4}
        style['linestyle'] = '--' if name == 'random order' else '-'
        left.plot(100 * curves.shares, curves.deletion, **style, label=f'{name}: {curves.deletion_area:.2f}')
        right.plot(100 * curves.shares, curves.insertion, **style, label=f'{name}: {curves.insertion_area:.2f}')
    style_axes(left, 'Deletion', 'values replaced (%)', f'probability of {plain(explanation.explained)}', grid='y')
    style_axes(right, 'Insertion', 'values put in (%)', '', grid='y')
    for axes in (left, right):
        axes.set_ylim(-0.02, 1.02)
        axes.legend(fontsize=7, frameon=False, labelcolor=INK, title='area', title_fontsize=7)
    return figure


def _plot_columns(values: Mapping[str, np.ndarray], columns: Sequence[str]) -> Figure:
    """Attributions of the columns of a table, the largest first; at most MAX_COLUMNS."""
    first = np.abs(next(iter(values.values())))
    shown = np.argsort(-first, kind='stable')[:MAX_COLUMNS]
    figure = new_figure(3.6 * len(values) + 1.5, 0.28 * len(shown) + 1.0)
    axes = figure.subplots(1, len(values), squeeze=False, sharey=True)[0]
    for cell, (heading, of_columns) in zip(axes, values.items()):
        chosen = of_columns[shown]
        cell.barh(range(len(shown)), chosen, color=np.where(chosen >= 0, '#b2182b', '#2166ac').tolist())
        style_axes(cell, heading, 'change of the log odds', grid='x')
        cell.axvline(0, color=MUTED, linewidth=0.6)
    axes[0].set_yticks(range(len(shown)), plain_names(columns[i] for i in shown))
    axes[0].set_ylim(len(shown) - 0.5, -0.5)
    return figure


def _plot_line(
    explanation: Explanation, values: Mapping[str, np.ndarray], predictor: AnyPredictor, lines: Sequence[Line]
) -> Figure:
    """A waveform or a spectrum of orders above its attributions; of a waveform also those of its frequencies."""
    front_end, x = predictor.front_end, explanation.x
    of_orders = isinstance(front_end, EnvelopeOrders)
    along = front_end.hop_s * (np.arange(len(x)) + of_orders)  # type: ignore[union-attr]
    spectra = {WORDS[n]: a.frequencies for n, a in explanation.attributions.items() if a.frequencies is not None}
    rows = 1 + len(values) + len(spectra)
    figure = new_figure(8.2, 1.35 * rows + 0.8)
    axes = figure.subplots(rows, 1, squeeze=False)[:, 0]
    drawn: list[Line] = []
    for cell, (heading, line) in zip(axes, [('Input', x), *values.items()]):
        for c in range(min(x.shape[2], MAX_CHANNELS)):
            colour = PALETTE[c] if heading == 'Input' else INK
            cell.plot(along, line[:, 0, c], color=colour, linewidth=0.7)
            if heading != 'Input':
                cell.fill_between(along, np.maximum(line[:, 0, c], 0), color='#b2182b', linewidth=0)
                cell.fill_between(along, np.minimum(line[:, 0, c], 0), color='#2166ac', linewidth=0)
        style_axes(cell, heading, front_end.plot_labels[0], '')
        cell.margins(x=0)
        if of_orders:
            drawn = _mark_columns(cell, lines, 1.0, along[-1])
    for cell, (heading, worth) in zip(axes[1 + len(values) :], spectra.items()):
        hz = frequencies_hz(len(x), front_end.rate_hz)  # type: ignore[union-attr]
        edges = np.linspace(0, len(hz), min(BARS, len(hz)) + 1).astype(int)
        bars = np.add.reduceat(worth.sum(axis=(1, 2)), edges[:-1])
        cell.bar(hz[edges[:-1]], bars, width=hz[edges[1]] - hz[0], align='edge', color=_signed(bars))
        style_axes(cell, f'{heading}, by frequency', 'frequency (Hz)', '')
        cell.margins(x=0)
        if lines:
            drawn = _mark_columns(cell, lines, explanation.condition.speed_rpm / 60, hz[-1])
    _legend(figure, drawn)
    return figure


def _signed(values: np.ndarray) -> list[str]:
    return np.where(values >= 0, '#b2182b', '#2166ac').tolist()


def _colour(number: int) -> str:
    return PALETTE[number % len(PALETTE)]


def _mark_rows(
    cell: Axes, predictor: AnyPredictor, shape: tuple[int, ...], lines: Sequence[Line], condition: Condition
) -> list[Line]:
    """Ticks at the right edge for the harmonics of each line; returns the lines that have any."""
    centres = axis_in_orders(predictor.front_end, shape, condition)
    if centres is None:
        return []
    drawn = []
    for number, line in enumerate(lines):
        orders = [h * line.order for h in range(1, HARMONICS + 1) if centres[0] <= h * line.order <= centres[-1]]
        for row in np.interp(orders, centres, np.arange(len(centres))):
            cell.axhline(row, xmin=0.94, color=_colour(number), linewidth=1.2)
        drawn += [line] if orders else []
    return [line if line in drawn else Line('', 0.0) for line in lines]


def _mark_columns(cell: Axes, lines: Sequence[Line], unit: float, last: float) -> list[Line]:
    """Ticks at the upper edge for the harmonics of each line, on an axis in orders times `unit`."""
    drawn = []
    for number, line in enumerate(lines):
        places = [h * line.order * unit for h in range(1, HARMONICS + 1) if h * line.order * unit <= last]
        for place in places:
            cell.axvline(place, ymin=0.88, color=_colour(number), linewidth=1.2)
        drawn.append(line if places else Line('', 0.0))
    return drawn


def _legend(figure: Figure, drawn: Sequence[Line]) -> None:
    """Names of the marked lines below the figure; lines without a name were not drawn."""
    handles = [
        Line2D([], [], color=_colour(i), linewidth=1.5, label=f'{plain(line.name)}, order {line.order:.4g}')
        for i, line in enumerate(drawn)
        if line.name
    ]
    if handles:
        figure.legend(handles=handles, loc='outside lower left', ncols=4, fontsize=7, frameon=False, labelcolor=INK)
