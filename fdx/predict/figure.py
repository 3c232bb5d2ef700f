"""The picture of a diagnosis: the waveform, and what each window says."""

from __future__ import annotations

import pathlib
import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fdx.predict.result import Result, Series
from fdx.types import Recording

# More points than a figure has pixels only cost time: each column of a long waveform shows its extremes.
COLUMNS = 2000
MAX_CHANNELS = 4
NO_VOTE = '#d9dde1'
# Okabe and Ito, "Color universal design", 2008.
COLOURS = ('#0072B2', '#E69F00', '#009E73', '#D55E00', '#56B4E9', '#CC79A7', '#555555')
STYLES = ('-', '--', ':', '-.')


def plot_result(result: Result) -> Figure:
    """The figure of a diagnosis; the waveform is left out where the recording was not kept.

    Returns:
      A figure on an Agg canvas, with `savefig`; no window is opened, and pyplot does not know it.
    """
    series = result.series()
    panels = 2 if result.recording is not None else 1
    figure = Figure(figsize=(8, 2.6 * panels + 0.4), layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0]
    if result.recording is not None:
        plot_waveform(axes[0], result.recording)
    _plot_series(axes[-1], series, result.label)
    silent = ~np.isfinite(series.values).any(axis=1)
    for start in series.starts[silent]:
        for axis in axes:
            axis.axvspan(start, start + series.width, color=NO_VOTE, zorder=0, linewidth=0)
    verdict = result.label if result.label is not None else f'no verdict: {result.reason}'
    title = f'{pathlib.PurePath(result.file).name}: {verdict}'
    # Names and reasons are users' text: a dollar sign in them is no formula.
    axes[0].set_title('\n'.join(textwrap.wrap(title, 100)), fontsize=10, parse_math=False)
    return figure


def extremes(samples: np.ndarray, columns: int = COLUMNS) -> tuple[np.ndarray, np.ndarray]:
    """A waveform in at most 2 * `columns` points that looks the same.

    Args:
      samples: float [T].
      columns: of the picture.

    Returns:
      (indices int [M] into the samples, in order, samples [M]): the smallest and the largest one of each column.
    """
    if len(samples) <= 2 * columns:
        return np.arange(len(samples)), samples
    edges = np.linspace(0, len(samples), columns + 1).astype(int)
    lowest_first = [
        sorted((a + int(samples[a:b].argmin()), a + int(samples[a:b].argmax()))) for a, b in zip(edges, edges[1:])
    ]
    found = np.array(lowest_first).reshape(-1)
    return found, samples[found]


def plot_waveform(axis: Axes, recording: Recording) -> None:
    """Draws the channels of a recording over time, at most MAX_CHANNELS of them."""
    samples = np.nan_to_num(np.asarray(recording.samples, np.float64))
    samples = samples.reshape(len(samples), -1)[:, :MAX_CHANNELS]
    names = recording.channel_names or [f'channel {c}' for c in range(samples.shape[1])]
    for c, name in zip(range(samples.shape[1]), names):
        where, values = extremes(samples[:, c])
        axis.plot(where / recording.sample_rate_hz, values, color=COLOURS[c], linewidth=0.6, label=_shown(name))
    axis.set_ylabel(f'amplitude ({recording.unit})' if recording.unit else 'amplitude', parse_math=False)
    if samples.shape[1] > 1:
        _legend(axis)


def _plot_series(axis: Axes, series: Series, label: str | None) -> None:
    # A mark in the middle of each window: those of overlapping windows stay apart.
    middles = series.starts + series.width / 2
    for k, name in enumerate(series.names):
        colour, style = COLOURS[k % len(COLOURS)], STYLES[k // len(COLOURS) % len(STYLES)]
        width = 2.0 if name == label else 1.0
        line: dict[str, Any] = {
            'color': colour,
            'marker': 'o',
            'markersize': 3,
            'linewidth': width,
            'label': _shown(name),
        }
        axis.plot(middles, series.values[:, k], style, **line)
    if series.threshold is not None:
        axis.axhline(series.threshold, color='#555555', linewidth=0.8, linestyle='--', label='threshold')
    axis.set_xlabel(series.axes[0])
    axis.set_ylabel(series.axes[1])
    _legend(axis)


def _legend(axis: Axes) -> None:
    legend = axis.legend(fontsize=7, loc='upper left', bbox_to_anchor=(1.0, 1.0), frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)


def _shown(name: str) -> str:
    """A name as a legend shows it: matplotlib leaves out labels that begin with an underscore."""
    text = ' '.join(str(name).split())[:40]
    return f' {text}' if text.startswith('_') else text
