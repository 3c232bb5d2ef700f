"""The section of a report that says which part of the input speaks for each class: one window per class, by occlusion.

Occlusion needs the forward pass that was scored with and nothing else. So the section costs no compilation, exported
files have one, too, and its cost does not depend on how much is scored: at most MAX_PASSES windows go through the
network once more. `fdx explain` has more methods, and says how far each can be believed.
"""

from __future__ import annotations

import functools

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fdx.data.pipeline import ArrayExamples
from fdx.evaluate.canvas import INK, MUTED, new_figure, plain, plain_names, style_axes
from fdx.evaluate.explanation_plots import MAX_CHANNELS, MAX_COLUMNS, SIGNED
from fdx.evaluate.scoring import Scored
from fdx.evaluate.signal_plots import draw_spectrogram
from fdx.explain.baseline import baseline_input
from fdx.explain.occlusion import CELLS, cells_of, occlusion
from fdx.predict.predictor import AnyPredictor
from fdx.signal.readings import reads_tables

MAX_PASSES = 256
MAX_CLASSES = 6


def explanation_examples(scored: Scored) -> dict[str, Figure]:
    """{'explanations': figure} of a scored run, or {} where no window of its first fold is diagnosed rightly."""
    predictor, examples = scored.predictors[0], scored.examples[0]
    chosen = _surest(scored)
    if not chosen:
        return {}
    baseline, _ = baseline_input(predictor)
    # One pass of each class is the window itself.
    count = _cells_along_an_axis(baseline.shape, MAX_PASSES // len(chosen) - 1)
    inputs = [np.asarray(examples[row]['inputs'], np.float32) for _, row in chosen]
    values = [
        occlusion(functools.partial(_log_odds, predictor, which), x, baseline, count)
        for (which, _), x in zip(chosen, inputs)
    ]
    names = [predictor.class_names[which] for which, _ in chosen]
    return {'explanations': _draw(predictor, names, inputs, values)}


def _surest(scored: Scored) -> list[tuple[int, int]]:
    """(class, number of the example in the first fold) of the right window with the highest probability per class."""
    fold = scored.predictions
    n = len(scored.examples[0])
    right = fold.predicted[:n] == fold.labels[:n]
    found = []
    for which in np.unique(fold.labels[:n][right])[:MAX_CLASSES]:
        mine = np.flatnonzero(right & (fold.labels[:n] == which))
        found.append((int(which), int(mine[fold.probabilities[mine, which].argmax()])))
    return found


def _cells_along_an_axis(shape: tuple[int, ...], budget: int) -> int:
    return next((count for count in range(CELLS, 1, -1) if len(cells_of(shape, count)) <= budget), 1)


def _log_odds(predictor: AnyPredictor, which: int, images: np.ndarray) -> np.ndarray:
    return predictor.log_odds(ArrayExamples(images, np.zeros(len(images), np.int32)), which)


def _draw(predictor: AnyPredictor, names: list[str], inputs: list[np.ndarray], values: list[np.ndarray]) -> Figure:
    """One column per class; of images one row per channel, at most MAX_CHANNELS."""
    front_end = predictor.front_end
    if reads_tables(front_end):
        shown = np.argsort(-np.abs(values).max(axis=0), kind='stable')[:MAX_COLUMNS]
        figure = new_figure(2.6 * len(names) + 1.4, 0.28 * len(shown) + 1.0)
        cells = figure.subplots(1, len(names), squeeze=False, sharey=True)[0]
        for cell, name, of_class in zip(cells, names, values):
            _bars(cell, of_class[shown], plain(name))
        cells[0].set_yticks(range(len(shown)), plain_names(front_end.columns[i] for i in shown))
        cells[0].set_ylim(len(shown) - 0.5, -0.5)
        return figure
    panels = front_end.panels(predictor.meta['dataset'].get('channels', 1))[:MAX_CHANNELS]
    figure = new_figure(max(2.6 * len(names), 4) + 0.6, 2.0 * len(panels) + 0.6)
    axes = figure.subplots(len(panels), len(names), squeeze=False, sharex=True)
    for column, name, x, of_class in zip(axes.T, names, inputs, values):
        for c, (cell, panel) in enumerate(zip(column, panels)):
            heading = plain(name) + (f', {plain(panel)}' if panel else '')
            if x.shape[1] == 1:
                _line(cell, x[:, 0, c], of_class[:, 0, c], front_end.hop_s, front_end.plot_labels[0])
            else:
                image = of_class[..., c] if front_end.axes == 'TF' else of_class[..., c].T
                reach = float(np.abs(of_class).max()) or 1.0
                limits, centres = (-reach, reach), front_end.centre_frequencies_hz()
                draw_spectrogram(cell, image, front_end.hop_s, centres, '', limits, front_end.plot_labels).set_cmap(
                    SIGNED
                )
            cell.set_title(heading, loc='left', fontsize=8, color=INK)
            if cell is not column[-1]:
                cell.set_xlabel('')
            if column is not axes.T[0] and name != names[0]:
                cell.set_ylabel('')
    return figure


def _bars(cell: Axes, values: np.ndarray, name: str) -> None:
    cell.barh(range(len(values)), values, color=np.where(values >= 0, '#b2182b', '#2166ac').tolist())
    style_axes(cell, name, 'loss of log odds', grid='x')
    cell.axvline(0, color=MUTED, linewidth=0.6)


def _line(cell: Axes, x: np.ndarray, values: np.ndarray, step: float, label: str) -> None:
    """The waveform or spectrum on a ground of what its parts are worth."""
    reach = float(np.abs(values).max()) or 1.0
    low, high = float(x.min()), float(x.max())
    extent = (0, len(x) * step, low, high if high > low else low + 1.0)
    cell.imshow(values[None], aspect='auto', extent=extent, cmap=SIGNED, vmin=-reach, vmax=reach, alpha=0.6)
    cell.plot(step * np.arange(len(x)), x, color=INK, linewidth=0.5)
    style_axes(cell, '', label, '')
