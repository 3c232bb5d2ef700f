"""Plots with names that users have: dollars, underscores, line breaks, any length, any script."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from fdx.benchmarks.compare_plots import plot_confusions, plot_losses
from fdx.evaluate import canvas
from fdx.evaluate.canvas import figure_to_png, new_figure, plain, style_axes
from fdx.evaluate.embedding_plots import plot_embedding, plot_embedding_profile
from fdx.evaluate.plots import plot_confusion
from fdx.evaluate.readings_plots import plot_distributions

NAMES = (
    'a$$b', '$\\frac', '$x^2$', '\\$', '$', '_x', '__', 'w' * 500, 'two\nlines\tand more', '内圈故障', 'été', '\udce9',
    'a%s{}', '^{_', '',
)  # fmt: skip
PNG = b'\x89PNG\r\n\x1a\n'


@pytest.fixture(autouse=True)
def warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        yield


@pytest.mark.parametrize('first', range(0, len(NAMES), 5))
def test_every_plot_of_classes_is_drawn_whatever_their_names(first, monkeypatch):
    """Five names at a time, each a class and each a title."""
    monkeypatch.setattr(canvas, 'DPI', 30)
    own = NAMES[first : first + 5]
    names = ['normal', *own]
    rng = np.random.default_rng(0)
    curve = {'raw': [1.0, 0.5, 0.2], 'smoothed': [1.0, 0.5, 0.2], 'band': [0.1, 0.1, 0.1]}
    curves = {'epochs': [1, 2, 3], 'train_loss': curve, 'validation_loss': curve}
    labels, count = np.repeat(np.arange(6), 5), np.arange(36).reshape(6, 6)
    points = rng.standard_normal((30, 5))
    figures = (
        *(plot_confusion(count[:2, :2], ['normal', name], title=name) for name in own),
        plot_embedding(points, labels, names, title=own[0]),
        plot_confusions(dict.fromkeys(own, count[:2, :2]), names[:2]),
        plot_losses(dict.fromkeys(names, curves)),
        plot_embedding_profile(rng.standard_normal((6, 5)), names),
        plot_distributions(points[:, :1], ['rpm'], labels, names),
    )
    for figure in figures:
        assert figure_to_png(figure).startswith(PNG)


def texts_of(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_a_legend_leaves_no_name_out():
    figure = new_figure(4, 3)
    axes = figure.subplots()
    for name in ('_x', 'b', '_'):
        axes.plot([0, 1], [0, 1], label=plain(name))
    axes.legend()
    assert texts_of(axes) == [' _x', 'b', ' _']


print_png = FigureCanvasAgg.print_png


def drawn(name, **changes):
    figure = new_figure(4, 3)
    axes = figure.subplots()
    style_axes(axes, name)
    axes.set(**changes)
    return figure_to_png(figure)


def test_a_dollar_is_a_dollar():
    """Were it a formula, '$a$' would be drawn as an italic a, and '$a' as it is."""
    assert drawn('$a$') != drawn('a')
    figure = new_figure(4, 3)
    text = figure.text(0.5, 0.5, '$a$')
    figure_to_png(figure)
    renderer = figure.canvas.get_renderer()
    width = text.get_window_extent(renderer).width
    text.set_text('a')
    assert width > 2.5 * text.get_window_extent(renderer).width


def test_the_ticks_of_logarithmic_axes_stay_formulas():
    figure = new_figure(4, 3)
    axes = figure.subplots()
    axes.plot([1, 2], [1, 1e6])
    axes.set_yscale('log')
    figure_to_png(figure)
    ticks = [text for text in axes.get_yticklabels() if text.get_text()]
    assert all(text.get_text().startswith('$\\mathdefault{10^{') for text in ticks)
    assert all(text.get_parse_math() for text in ticks)


def test_a_figure_is_drawn_once_and_again_after_a_change(monkeypatch):
    saved = []
    monkeypatch.setattr(FigureCanvasAgg, 'print_png', lambda *a, **k: saved.append(1) or print_png(*a, **k))
    figure = new_figure(2, 2)
    (line,) = figure.subplots().plot([0, 1], [0, 1])
    first = figure_to_png(figure)
    assert figure_to_png(figure) == first and len(saved) == 1
    line.set_ydata([1, 0])
    second = figure_to_png(figure)
    assert second != first and len(saved) == 2
    line.set_ydata([0, 1])
    # The first drawing has settled the layout.
    assert figure_to_png(figure) == first


def test_names_as_plots_show_them():
    assert plain('a\n b\t c') == 'a b c'
    assert plain('x' * 40) == 'x' * 40
    assert plain('a' * 50 + 'b' * 50) == 'a' * 20 + '...' + 'b' * 17
    assert (plain('_x'), plain('x_'), plain(3)) == (' _x', 'x_', '3')
