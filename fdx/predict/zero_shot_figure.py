"""The picture of a diagnosis without training: the waveform, and the envelope's spectrum in orders of the shaft."""

from __future__ import annotations

import pathlib
import textwrap
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fdx.predict.figure import COLOURS, plot_waveform
from fdx.signal.control_orders import FAULTS

if TYPE_CHECKING:
    from fdx.predict.zero_shot_diagnosis import ZeroShotDiagnosis

# Harmonics whose places are marked.
MARKED = 3


def plot_zero_shot(result: ZeroShotDiagnosis) -> Figure:
    """The figure of a diagnosis.

    Returns:
      A figure on an Agg canvas, with `savefig`; no window is opened, and pyplot does not know it.
    """
    figure = Figure(figsize=(8, 5.6), layout='constrained')
    FigureCanvasAgg(figure)
    top, bottom = figure.subplots(2, 1)
    if result.recording is not None:
        plot_waveform(top, result.recording)
    verdict = result.label or 'no verdict'
    title = f'{pathlib.PurePath(result.file).name}: {verdict}' + (f' ({result.reason})' if result.reason else '')
    top.set_title('\n'.join(textwrap.wrap(title, 100)), fontsize=10, parse_math=False)
    if result.searched is None:
        bottom.set_axis_off()
        return figure
    evidence, spectra = result.searched, result.searched.spectra
    known = np.isfinite(spectra.excess)
    mean = np.where(known, spectra.excess, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    orders = np.arange(len(mean)) * spectra.df_hz / (evidence.speed.speed_rpm / 60)
    highest = MARKED * max(found.order for found in evidence.targets[: len(FAULTS)]) * 1.1
    shown = orders <= highest
    bottom.plot(orders[shown], mean[shown], color='#555555', linewidth=0.6)
    for name, found, colour in zip(FAULTS, evidence.targets, COLOURS):
        for h in range(1, MARKED + 1):
            place = h * found.order * (1 + found.deviation)
            bottom.axvline(place, color=colour, linewidth=1, alpha=0.6, label=name if h == 1 else None)
    bottom.set_xlabel('order (turns of the shaft)')
    bottom.set_ylabel('envelope over background (nepers)')
    bottom.legend(fontsize=8)
    return figure
