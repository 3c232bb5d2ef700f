"""The figure of a dataset: a waveform and its spectrogram side by side for every class."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from fdx.evaluate.canvas import INK, PALETTE, new_figure, plain
from fdx.evaluate.signal_plots import LOG_MAGNITUDE, add_colour_bar, draw_spectrogram, draw_waveform
from fdx.signal.patch import TIME_AND_FREQUENCY
from fdx.types import DataError

COLUMNS_PER_BAND = 5
# Three channels of ten classes fill two screens; with more classes only the first channel is drawn.
MAX_PANELS = 3
MAX_CLASSES_WITH_PANELS = 10


@dataclasses.dataclass(frozen=True)
class ClassSample:
    """One window of a class, before and after the front end.

    Attributes:
      class_name: name of the class.
      samples: float [T], the waveform, or [T, C] for several axes.
      sample_rate_hz: its rate.
      spectrogram: float [T', F], one row per frame and one column per mel band, or [T', F, P] for P channels.
      hop_s: seconds from frame to frame.
      frequencies_hz: float [F], rising centre frequency of each band.
      panels: what each of the P channels shows; () if the spectrogram has one channel.
      unit: what a value of the spectrogram is.
      labels: of the horizontal and the vertical axis.
    """

    class_name: str
    samples: np.ndarray
    sample_rate_hz: float
    spectrogram: np.ndarray
    hop_s: float
    frequencies_hz: np.ndarray
    panels: tuple[str, ...] = ()
    unit: str = LOG_MAGNITUDE
    labels: tuple[str, str] = TIME_AND_FREQUENCY

    def images(self) -> list[tuple[str, np.ndarray]]:
        """(heading, spectrogram [T', F]) of each channel.

        Raises:
          DataError: the numbers of headings and channels differ.
        """
        spectrogram = np.asarray(self.spectrogram, dtype=np.float64)
        if spectrogram.ndim == 2:
            return [('', spectrogram)]
        if spectrogram.ndim != 3 or len(self.panels) != spectrogram.shape[2]:
            raise DataError(
                f'a spectrogram of shape {spectrogram.shape} with {len(self.panels)} headings cannot be drawn: '
                'pass [T, F], or [T, F, P] and P headings'
            )
        return [(name, spectrogram[..., i]) for i, name in enumerate(self.panels)]


def plot_samples_per_class(examples: Sequence[ClassSample]) -> Figure:
    """One column per class, five in a band: the waveform above, and below it the channels of its spectrogram.

    Spectrograms share one colour scale, so that levels can be compared between classes and channels; each waveform has
    its own amplitude axis, because a healthy machine would otherwise be a flat line beside a broken one. The waveforms
    of several axes are drawn over each other without their mean (gravity), in the colours of the headings below. At
    most three channels are drawn, and only the first one if there are more than ten classes; the headings then say so.

    Raises:
      DataError: there are no examples, or a shape does not fit.
    """
    if not examples:
        raise DataError('there are no examples to plot: pass one ClassSample per class')
    images = [example.images() for example in examples]
    shown = min(MAX_PANELS if len(examples) <= MAX_CLASSES_WITH_PANELS else 1, *(len(i) for i in images))
    columns = min(len(examples), COLUMNS_PER_BAND)
    bands = math.ceil(len(examples) / columns)
    # Percentiles, so that one empty band or one click does not wash out every picture.
    values = np.concatenate([image.ravel() for of_class in images for _, image in of_class[:shown]])
    limits = tuple(np.percentile(values, (0.5, 99.5)))
    figure = new_figure(max(2.5 * columns + 0.6, 4), (1.8 + 2.4 * shown) * bands)
    axes = figure.subplots((1 + shown) * bands, columns, squeeze=False, height_ratios=([1] + [1.5] * shown) * bands)
    for i in range(bands * columns):
        cells = axes[(1 + shown) * (i // columns) :, i % columns][: 1 + shown]
        if i >= len(examples):
            for cell in cells:
                cell.set_axis_off()
            continue
        picture = _draw_class(cells, examples[i], images[i], limits)
        for cell in cells if i % columns else ():
            cell.set_ylabel('')
    for band in range(bands):
        of_band = axes[(1 + shown) * band : (1 + shown) * (band + 1)]
        add_colour_bar(figure, picture, of_band[1:].ravel(), examples[0].unit)
    return figure


def _draw_class(
    cells: np.ndarray, example: ClassSample, images: Sequence[tuple[str, np.ndarray]], limits: tuple[float, float]
) -> AxesImage:
    """Fills the Axes [1 + C] of one class: a cell for the waveform, then one per channel; returns the last image."""
    samples = np.asarray(example.samples, dtype=np.float64)
    colours = [INK] * len(images)
    if samples.ndim == 2 and samples.shape[1] > 1:
        samples = samples - samples.mean(axis=0)
        if samples.shape[1] == len(images):
            colours = [PALETTE[c % len(PALETTE)] for c in range(len(images))]
    channels = samples.T if samples.ndim == 2 else [samples]
    name = plain(example.class_name)
    # The loudest axis is drawn first, so that it does not cover the others.
    for c in sorted(range(len(channels)), key=lambda c: -channels[c].std()):
        draw_waveform(cells[0], channels[c], example.sample_rate_hz, name, PALETTE[c % len(PALETTE)])
    cells[0].set_xlabel('')
    for cell, (heading, image), colour in zip(cells[1:], images, colours):
        picture = draw_spectrogram(cell, image, example.hop_s, example.frequencies_hz, '', limits, example.labels)
        cell.set_title(heading, loc='left', fontsize=8, color=colour)
        if cell is not cells[-1]:
            cell.set_xlabel('')
    return picture
