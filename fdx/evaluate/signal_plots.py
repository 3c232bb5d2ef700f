"""Figures of one signal: its waveform and its spectrogram, alone or as parts of a larger figure."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator

from fdx.evaluate.canvas import PALETTE, new_figure, style_axes
from fdx.signal.mel import mel_edges_hz
from fdx.signal.patch import TIME_AND_FREQUENCY
from fdx.types import DataError

SPECTROGRAM_COLOURS = 'magma'
# More points than this cannot be seen in a figure of this width, and cost time and bytes.
MAX_WAVEFORM_POINTS = 20_000
LOG_MAGNITUDE = 'log magnitude'
MAX_TICKS = 14


def mel_centres_hz(n_mels: int, f_min_hz: float, f_max_hz: float) -> np.ndarray:
    """Centre frequencies of triangular mel bands, float64 [n_mels], rising (HTK mel scale)."""
    return mel_edges_hz(n_mels, f_min_hz, f_max_hz)[1:-1]


def draw_waveform(axes: Axes, samples: np.ndarray, sample_rate_hz: float, title: str, colour: str = PALETTE[0]) -> None:
    """Draws amplitude over time on `axes`."""
    samples = np.asarray(samples, dtype=np.float64)
    if samples.ndim != 1 or not samples.size:
        raise DataError(f'a waveform to plot must have shape [T] with T > 0, not {samples.shape}: pick one channel')
    if not sample_rate_hz > 0:
        raise DataError(f'the sampling rate must be positive, not {sample_rate_hz} Hz')
    time_s = np.arange(len(samples)) / sample_rate_hz
    line_s, line = _envelope(time_s, samples)
    axes.plot(line_s, line, color=colour, linewidth=0.6)
    axes.set_xlim(0, len(samples) / sample_rate_hz)
    style_axes(axes, title, 'time (s)', 'amplitude', grid='y')


def _envelope(time_s: np.ndarray, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Thins a long signal to the minimum and maximum of each stretch; unlike striding, this loses no impulse."""
    if len(samples) <= MAX_WAVEFORM_POINTS:
        return time_s, samples
    starts = np.linspace(0, len(samples), MAX_WAVEFORM_POINTS // 2, endpoint=False).astype(int)
    low, high = np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)
    return np.repeat(time_s[starts], 2), np.stack([low, high], axis=1).reshape(-1)


def draw_spectrogram(
    axes: Axes,
    spectrogram: np.ndarray,
    hop_s: float,
    frequencies_hz: np.ndarray,
    title: str,
    limits: tuple[float | None, float | None] = (None, None),
    labels: tuple[str, str] = TIME_AND_FREQUENCY,
) -> AxesImage:
    """Draws a spectrogram on `axes`, one row per band, with ticks in Hz; returns the image for a colour bar.

    `labels` name both axes. If the picture is not a spectrogram, `hop_s` and `frequencies_hz` have the units in them.
    """
    spectrogram = np.asarray(spectrogram, dtype=np.float64)
    frequencies_hz = np.asarray(frequencies_hz, dtype=np.float64)
    if spectrogram.ndim != 2 or not spectrogram.size:
        raise DataError(f'a spectrogram to plot must have shape [T, F], not {spectrogram.shape}')
    bands = spectrogram.shape[1]
    if frequencies_hz.shape != (bands,) or np.any(np.diff(frequencies_hz) <= 0):
        raise DataError(f'a spectrogram of {bands} bands needs {bands} rising frequencies, not {frequencies_hz.shape}')
    image = axes.imshow(
        spectrogram.T,
        origin='lower',
        aspect='auto',
        interpolation='nearest',
        cmap=SPECTROGRAM_COLOURS,
        extent=(0, len(spectrogram) * hop_s, -0.5, bands - 0.5),
        vmin=limits[0],
        vmax=limits[1],
    )
    style_axes(axes, title, *labels)
    ticks_hz = _frequency_ticks(frequencies_hz)
    positions = np.interp(ticks_hz, frequencies_hz, np.arange(bands))
    keep = _apart(positions, bands / MAX_TICKS)
    axes.set_yticks(positions[keep], [f'{tick:,g}' for tick in ticks_hz[keep]])
    return image


def _apart(positions: np.ndarray, distance: float) -> np.ndarray:
    """Indices of the rising positions that are kept; one that is too near to the next higher one is left out."""
    kept = [len(positions) - 1]
    for i in range(len(positions) - 2, -1, -1):
        if positions[kept[-1]] - positions[i] >= distance:
            kept.append(i)
    return np.array(kept[::-1])


def _frequency_ticks(frequencies_hz: np.ndarray) -> np.ndarray:
    """Round frequencies inside the range: evenly spaced on a linear axis, in the series 1-2-5 on a warped one."""
    low, high = frequencies_hz[0], frequencies_hz[-1]
    if len(frequencies_hz) < 3 or np.allclose(np.diff(frequencies_hz), frequencies_hz[1] - low, rtol=0.01):
        ticks = np.asarray(MaxNLocator(nbins=6).tick_values(low, high))
    else:
        ticks = np.outer(10.0 ** np.arange(-2, 7), (1, 2, 5)).ravel()
    ticks = ticks[(ticks >= low) & (ticks <= high)]
    return ticks if len(ticks) else frequencies_hz[:1]


def plot_waveform(samples: np.ndarray, sample_rate_hz: float, title: str = '') -> Figure:
    """Amplitude over time of one channel.

    Args:
      samples: float [T].
      sample_rate_hz: rate of `samples`.
      title: heading.

    Raises:
      DataError: `samples` is not [T] or the rate is not positive.
    """
    figure = new_figure(8, 2.6)
    draw_waveform(figure.subplots(), samples, sample_rate_hz, title)
    return figure


def plot_log_mel(
    spectrogram: np.ndarray,
    hop_s: float,
    title: str = '',
    *,
    frequencies_hz: np.ndarray | None = None,
    f_min_hz: float | None = None,
    f_max_hz: float | None = None,
) -> Figure:
    """A log-mel spectrogram over time, equal height for every band.

    Args:
      spectrogram: float [T, F].
      hop_s: seconds from frame to frame.
      title: heading.
      frequencies_hz: float [F], rising centre of each band; leave it out if both edges are given.
      f_min_hz: lower edge of the lowest mel band.
      f_max_hz: upper edge of the highest one.

    Raises:
      DataError: a shape does not fit, or neither frequencies nor both edges are given.
    """
    if frequencies_hz is None:
        if f_min_hz is None or f_max_hz is None:
            raise DataError('plot_log_mel needs frequencies_hz, or both f_min_hz and f_max_hz')
        frequencies_hz = mel_centres_hz(np.shape(spectrogram)[-1], f_min_hz, f_max_hz)
    figure = new_figure(8, 3.4)
    axes = figure.subplots()
    image = draw_spectrogram(axes, spectrogram, hop_s, frequencies_hz, title)
    add_colour_bar(figure, image, [axes])
    return figure


def add_colour_bar(figure: Figure, image: AxesImage, axes: Iterable[Axes], unit: str = LOG_MAGNITUDE) -> None:
    """A slim colour bar to the right of `axes`."""
    bar = figure.colorbar(image, ax=list(axes), aspect=25, pad=0.01)
    bar.set_label(unit, fontsize=9)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)
