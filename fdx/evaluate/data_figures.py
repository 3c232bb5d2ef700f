"""Figures of the data that a run was scored on, by the names that `PreparedDataset.plots` gives."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fdx.data.readings import ReadingsDataset
from fdx.data.records import decode_waveform
from fdx.data.source import Dataset
from fdx.evaluate.canvas import INK, new_figure
from fdx.evaluate.embedding_plots import plot_embedding, plot_embedding_profile
from fdx.evaluate.readings_plots import plot_distributions
from fdx.evaluate.sample_plots import MAX_PANELS, ClassSample, plot_samples_per_class
from fdx.evaluate.scoring import Scored
from fdx.evaluate.signal_plots import add_colour_bar, draw_spectrogram
from fdx.signal.scaling import Gain
from fdx.signal.scalogram import Scalogram
from fdx.types import DataError

MAX_EMBEDDED = 1000


def _samples_per_class(scored: Scored) -> dict[str, Figure]:
    return {'samples': plot_samples_per_class(class_samples(scored))}


def _distributions(scored: Scored) -> dict[str, Figure]:
    examples = scored.examples[0]
    data = examples.dataset
    if not isinstance(data, ReadingsDataset):
        raise DataError(f'{data.name} is no table of readings, so it has no columns to draw')
    figure = plot_distributions(data.in_memory(examples.rows), data.columns, examples.labels(), data.class_names())
    return {'distributions': figure}


def _embedding(scored: Scored) -> dict[str, Figure]:
    examples, predictor = scored.examples[0], scored.predictors[0]
    if not predictor.has_features:
        return {}
    if len(examples) > MAX_EMBEDDED:
        rows = np.sort(np.random.default_rng(0).permutation(examples.rows)[:MAX_EMBEDDED])
        examples = type(examples)(examples.dataset, rows, examples.label_key, examples.gain)
    embeddings = predictor.features(examples)
    names = examples.dataset.class_names(examples.label_key)
    present, first_rows = np.unique(examples.labels(), return_index=True)
    return {
        'embedding': plot_embedding(embeddings, examples.labels(), names),
        'embedding_profile': plot_embedding_profile(embeddings[first_rows], [names[i] for i in present]),
    }


def worst_spectrograms(scored: Scored, worst: Sequence[Mapping[str, Any]]) -> list[Figure]:
    """A small spectrogram of the telling window of each of the worst recordings, on one scale of colours.

    Args:
      scored: the scored run.
      worst: rows of `fdx.evaluate.worst_recordings.worst_recordings`.

    Returns:
      One figure per row, of at most three channels; none if the dataset holds no spectrograms of recordings.
    """
    data = scored.examples[0].dataset
    if not isinstance(data, Dataset) or not worst:
        return []
    ends = np.cumsum([len(examples) for examples in scored.examples])
    windows = []
    for found in worst:
        fold = int(np.searchsorted(ends, found['row'], side='right'))
        examples = scored.examples[fold]
        window = _window(data, int(examples.rows[found['row'] - ends[fold]]), examples.gain, found['label'])
        windows.append(window)
    images = [window.images()[:MAX_PANELS] for window in windows]
    limits = tuple(np.percentile(np.concatenate([i.ravel() for of_one in images for _, i in of_one]), (0.5, 99.5)))
    figures = []
    for window, of_one in zip(windows, images):
        figure = new_figure(4.2, 0.6 + 1.9 * len(of_one))
        cells = figure.subplots(len(of_one), squeeze=False)[:, 0]
        for cell, (heading, image) in zip(cells, of_one):
            drawn = draw_spectrogram(cell, image, window.hop_s, window.frequencies_hz, '', limits, window.labels)
            cell.set_title(heading, loc='left', fontsize=8, color=INK)
            if cell is not cells[-1]:
                cell.set_xlabel('')
        add_colour_bar(figure, drawn, cells, window.unit)
        figures.append(figure)
    return figures


def class_samples(scored: Scored) -> list[ClassSample]:
    """The first scored window of each class."""
    examples = scored.examples[0]
    data = examples.dataset
    if not isinstance(data, Dataset):
        raise DataError(f'{data.name} holds no recordings, so there are no windows to draw')
    names = data.class_names(examples.label_key)
    present, first = np.unique(examples.labels(), return_index=True)
    samples = []
    for label, i in zip(present, first):
        row = int(examples.rows[i])
        wave = data.record(row, ('waveform', 'waveform_scale'))
        samples.append(
            dataclasses.replace(
                _window(data, row, examples.gain, names[label]),
                samples=decode_waveform(wave['waveform'], wave['waveform_scale']),
            )
        )
    return samples


def _window(data: Dataset, row: int, gain: Gain, name: str) -> ClassSample:
    """What the network sees of one record, under a name; without its waveform, which a dataset may not hold."""
    r, front_end = data.record(row, ('spectrogram', 'sample_rate_hz')), data.front_end
    image, panels = front_end.with_gain(r['spectrogram'], gain), tuple(front_end.panels(data.channels))
    if isinstance(front_end, Scalogram):  # Its three channels are equal; one drawing shows them.
        image, panels = image[..., 0], ()
    return ClassSample(
        class_name=name,
        samples=np.zeros(0, np.float32),
        sample_rate_hz=r['sample_rate_hz'],
        spectrogram=image if front_end.axes == 'TF' else image.swapaxes(0, 1),
        hop_s=front_end.hop_s,
        frequencies_hz=front_end.centre_frequencies_hz(),
        panels=panels,
        unit=front_end.unit,
        labels=front_end.plot_labels,
    )


DATA_FIGURES: dict[str, Callable[[Scored], dict[str, Figure]]] = {
    'samples': _samples_per_class,
    'embedding': _embedding,
    'distributions': _distributions,
}
