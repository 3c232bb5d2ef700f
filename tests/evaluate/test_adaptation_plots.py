"""Figures of adaptation: what is drawn where, read back from the figures."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import to_hex

from fdx.adapt.config import CRITERIA
from fdx.evaluate.adaptation_plots import (
    COLOURS,
    MAX_POINTS,
    class_colours,
    plot_adaptation_history,
    plot_domains,
    scaled,
)
from tests.evaluate.adaptation_outcomes import CLASSES, HISTORY, LABELS, NETWORKS, outputs


def test_criteria_are_scaled_to_their_ranges():
    assert scaled([4.0, 2.0, 3.0]).tolist() == [1.0, 0.0, 0.5]
    assert scaled([5.0, 5.0]).tolist() == [0.0, 0.0]
    np.testing.assert_array_equal(scaled([1.0, np.inf, None, 3.0]), [0.0, np.nan, np.nan, 1.0])
    assert np.isnan(scaled([np.inf, np.inf])).all()


def test_the_history_marks_the_kept_epoch_and_dashes_the_truth():
    figure = plot_adaptation_history(HISTORY, [c for c in CRITERIA if c in HISTORY[0]], 2)
    loss, accuracy, term, criteria = figure.axes
    truth = next(line for line in accuracy.lines if line.get_label().startswith('target'))
    assert truth.get_label() == 'target (not usable: reads target labels)'
    assert truth.get_linestyle() == '--'
    np.testing.assert_allclose(truth.get_ydata(), [12 / 15, 11 / 15, 6 / 15])
    for axes in figure.axes:
        kept = next(line for line in axes.lines if line.get_label() == 'kept: epoch 2')
        assert list(kept.get_xdata()) == [2, 2]
    lines = {line.get_label(): line.get_ydata() for line in criteria.lines}
    np.testing.assert_array_equal(lines['source_risk'], [1.0, 0.0, 0.5])
    np.testing.assert_array_equal(lines['snd'], [1.0, 0.0, np.nan])
    assert [line.get_label() for line in term.lines] == ['term, weighted', 'kept: epoch 2']
    assert not any('target' in line.get_label() for line in loss.lines)
    with_discriminator = [{**row, 'train_domain_accuracy': 0.5} for row in HISTORY]
    assert len(plot_adaptation_history(with_discriminator, ['dev'], 1).axes[2].lines) == 3


def test_domains_are_told_apart_by_colour_and_by_marker():
    figure = plot_domains(NETWORKS.before, NETWORKS.after, CLASSES)
    assert [axes.get_title(loc='left') for axes in figure.axes] == [
        'Before adaptation, by domain (t-SNE, 39 windows)',
        'Before adaptation, by class (t-SNE, 39 windows)',
        'After adaptation, by domain (t-SNE, 39 windows)',
        'After adaptation, by class (t-SNE, 39 windows)',
    ]
    for by_domain, by_class in (figure.axes[:2], figure.axes[2:]):
        assert [len(c.get_offsets()) for c in by_domain.collections] == [24, 15]
        assert [to_hex(c.get_facecolor()[0]) for c in by_domain.collections] == [
            COLOURS[d].lower() for d in ('source', 'target')
        ]
        for one, other in zip(by_domain.collections, by_class.collections):
            np.testing.assert_array_equal(one.get_offsets(), other.get_offsets())
        markers = [c.get_paths()[0].vertices.shape for c in by_class.collections]
        assert markers[0] != markers[1]
        colours = [to_hex(c) for c in by_class.collections[1].get_facecolor()]
        assert colours == [c.lower() for c in np.array(class_colours(3))[LABELS]]


def test_many_windows_are_thinned_and_many_classes_have_a_colour_each():
    many = {name: outputs(MAX_POINTS + 20, 0.0) for name in ('source_train', 'target_test')}
    small = {name: outputs(6, 0.0) for name in many}
    figure = plot_domains(small, many, CLASSES)
    assert [len(c.get_offsets()) for c in figure.axes[2].collections] == [MAX_POINTS, MAX_POINTS]
    assert len({to_hex(c) for c in class_colours(12)}) == 12
