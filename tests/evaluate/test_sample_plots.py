"""Figures of waveforms and spectrograms, alone and for every class."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.image import AxesImage

from fdx.evaluate import plots
from fdx.evaluate.sample_plots import ClassSample
from fdx.evaluate.signal_plots import MAX_WAVEFORM_POINTS
from fdx.signal.mel import mel_edges_hz
from fdx.types import DataError


def image_of(axes):
    return next(child for child in axes.get_children() if isinstance(child, AxesImage))


def test_waveform_is_drawn_over_seconds():
    figure = plots.plot_waveform(np.array([0.0, 1.0, -1.0, 0.5]), 2.0, 'ball')
    (line,) = figure.axes[0].lines
    np.testing.assert_allclose(line.get_xdata(), [0, 0.5, 1.0, 1.5])
    np.testing.assert_allclose(line.get_ydata(), [0, 1, -1, 0.5])
    assert figure.axes[0].get_title(loc='left') == 'ball'
    assert figure.axes[0].get_xlabel() == 'time (s)'


def test_long_waveform_is_thinned_without_losing_impulses():
    samples = np.zeros(10 * MAX_WAVEFORM_POINTS)
    samples[123_457], samples[199_999] = 5, -3
    y = plots.plot_waveform(samples, 1000.0, '').axes[0].lines[0].get_ydata()
    assert len(y) == MAX_WAVEFORM_POINTS
    assert (y.max(), y.min()) == (5, -3)


def test_waveform_refuses_channels():
    with pytest.raises(DataError, match=r'\(4, 2\)'):
        plots.plot_waveform(np.zeros((4, 2)), 1.0, '')
    with pytest.raises(DataError, match='positive'):
        plots.plot_waveform(np.zeros(4), 0.0, '')


def test_log_mel_places_frequencies_and_time():
    spectrogram = np.arange(96 * 64, dtype=float).reshape(96, 64)
    figure = plots.plot_log_mel(spectrogram, 0.01, 'x', f_min_hz=125, f_max_hz=7500)
    axes = figure.axes[0]
    np.testing.assert_array_equal(image_of(axes).get_array(), spectrogram.T)
    assert image_of(axes).get_extent() == [0, 0.96, -0.5, 63.5]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ['200', '500', '1,000', '2,000', '5,000']
    centres = mel_edges_hz(64, 125, 7500)[1:-1]
    np.testing.assert_allclose(
        np.interp(axes.get_yticks(), np.arange(64), centres), [200, 500, 1000, 2000, 5000], rtol=1e-3
    )


def test_log_mel_of_linear_frequencies_has_even_ticks():
    figure = plots.plot_log_mel(np.zeros((4, 11)), 0.1, frequencies_hz=np.linspace(0, 1000, 11))
    np.testing.assert_allclose(figure.axes[0].get_yticks(), [0, 2, 4, 6, 8, 10], atol=1e-9)


def test_ticks_of_a_nearly_linear_axis_do_not_lie_over_each_other():
    centres = mel_edges_hz(128, 0.0, 256.0)[1:-1]
    axes = plots.plot_log_mel(np.zeros((4, 128)), 0.1, frequencies_hz=centres).axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ['2', '20', '50', '100', '200']
    assert np.diff(axes.get_yticks()).min() >= 128 / 14


def test_log_mel_refuses_missing_or_wrong_frequencies():
    with pytest.raises(DataError, match='frequencies_hz, or both'):
        plots.plot_log_mel(np.zeros((4, 8)), 0.1, f_min_hz=100)
    with pytest.raises(DataError, match='8 bands needs 8 rising'):
        plots.plot_log_mel(np.zeros((4, 8)), 0.1, frequencies_hz=np.arange(7))
    with pytest.raises(DataError, match=r'\[T, F\]'):
        plots.plot_log_mel(np.zeros((4, 8, 1)), 0.1, frequencies_hz=np.arange(8))


@pytest.mark.parametrize('k', [1, 3, 7])
def test_samples_per_class_shows_every_class_on_one_colour_scale(k):
    examples = [
        ClassSample(f'class {i}', np.ones(8) * i, 10.0, np.full((4, 6), float(i)), 0.1, np.arange(1, 7) * 10.0)
        for i in range(k)
    ]
    figure = plots.plot_samples_per_class(examples)
    titles = [axes.get_title(loc='left') for axes in figure.axes]
    assert [title for title in titles if title] == [f'class {i}' for i in range(k)]
    spectrograms = [axes for axes in figure.axes if axes.get_ylabel() == 'frequency (Hz)' or axes.images]
    limits = {axes.images[0].get_clim() for axes in spectrograms if axes.images}
    assert len(limits) == 1
    assert sum(bool(axes.lines) for axes in figure.axes) == k


@pytest.mark.parametrize(('k', 'shown'), [(2, 3), (10, 3), (11, 1)])
def test_channels_are_drawn_below_each_other_while_there_are_few_classes(k, shown):
    image = np.arange(2 * 6 * 4, dtype=float).reshape(2, 6, 4)
    waves = np.stack([np.sin(np.arange(50.0)), np.cos(np.arange(50.0)), 16000 + np.sin(np.arange(50.0))], axis=1)
    names = ('25 ms', '50 ms', '100 ms', 'more')
    examples = [
        ClassSample(f'class {i}', waves, 10.0, image, 0.1, np.arange(1, 7) * 10.0, names, 'dB') for i in range(k)
    ]
    figure = plots.plot_samples_per_class(examples)
    pictures = [axes for axes in figure.axes if axes.images]
    titles = [axes.get_title(loc='left') for axes in pictures]
    assert {title: titles.count(title) for title in titles} == dict.fromkeys(names[:shown], k)
    first = next(axes for axes in pictures if axes.get_title(loc='left') == names[shown - 1])
    np.testing.assert_array_equal(image_of(first).get_array(), image[..., shown - 1].T)
    lines = next(axes for axes in figure.axes if axes.lines).lines
    assert len(lines) == 3
    # Gravity would flatten the other axes: every axis is drawn without its mean.
    assert all(abs(line.get_ydata().mean()) < 1e-9 and abs(line.get_ydata()).max() < 2 for line in lines)
    assert {axes.get_ylabel() for axes in figure.axes if axes.get_label() == '<colorbar>'} == {'dB'}


def test_channels_without_headings_are_refused():
    sample = ClassSample('a', np.ones(8), 10.0, np.zeros((2, 6, 3)), 0.1, np.arange(1, 7) * 10.0, ('x', 'y'))
    with pytest.raises(DataError, match=r'\(2, 6, 3\) with 2 headings'):
        plots.plot_samples_per_class([sample])


def test_samples_per_class_needs_examples():
    with pytest.raises(DataError, match='no examples'):
        plots.plot_samples_per_class([])
