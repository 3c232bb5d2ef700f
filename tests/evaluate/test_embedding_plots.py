"""Figures of embeddings."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.evaluate import embedding_plots, plots
from fdx.evaluate.embedding_plots import project_2d
from fdx.types import DataError


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
    drawn = [[patch.get_data().values.tolist() for patch in axes.patches] for axes in figure.axes]
    assert drawn == [[[0, 1, 2]], [[3, 0, 0], [0, -1, 0]]]
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    with pytest.raises(DataError, match='2 class names'):
        plots.plot_embedding_profile(np.zeros((3, 4)), ['a', 'b'])


def test_a_long_embedding_keeps_its_peaks_in_few_columns():
    values = np.random.default_rng(0).uniform(0.1, 1, (30, 2048))
    values[3, 1025], values[4, 2047] = 9.0, -5.0
    figure = plots.plot_embedding_profile(values, [f'class {i}' for i in range(30)])
    (high,) = figure.axes[3].patches
    assert len(high.get_data().values) == embedding_plots.MAX_PROFILE_COLUMNS
    assert high.get_data().values[1025 // 4] == 9.0
    np.testing.assert_allclose(high.get_data().values, values[3].reshape(512, 4).max(axis=1))
    assert figure.axes[4].patches[1].get_data().values[-1] == -5.0
    assert high.get_data().edges[[0, -1]].tolist() == [-0.5, 2047.5]
    assert figure.get_suptitle() == 'One embedding a class (2048 values, the range of 4 a column, common scale)'
    uneven = plots.plot_embedding_profile(np.arange(1025.0)[None], ['a'])
    assert uneven.axes[0].patches[0].get_data().values[-1] == 1024


def test_embedding_of_many_points_shows_a_seeded_choice(monkeypatch):
    monkeypatch.setattr(embedding_plots, 'MAX_POINTS', 8)
    axes = plots.plot_embedding(np.arange(40.0).reshape(20, 2), np.zeros(20, int), ['a']).axes[0]
    assert axes.get_title(loc='left') == 'Embedding (PCA, 8 of 20 points)'
    assert len(axes.collections[0].get_offsets()) == 8
