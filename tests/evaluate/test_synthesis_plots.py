"""Pictures of a generator: what is drawn where, read back from the figures."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex

from fdx.evaluate.canvas import figure_to_png
from fdx.evaluate.synthesis_plots import (
    GENERATED,
    REAL,
    SHOWN,
    mean_spectra,
    plot_health,
    plot_mean_spectra,
    plot_real_and_generated,
    upright,
)

CLASSES = ('normal', 'ball')
HISTORY = [
    {
        'step': step,
        'train_wasserstein': 3.0 / step,
        'train_penalty': 0.1 * step,
        'train_critic_gradient_norm': 1.0 + step,
        'train_generator_gradient_norm': 2.0 + step,
    }
    for step in (10, 20, 30)
]


def windows(count: int, shape: tuple[int, ...] = (6, 3, 1), seed: int = 0) -> np.ndarray:
    """float32 [count, *shape], each window about its number."""
    noise = np.random.default_rng(seed).random((count, *shape))
    return (np.arange(count).reshape(-1, *[1] * len(shape)) + noise).astype(np.float32)


@pytest.fixture
def real():
    return {'normal': windows(9, seed=1), 'ball': windows(2, seed=2) - 50}


@pytest.fixture
def generated():
    return {'normal': windows(5, seed=3), 'ball': windows(8, seed=4)}


def grid(figure) -> np.ndarray:
    """The cells [K, 2 * SHOWN]."""
    return np.array(figure.axes).reshape(-1, 2 * SHOWN)


def pixels(cell) -> np.ndarray:
    return np.asarray(cell.images[0].get_array())


def test_frequency_runs_upwards_whatever_the_front_end_says():
    image = np.arange(6 * 3 * 2).reshape(6, 3, 2)
    np.testing.assert_array_equal(upright(image, 'TF'), image[:, :, 0].T)
    np.testing.assert_array_equal(upright(image, 'FT'), image[:, :, 0])


@pytest.mark.parametrize('axes', ['TF', 'FT'])
def test_real_windows_stand_left_and_generated_ones_right(real, generated, axes):
    figure = plot_real_and_generated(real, generated, CLASSES, axes)
    cells = grid(figure)
    assert cells.shape == (2, 8)
    assert [row[0].get_ylabel() for row in cells] == list(CLASSES)
    assert [cells[0, i].get_title(loc='left') for i in (0, SHOWN)] == ['real', 'generated']
    # Nine real windows: every second one, as neighbours look alike. Of five the first four.
    for place, (of_real, of_generated) in enumerate(zip((0, 2, 4, 6), (0, 1, 2, 3))):
        for cell, images, i in (
            (cells[0, place], real['normal'], of_real),
            (cells[0, SHOWN + place], generated['normal'], of_generated),
        ):
            expected = images[i, :, :, 0].T if axes == 'TF' else images[i, :, :, 0]
            np.testing.assert_array_equal(pixels(cell), expected)
            assert cell.images[0].origin == 'lower'
    assert to_hex(cells[1, 0].spines['left'].get_edgecolor()) == REAL.lower()
    assert to_hex(cells[1, SHOWN].spines['left'].get_edgecolor()) == GENERATED.lower()
    # Two real windows of the rare class leave two cells empty.
    assert [len(cell.images) for cell in cells[1]] == [1, 1, 0, 0, 1, 1, 1, 1]
    assert [cell.axison for cell in cells[1]] == [True, True, False, False, True, True, True, True]


def test_a_class_has_one_scale_and_it_is_that_of_the_real_windows(real, generated):
    cells = grid(plot_real_and_generated(real, generated, CLASSES, 'TF'))
    for row, name in zip(cells, CLASSES):
        limits = {cell.images[0].get_clim() for cell in row if cell.images}
        assert limits == {(real[name].min(), real[name].max())}


def test_a_class_without_real_windows_has_the_scale_of_the_generated_ones(real, generated):
    real['ball'] = real['ball'][:0]
    cells = grid(plot_real_and_generated(real, generated, CLASSES, 'TF'))[1]
    assert [len(cell.images) for cell in cells] == [0] * 4 + [1] * 4
    assert cells[SHOWN].images[0].get_clim() == (generated['ball'].min(), generated['ball'].max())


def test_of_several_channels_the_first_is_drawn_and_said_to_be():
    images = {'ball': windows(4, (6, 3, 2))}
    # The second channel must not set the scale.
    images['ball'][..., 1] += 1000
    cells = grid(plot_real_and_generated(images, images, ['ball'], 'FT'))
    assert [cells[0, i].get_title(loc='left') for i in (0, SHOWN)] == [
        'real, first channel',
        'generated, first channel',
    ]
    np.testing.assert_array_equal(pixels(cells[0, 3]), images['ball'][3, :, :, 0])
    assert cells[0, 3].images[0].get_clim()[1] < 10


def test_windows_of_one_column_are_lines():
    images = {'ball': windows(4, (50, 1, 1))}
    cells = grid(plot_real_and_generated(images, {'ball': images['ball'] * 2}, ['ball'], 'TF'))
    assert all(len(cell.lines) == 1 and not cell.images for cell in cells.flat)
    np.testing.assert_array_equal(cells[0, 2].lines[0].get_ydata(), images['ball'][2, :, 0, 0])
    np.testing.assert_array_equal(cells[0, SHOWN + 2].lines[0].get_ydata(), 2 * images['ball'][2, :, 0, 0])
    assert len({cell.get_ylim() for cell in cells.flat}) == 1
    (spectrum, _) = plot_mean_spectra(images, images, ['ball'], 'TF').axes[0].lines
    np.testing.assert_allclose(spectrum.get_ydata(), images['ball'][:, :, 0, 0].mean(0), rtol=1e-6)


@pytest.mark.parametrize(('axes', 'over_time'), [('TF', 1), ('FT', 2)])
def test_spectra_are_averaged_over_time(axes, over_time):
    images = windows(4, (6, 3, 2))
    np.testing.assert_allclose(mean_spectra(images, axes), images[..., 0].mean(over_time), rtol=1e-6)


def test_mean_spectra_of_both_with_their_spread(real, generated):
    figure = plot_mean_spectra(real, generated, CLASSES, 'TF')
    assert [cell.get_title(loc='left') for cell in figure.axes] == list(CLASSES)
    for cell, name in zip(figure.axes, CLASSES):
        assert [line.get_label() for line in cell.lines] == ['real', 'generated']
        assert [line.get_color() for line in cell.lines] == [REAL, GENERATED]
        for line, band, images in zip(cell.lines, cell.collections, (real[name], generated[name])):
            spectra = images[..., 0].mean(1, dtype=np.float64)
            np.testing.assert_array_equal(line.get_xdata(), range(3))
            np.testing.assert_allclose(line.get_ydata(), spectra.mean(0))
            edges = band.get_paths()[0].vertices
            for x in range(3):
                ends = edges[edges[:, 0] == x, 1]
                assert ends.min() == pytest.approx(spectra.mean(0)[x] - spectra.std(0)[x])
                assert ends.max() == pytest.approx(spectra.mean(0)[x] + spectra.std(0)[x])


def test_many_classes_wrap_and_a_class_without_real_windows_has_one_line(real, generated):
    names = [f'fault {i}' for i in range(6)]
    one = dict.fromkeys(names, generated['normal'])
    figure = plot_mean_spectra({**one, names[5]: real['ball'][:0]}, one, names, 'TF')
    assert len(figure.axes) == 8
    assert [cell.axison for cell in figure.axes] == [True] * 6 + [False] * 2
    assert [len(cell.lines) for cell in figure.axes[:6]] == [2] * 5 + [1]
    assert figure.axes[5].lines[0].get_label() == 'generated'


def test_health_has_a_panel_for_what_was_logged():
    figure = plot_health(HISTORY)
    assert [cell.get_title(loc='left') for cell in figure.axes] == [
        'Wasserstein estimate',
        'gradient penalty',
        'gradient norms',
    ]
    curves = [{line.get_label(): line for line in cell.lines} for cell in figure.axes]
    np.testing.assert_allclose(curves[0]['wasserstein'].get_ydata(), [0.3, 0.15, 0.1])
    np.testing.assert_allclose(curves[1]['penalty'].get_ydata(), [1.0, 2.0, 3.0])
    np.testing.assert_allclose(curves[2]['critic'].get_ydata(), [11, 21, 31])
    np.testing.assert_allclose(curves[2]['generator'].get_ydata(), [12, 22, 32])
    assert all(list(line.get_xdata()) == [10, 20, 30] for lines in curves for line in lines.values())
    assert figure.axes[2].get_legend() is not None


def test_health_leaves_out_what_a_row_lacks():
    lacking = [dict(row) for row in HISTORY]
    del lacking[2]['train_generator_gradient_norm'], lacking[0]['train_penalty']
    assert [cell.get_title(loc='left') for cell in plot_health(lacking).axes] == ['Wasserstein estimate']


def test_every_figure_can_be_saved(real, generated):
    for figure in (
        plot_real_and_generated(real, generated, CLASSES, 'TF'),
        plot_mean_spectra(real, generated, CLASSES, 'TF'),
        plot_health(HISTORY),
        plot_health([]),
    ):
        assert figure_to_png(figure).startswith(b'\x89PNG')
