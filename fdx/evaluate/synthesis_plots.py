"""Pictures of a generator: real and generated windows side by side, their mean spectra, and the health of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fdx.evaluate.canvas import INK, PALETTE, new_figure, plain, style_axes
from fdx.evaluate.signal_plots import SPECTROGRAM_COLOURS

SHOWN = 4  # windows on either side
REAL, GENERATED = PALETTE[0], PALETTE[3]
Images = Mapping[str, np.ndarray]

# Keys of a generator's history, and what they are.
PANELS = (
    (('train_wasserstein',), 'Wasserstein estimate'),
    (('train_penalty',), 'gradient penalty'),
    (('train_critic_gradient_norm', 'train_generator_gradient_norm'), 'gradient norms'),
)


def upright(image: np.ndarray, axes: str) -> np.ndarray:
    """First channel [vertical, horizontal] of an image [H, W, C]: frequency upwards, time to the right.

    Args:
      image: float [H, W, C].
      axes: of the front end: 'TF' for [T, F, C], 'FT' for [F, T, C].
    """
    return image[..., 0].T if axes == 'TF' else image[..., 0]


def plot_real_and_generated(real: Images, generated: Images, class_names: Sequence[str], axes: str) -> Figure:
    """One row per class: four real windows, then four generated ones, in the colour scale of the real ones.

    Args:
      real: class -> float [N, H, W, C]; a class may have fewer than four.
      generated: likewise.
      class_names: in the order of the rows.
      axes: of the front end (see `upright`); images of one column are drawn as lines.
    """
    figure = new_figure(2 * SHOWN * 1.35 + 1, 1.15 * len(class_names) + 0.6)
    cells = figure.subplots(len(class_names), 2 * SHOWN, squeeze=False)
    for row, name in zip(cells, class_names):
        values = real[name][..., 0] if len(real[name]) else generated[name][..., 0]
        limits = float(values.min()), float(values.max())
        for side, images in enumerate((real[name], generated[name])):
            for place in range(SHOWN):
                cell = row[side * SHOWN + place]
                cell.set_xticks([])
                cell.set_yticks([])
                if place < len(images):
                    _draw(cell, images[_evenly(len(images), place)], axes, limits, (REAL, GENERATED)[side])
                else:
                    cell.set_axis_off()
        row[0].set_ylabel(plain(name), fontsize=8, color=INK, rotation=0, ha='right', va='center')
    channels = next(iter(generated.values())).shape[-1]
    first = ', first channel' if channels > 1 else ''
    cells[0, 0].set_title(f'real{first}', loc='left', fontsize=10, fontweight='bold', color=REAL)
    cells[0, SHOWN].set_title(f'generated{first}', loc='left', fontsize=10, fontweight='bold', color=GENERATED)
    return figure


def _evenly(count: int, place: int) -> int:
    """Which of `count` images stands at a place: neighbours in a recording look alike."""
    return place * max(count // SHOWN, 1)


def _draw(cell: Axes, image: np.ndarray, axes: str, limits: tuple[float, float], colour: str) -> None:
    if image.shape[1] == 1:
        cell.plot(image[:, 0, 0], color=colour, linewidth=0.6)
        cell.set_ylim(*limits)
        return
    cell.imshow(
        upright(image, axes),
        origin='lower',
        aspect='auto',
        interpolation='nearest',
        cmap=SPECTROGRAM_COLOURS,
        vmin=limits[0],
        vmax=limits[1],
    )
    for spine in cell.spines.values():
        spine.set_color(colour)


def mean_spectra(images: np.ndarray, axes: str) -> np.ndarray:
    """float64 [N, F]: each window averaged over time, its first channel; images of one column as they are, [N, H]."""
    if images.shape[2] == 1:
        return images[:, :, 0, 0].astype(np.float64)
    return images[..., 0].mean(axis=1 if axes == 'TF' else 2, dtype=np.float64)


def plot_mean_spectra(real: Images, generated: Images, class_names: Sequence[str], axes: str) -> Figure:
    """A panel per class: mean spectra of real and of generated windows, with one standard deviation around them."""
    columns = min(len(class_names), 4)
    rows = -(-len(class_names) // columns)
    figure = new_figure(3.2 * columns, 2.1 * rows + 0.4)
    cells = figure.subplots(rows, columns, squeeze=False).ravel()
    for cell, name in zip(cells, class_names):
        for images, colour, words in ((real[name], REAL, 'real'), (generated[name], GENERATED, 'generated')):
            if not len(images):
                continue
            spectra = mean_spectra(images, axes)
            mean, spread, bands = spectra.mean(0), spectra.std(0), np.arange(spectra.shape[1])
            cell.plot(bands, mean, color=colour, linewidth=1.2, label=words)
            cell.fill_between(bands, mean - spread, mean + spread, color=colour, alpha=0.2, linewidth=0)
        style_axes(cell, plain(name), 'band', 'mean value', grid='y')
    for cell in cells[len(class_names) :]:
        cell.set_axis_off()
    cells[0].legend(fontsize=7, frameon=False)
    return figure


def plot_health(history: Sequence[Mapping[str, float]]) -> Figure:
    """The health of training over updates of the generator; a panel without numbers is left out."""
    panels = [(keys, words) for keys, words in PANELS if history and all(key in row for row in history for key in keys)]
    figure = new_figure(4 * max(len(panels), 1), 3)
    for cell, (keys, words) in zip(np.atleast_1d(figure.subplots(1, max(len(panels), 1))), panels):
        for key, colour in zip(keys, (REAL, GENERATED)):
            label = key.removeprefix('train_').partition('_')[0]
            cell.plot([r['step'] for r in history], [r[key] for r in history], color=colour, label=label)
        style_axes(cell, words, 'updates of the generator', '', grid='y')
        if len(keys) > 1:
            cell.legend(fontsize=7, frameon=False)
    return figure
