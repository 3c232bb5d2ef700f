"""The figure of a table of readings: densities, bins, units and counts."""

import math

import numpy as np
import pytest
from matplotlib.patches import StepPatch

from fdx.evaluate.canvas import figure_to_png
from fdx.evaluate.readings_plots import MAX_BINS, MIN_BINS, axis_label, common_edges, plot_distributions
from fdx.types import DataError

COLUMNS = ('rpm', 'temperature_c', 'vibration_g', 'current_a')
NAMES = ['normal', 'failure']


def readings(n=200, c=4, k=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, c)) * 10.0 ** np.arange(c), rng.integers(0, k, n)


def steps(axes):
    return [patch for patch in axes.patches if isinstance(patch, StepPatch)]


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_every_column_has_a_panel_with_a_density_of_each_class():
    values, labels = readings()
    figure = plot_distributions(values, COLUMNS, labels, NAMES)
    assert [a.get_xlabel() for a in figure.axes] == ['rpm', 'temperature (°C)', 'vibration (g)', 'current (A)']
    assert [a.get_ylabel() for a in figure.axes] == ['density', '', 'density', '']
    for c, axes in enumerate(figure.axes):
        normal, failure = (patch.get_data() for patch in steps(axes))
        np.testing.assert_array_equal(normal.edges, failure.edges)
        for k, data in enumerate((normal, failure)):
            counts = data.values * np.diff(data.edges) * (labels == k).sum()
            np.testing.assert_allclose(counts, np.histogram(values[labels == k, c], data.edges)[0], atol=1e-9)
            assert np.sum(data.values * np.diff(data.edges)) == pytest.approx(1)


def test_legend_counts_classes_and_names_one_without_rows():
    values, _ = readings(1200, 1)
    figure = plot_distributions(values, ['rpm'], np.repeat([0, 2], [1150, 50]), ['a', 'b', 'c'])
    assert legend(figure) == ['a (n = 1,150)', 'b (n = 0)', 'c (n = 50)']
    assert len(steps(figure.axes[0])) == 2


def test_classes_are_told_apart_without_colour():
    values, labels = readings(60, 2, 3)
    figure = plot_distributions(values, ['a', 'b'], labels, ['x', 'y', 'z'])
    drawn = steps(figure.axes[0])
    assert len({p.get_hatch() for p in drawn}) == len({p.get_linestyle() for p in drawn}) == 3
    # The legend shows what the panels do.
    keys = figure.legends[0].get_patches()
    assert [(p.get_hatch(), p.get_edgecolor()) for p in keys] == [(p.get_hatch(), p.get_edgecolor()) for p in drawn]


def test_many_classes_are_outlines():
    values, labels = readings(400, 1, 9)
    figure = plot_distributions(values, ['rpm'], labels, [f'class_{k}' for k in range(9)])
    drawn = steps(figure.axes[0])
    assert len({(p.get_edgecolor(), p.get_linestyle()) for p in drawn}) == 9
    assert not any(p.get_fill() for p in drawn)


@pytest.mark.parametrize('columns', [1, 3, 5])
def test_panels_without_a_column_are_blank_and_nothing_is_cut_off(columns):
    values, labels = readings(50, columns)
    figure = plot_distributions(values, [f'torque_{c}_nm' for c in range(columns)], labels, NAMES)
    assert [bool(steps(a)) for a in figure.axes] == [a.axison for a in figure.axes]
    assert sum(a.axison for a in figure.axes) == columns
    figure_to_png(figure)
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height


@pytest.mark.parametrize(
    'column, label',
    [
        ('rpm', 'rpm'),
        ('speed_rpm', 'speed (rpm)'),
        ('oil_temperature_c', 'oil temperature (°C)'),
        ('vibration_g', 'vibration (g)'),
        ('current_a', 'current (A)'),
        ('a', 'a'),
        ('_g', ' g'),
        ('torque_nm', 'torque nm'),
        ('phase_of_data', 'phase of data'),
    ],
)
def test_unit_comes_from_the_end_of_the_name(column, label):
    assert axis_label(column) == label


@pytest.mark.parametrize(
    'values',
    [
        [3.0],
        [0.0, 0.0],
        [1e20] * 5,
        [1e9, 1e9 + 2.5e-7],
        [-1e-300, 1e-300],
        [3e38, -3e38],
        [0.0] * 50 + [1.0],
        np.random.default_rng(0).standard_cauchy(5000),
        np.random.default_rng(0).normal(size=5000),
    ],
)
def test_edges_rise_and_hold_every_value(values):
    edges = common_edges(np.array(values))
    assert (np.diff(edges) > 0).all()
    assert MIN_BINS <= len(edges) - 1 <= MAX_BINS
    assert np.histogram(values, edges)[0].sum() == len(values)


def test_width_of_the_bins_is_that_of_freedman_and_diaconis():
    values = np.arange(1000.0)
    # Half of the values within 499.5, 2 * 499.5 / 10 = 99.9 wide: 10 bins in 999.
    np.testing.assert_allclose(common_edges(values), np.linspace(0, 999, 11))


def test_refuses_what_does_not_fit():
    values, labels = readings(6)
    for bad, columns, match in (
        (values[:, :3], COLUMNS, r'\(6, 3\).*\[N, 4\]'),
        (values[:, 0], COLUMNS[:1], r'\(6,\)'),
        (values[:0], COLUMNS, r'\(0, 4\)'),
        (values[:, :0], (), r'\(6, 0\)'),
    ):
        with pytest.raises(DataError, match=match):
            plot_distributions(bad, columns, labels[: len(bad)], NAMES)
    for bad, match in (
        (labels[1:], r'\(5,\); they must be whole numbers \[6\]'),
        (labels.astype(float), 'float64'),
        (np.full(6, 2), '2 class names'),
        (np.full(6, -1), '2 class names'),
    ):
        with pytest.raises(DataError, match=match):
            plot_distributions(values, COLUMNS, bad, NAMES)
    for hole in (math.nan, math.inf):
        values[4, 2] = hole
        with pytest.raises(DataError, match='column vibration_g, row 4'):
            plot_distributions(values, COLUMNS, labels, NAMES)
