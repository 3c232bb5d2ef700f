import base64
import os
import sys

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.image import AxesImage

from fdx.evaluate import embedding_plots, plots
from fdx.evaluate.canvas import class_style
from fdx.evaluate.embedding_plots import project_2d
from fdx.evaluate.sample_plots import MAX_WAVEFORM_POINTS, ClassSample
from fdx.signal.mel import mel_edges_hz
from fdx.types import DataError

PNG = b'\x89PNG\r\n\x1a\n'


def texts(axes):
    return [text.get_text() for text in axes.texts]


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


def test_samples_per_class_needs_examples():
    with pytest.raises(DataError, match='no examples'):
        plots.plot_samples_per_class([])


def test_confusion_shows_counts_and_row_percentages():
    axes = plots.plot_confusion(np.array([[3999, 1], [0, 0]]), ['a', 'b']).axes[0]
    assert texts(axes) == ['3,999\n> 99.9 %', '1\n< 0.1 %']
    axes = plots.plot_confusion(np.array([[3, 1], [199, 1]]), ['a', 'b']).axes[0]
    assert texts(axes) == ['3\n75 %', '1\n25 %', '199\n99.5 %', '1\n0.5 %']
    np.testing.assert_allclose(image_of(axes).get_array(), [[0.75, 0.25], [0.995, 0.005]])
    assert [label.get_text() for label in axes.get_yticklabels()] == ['a', 'b']


def test_confusion_refuses_another_shape():
    with pytest.raises(DataError, match=r'shape \(3, 3\)'):
        plots.plot_confusion(np.zeros((2, 2), int), ['a', 'b', 'c'])


def test_history_draws_curves_and_marks_the_selected_epoch():
    history = [
        {'epoch': 1, 'train_loss': 2.0, 'validation_loss': 2.5, 'validation_accuracy': 0.4},
        {'epoch': 2, 'train_loss': 1.0, 'validation_loss': None, 'validation_accuracy': 0.5},
        {'epoch': 3, 'train_loss': 0.5, 'validation_loss': 1.5, 'validation_accuracy': 0.6, 'selected': True},
    ]
    loss, accuracy = plots.plot_history(history).axes
    lines = {line.get_label(): line for line in loss.lines}
    np.testing.assert_allclose(lines['training'].get_ydata(), [2, 1, 0.5])
    np.testing.assert_allclose(lines['validation'].get_xdata(), [1, 3])
    assert list(lines['kept: epoch 3'].get_xdata()) == [3, 3]
    assert [line.get_label() for line in accuracy.lines] == ['validation', 'kept: epoch 3']


def test_history_goes_by_step_where_there_are_no_epochs():
    assert plots.plot_history([{'step': 50, 'train_loss': 1.0}]).axes[0].get_xlabel() == 'step'
    with pytest.raises(DataError, match='empty'):
        plots.plot_history([])
    with pytest.raises(DataError, match="needs 'step'"):
        plots.plot_history([{'loss': 1.0}])


def test_per_class_shows_recall_and_absence():
    rows = [
        {'class': 'a', 'recall': 0.5, 'recall_interval': [0.2, 0.8], 'support': 4},
        {'class': 'b', 'recall': None, 'recall_interval': None, 'support': 0},
    ]
    axes = plots.plot_per_class({'per_class': rows}).axes[0]
    assert list(axes.lines[0].get_xdata()) == [0.2, 0.8]
    assert axes.lines[1].get_xdata()[0] == 0.5
    assert texts(axes) == ['50.0 %   n = 4', 'no windows']


@pytest.mark.parametrize('n, method', [(9, 'PCA'), (10, 't-SNE'), (1, 'PCA')])
def test_embedding_names_its_method(n, method):
    embeddings = np.random.default_rng(0).normal(size=(n, 5))
    axes = plots.plot_embedding(embeddings, np.arange(n) % 2, ['a', 'b', 'absent']).axes[0]
    assert axes.get_title(loc='left') == f'Embedding ({method}, {n} points)'
    shown = [text.get_text() for text in axes.get_legend().get_texts()]
    assert shown == ['a', 'b'][:n]


def test_projection_is_seeded_and_survives_degenerate_points():
    points = np.random.default_rng(0).normal(size=(12, 4))
    np.testing.assert_array_equal(project_2d(points, 3)[0], project_2d(points, 3)[0])
    assert project_2d(np.ones((12, 4)))[1] == 'PCA'
    np.testing.assert_array_equal(project_2d(np.ones((12, 4)))[0], np.zeros((12, 2)))
    layout, _ = project_2d(np.array([[1.0], [2.0], [4.0]]))
    np.testing.assert_allclose(np.abs(np.diff(layout[:, 0])), [1, 2])


def test_embedding_refuses_what_does_not_fit():
    with pytest.raises(DataError, match='must be'):
        plots.plot_embedding(np.zeros((3, 2)), np.zeros(2, int), ['a'])
    with pytest.raises(DataError, match='NaN'):
        plots.plot_embedding(np.full((3, 2), np.nan), np.zeros(3, int), ['a'])
    with pytest.raises(DataError, match=r'labels lie in \[0, 2\]'):
        plots.plot_embedding(np.zeros((3, 2)), np.arange(3), ['a'])


def test_embedding_profile_has_a_row_a_class():
    values = np.array([[0.0, 1.0, 2.0], [3.0, -1.0, 0.0]])
    figure = plots.plot_embedding_profile(values, ['normal', 'ball'])
    assert [axes.get_ylabel() for axes in figure.axes] == ['normal', 'ball']
    assert [patch.get_height() for patch in figure.axes[1].patches] == [3, -1, 0]
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    with pytest.raises(DataError, match='2 class names'):
        plots.plot_embedding_profile(np.zeros((3, 4)), ['a', 'b'])


def test_class_styles_are_distinct_for_fifteen_classes():
    assert len({class_style(i) for i in range(15)}) == 15
    assert all(to_hex(class_style(i)[0]) for i in range(15))


def test_png_and_data_uri_hold_the_same_picture(tmp_path):
    figure = plots.plot_confusion(np.eye(3, dtype=int), ['a', 'b', 'c'])
    plots.save_png(figure, tmp_path / 'c.png')
    data = (tmp_path / 'c.png').read_bytes()
    head, body = plots.figure_to_data_uri(figure).split(',')
    assert data.startswith(PNG)
    assert head == 'data:image/png;base64'
    assert base64.b64decode(body) == data
    assert os.listdir(tmp_path) == ['c.png']


def test_no_pyplot():
    import subprocess

    code = 'import sys, fdx.evaluate.plots; print("matplotlib.pyplot" in sys.modules)'
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == 'False'


def test_embedding_of_many_points_shows_a_seeded_choice(monkeypatch):
    monkeypatch.setattr(embedding_plots, 'MAX_POINTS', 8)
    axes = plots.plot_embedding(np.arange(40.0).reshape(20, 2), np.zeros(20, int), ['a']).axes[0]
    assert axes.get_title(loc='left') == 'Embedding (PCA, 8 of 20 points)'
    assert len(axes.collections[0].get_offsets()) == 8
