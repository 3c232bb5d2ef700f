"""Figures of the data that a run was scored on, by the names that `PreparedDataset.plots` gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from fdx.data.readings import ReadingsDataset
from fdx.data.records import decode_waveform
from fdx.data.source import Dataset
from fdx.evaluate.embedding_plots import plot_embedding, plot_embedding_profile
from fdx.evaluate.readings_plots import plot_distributions
from fdx.evaluate.sample_plots import ClassSample, plot_samples_per_class
from fdx.evaluate.scoring import Scored
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


def class_samples(scored: Scored) -> list[ClassSample]:
    """The first scored window of each class."""
    examples = scored.examples[0]
    data = examples.dataset
    if not isinstance(data, Dataset):
        raise DataError(f'{data.name} holds no recordings, so there are no windows to draw')
    front_end = data.front_end
    present, first = np.unique(examples.labels(), return_index=True)
    samples = []
    for label, i in zip(present, first):
        r = data.record(int(examples.rows[i]), ('waveform', 'waveform_scale', 'spectrogram', 'sample_rate_hz'))
        image = front_end.with_gain(r['spectrogram'], examples.gain)
        samples.append(
            ClassSample(
                class_name=data.class_names(examples.label_key)[label],
                samples=decode_waveform(r['waveform'], r['waveform_scale']),
                sample_rate_hz=r['sample_rate_hz'],
                spectrogram=image if front_end.axes == 'TF' else image.swapaxes(0, 1),
                hop_s=front_end.hop_s,
                frequencies_hz=front_end.centre_frequencies_hz(),
                panels=tuple(front_end.panels(data.channels)),
                unit=front_end.unit,
                labels=front_end.plot_labels,
            )
        )
    return samples


DATA_FIGURES: dict[str, Callable[[Scored], dict[str, Figure]]] = {
    'samples': _samples_per_class,
    'embedding': _embedding,
    'distributions': _distributions,
}
