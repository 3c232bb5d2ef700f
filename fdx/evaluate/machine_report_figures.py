"""The figures of a report about one channel: small enough for a phone, with the marks that an engineer looks for."""

from __future__ import annotations

import math

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from fdx.evaluate.canvas import GRID, INK, MUTED, PALETTE, new_figure, plain, style_axes
from fdx.evaluate.machine_report_channel import HIGHEST_HZ, HIGHEST_ORDER, Channel, Levels
from fdx.predict.figure import extremes
from fdx.signal.control_orders import FAULTS
from fdx.signal.fault_evidence import MAINS_HZ, SLIP, FaultEvidence
from fdx.signal.order_spectra import OrderSpectra

WIDTH = 5.2
# Harmonics of a fault that are marked, orders of the shaft, and control orders whose lines make one point of the band.
HARMONICS, SHAFT_ORDERS, NEIGHBOURS = 3, 12, 30
FAULT_COLOURS = dict(zip(FAULTS, (PALETTE[0], PALETTE[3], PALETTE[2])))
FAULT_WORDS = {'inner_race': 'inner race', 'outer_race': 'outer race', 'ball': 'ball'}
COLUMNS = 600
# Few colours, and whole cells: a smooth map takes five times the bytes.
COLOURS, CELLS = matplotlib.colormaps['magma'].resampled(24), 300
BAND = '#c9d1d9'
ORDERS, FREQUENCY = 'order (turns of the shaft)', 'frequency (Hz)'
DYNAMIC_DB = 70.0


def waveform(channel: Channel) -> Figure:
    """Samples over time, as they were read."""
    figure = new_figure(WIDTH, 1.9)
    axes = figure.subplots()
    x = np.nan_to_num(np.asarray(channel.recording.samples, np.float64)).reshape(len(channel.recording.samples), -1)[
        :, 0
    ]
    where, values = extremes(x, COLUMNS)
    axes.plot(where / channel.recording.sample_rate_hz, values, color=PALETTE[0], linewidth=0.5)
    axes.set_xlim(0, len(x) / channel.recording.sample_rate_hz)
    style_axes(axes, '', 'time (s)', _with_unit('amplitude', channel), grid='y')
    return figure


def spectrum(channel: Channel) -> Figure:
    """The whole spectrum in Hz, and its lower end with the orders of the shaft, or the mains, marked."""
    figure = new_figure(WIDTH, 3.9)
    top, bottom = figure.subplots(2, 1)
    hz, amplitude = channel.spectrum or (np.zeros(1), np.ones(1))
    floor = amplitude[1:].max(initial=1e-30) * 10 ** (-DYNAMIC_DB / 20)
    _thinned(top, hz / 1000, amplitude, floor)
    style_axes(top, '', 'frequency (kHz)', _with_unit('amplitude', channel), grid='y')
    shaft_hz = channel.speed_rpm / 60
    known = math.isfinite(shaft_hz)
    unit_hz, highest = (shaft_hz, SHAFT_ORDERS + 0.5) if known else (1.0, min(HIGHEST_HZ, hz[-1]))
    low = hz / unit_hz <= highest
    _thinned(bottom, hz[low] / unit_hz, amplitude[low], floor)
    if known:
        for order in range(1, SHAFT_ORDERS + 1):
            bottom.axvline(order, color=PALETTE[1], linewidth=0.8, alpha=0.6, zorder=0)
        for mains_hz in MAINS_HZ:
            bottom.axvline(mains_hz / unit_hz, color=MUTED, linewidth=0.8, linestyle=':', zorder=0)
    style_axes(bottom, '', ORDERS if known else FREQUENCY, _with_unit('amplitude', channel))
    return figure


def envelope(channel: Channel) -> Figure:
    """The envelope's spectrum with the bearing's lines, over what the same search finds at orders of no fault."""
    spectra = channel.envelope
    figure = new_figure(WIDTH, 3.1)
    axes = figure.subplots()
    if spectra is None:
        raise ValueError('there is no envelope spectrum to draw')
    mean = mean_excess(spectra)
    searched = channel.diagnosis.searched if channel.diagnosis is not None else None
    known = math.isfinite(channel.speed_rpm)
    axis = np.arange(len(mean)) * spectra.df_hz / (channel.speed_rpm / 60 if known else 1.0)
    highest = HIGHEST_ORDER if known else HIGHEST_HZ
    if searched is not None:
        highest = min(HARMONICS * max(f.order for f in searched.targets[: len(FAULTS)]) * 1.05, axis[-1])
        _control_band(axes, searched, mean, axis[1], highest)
        _fault_marks(axes, searched)
    shown = axis <= highest
    places, values = _highest_of_columns(axis[shown], mean[shown])
    axes.plot(places, values, color=INK, linewidth=0.6)
    axes.set_xlim(0, highest)
    axes.set_ylim(-1.0, max(2.0, float(values[1:].max(initial=0)) * 1.05))
    style_axes(axes, '', ORDERS if known else FREQUENCY, 'envelope over\nbackground (nepers)', grid='y')
    if searched is not None:
        axes.legend(fontsize=7, ncols=4, loc='lower left', bbox_to_anchor=(0, 1.0), frameon=False)
    return figure


def mean_excess(spectra: OrderSpectra) -> np.ndarray:
    """Mean over the bands that reach a frequency: float64 [F]."""
    known = np.isfinite(spectra.excess)
    return np.where(known, spectra.excess, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)


def _control_band(axes: Axes, searched: FaultEvidence, mean: np.ndarray, step: float, highest: float) -> None:
    """Shades where the tops of nine in ten control orders lie, each looked for within the slip as a fault's is."""
    places, tops = [], []
    for control in searched.controls:
        for h in range(1, HARMONICS + 1):
            place = h * control.order
            first, end = int(place * (1 - SLIP) / step), int(place * (1 + SLIP) / step) + 2
            if place <= highest * 1.05 and end <= len(mean):
                places.append(place)
                tops.append(float(mean[first:end].max()))
    if len(places) < NEIGHBOURS:
        return
    order = np.argsort(places)
    x, y = np.array(places)[order], np.array(tops)[order]
    windows = np.lib.stride_tricks.sliding_window_view(y, NEIGHBOURS)
    low, high = np.quantile(windows, [0.05, 0.95], axis=1)
    middles = np.lib.stride_tricks.sliding_window_view(x, NEIGHBOURS).mean(axis=1)
    axes.fill_between(middles, low, high, color=BAND, linewidth=0, zorder=0, label='control orders')


def _fault_marks(axes: Axes, searched: FaultEvidence) -> None:
    for name, found in zip(FAULTS, searched.targets):
        for h in range(1, HARMONICS + 1):
            place = h * found.order * (1 + found.deviation)
            label = FAULT_WORDS[name] if h == 1 else None
            axes.axvline(place, color=FAULT_COLOURS[name], linewidth=3, alpha=0.4, zorder=1, label=label)


def waterfall(channel: Channel) -> Figure:
    """Spectrum and envelope's spectrum over time."""
    found = channel.order_map
    if found is None:
        raise ValueError('there is no map to draw')
    figure = new_figure(WIDTH, 4.6)
    parts = ((found.spectrum, (-60, 0), 'spectrum (dB)'), (found.envelope, (0, 3), 'envelope (nepers)'))
    for axes, (values, (low, high), label) in zip(figure.subplots(2, 1), parts):
        # Of neighbouring cells the highest is shown, so that no line is lost.
        step = max(1, values.shape[1] // CELLS)
        cut = values[:, : values.shape[1] // step * step].reshape(len(values), -1, step).max(axis=2)
        extent = (0, found.axis[-1], found.times_s[0], found.times_s[-1])
        image = axes.imshow(
            cut,
            origin='lower',
            aspect='auto',
            extent=extent,
            vmin=low,
            vmax=high,
            cmap=COLOURS,
            interpolation='nearest',
        )
        style_axes(axes, '', ORDERS if found.in_orders else FREQUENCY, 'time (s)')
        bar = figure.colorbar(image, ax=axes, pad=0.01)
        bar.set_label(label, fontsize=8)
        bar.ax.tick_params(labelsize=7)
    return figure


def difference(levels: Levels, healthy: list[Levels]) -> Figure | None:
    """Third octaves against healthy recordings; None where they share no band."""
    shared = [hz for hz in levels.bands_db if all(hz in one.bands_db for one in healthy)]
    if not shared:
        return None
    figure = new_figure(WIDTH, 2.4)
    axes = figure.subplots()
    usual = np.array([[one.bands_db[hz] for hz in shared] for one in healthy])
    middle = np.median(usual, axis=0)
    now = np.array([levels.bands_db[hz] for hz in shared]) - middle
    x = np.arange(len(shared))
    low, high = usual.min(axis=0) - middle, usual.max(axis=0) - middle
    axes.fill_between(x, low, high, color=BAND, step='mid', label='healthy recordings')
    axes.bar(x, now, 0.6, color=[PALETTE[3] if d > 0 else PALETTE[0] for d in now])
    axes.axhline(0, color=MUTED, linewidth=0.8)
    ticks = x[:: max(1, len(x) // 9)]
    axes.set_xticks(ticks, [f'{shared[t]:.0f}' if shared[t] < 1000 else f'{shared[t] / 1000:.1f}k' for t in ticks])
    style_axes(axes, '', 'third octave (Hz)', 'change (dB)', grid='y')
    axes.legend(fontsize=7, frameon=False)
    return figure


def _thinned(axes: Axes, x: np.ndarray, y: np.ndarray, floor: float) -> None:
    places, values = _highest_of_columns(x, y)
    axes.semilogy(places, np.maximum(values, floor), color=INK, linewidth=0.6)
    # Decades suffice, and minor ticks take a third of the time of drawing.
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlim(0, float(x[-1]) if len(x) else 1.0)
    axes.grid(axis='y', color=GRID, linewidth=0.8)


def _highest_of_columns(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The highest value of each column of a figure: a line of one bin is never lost."""
    step = max(1, len(x) // (2 * COLUMNS))
    count = len(x) // step
    cut = y[: count * step].reshape(count, step)
    best = cut.argmax(axis=1)
    rows = np.arange(count)
    return x[rows * step + best], cut[rows, best]


def _with_unit(words: str, channel: Channel) -> str:
    return f'{words} ({plain(channel.unit)})' if channel.unit else words
