"""Figures of decisions: curves against scikit-learn, the mark of the decision, and reliability."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.patches import StepPatch
from sklearn.metrics import average_precision_score, roc_auc_score

from fdx.evaluate.canvas import figure_to_png
from fdx.evaluate.decision_metrics import binary_summary, reliability
from fdx.evaluate.decision_plots import plot_reliability, plot_roc_and_pr
from fdx.evaluate.metrics import expected_calibration_error, wilson_interval
from fdx.train.decision import decide
from fdx.types import DataError

NAMES = ['normal', 'failure']


def two_classes(n=120, seed=0):
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.3).astype(int)
    scores = 1 / (1 + np.exp(-(2 * labels - 1.5 + rng.normal(size=n))))
    return np.stack([1 - scores, scores], axis=1), labels


def lines(axes):
    return {line.get_label(): line for line in axes.lines}


def title(axes):
    return axes.get_title(loc='left')


def test_curves_enclose_the_areas_of_the_titles():
    probabilities, labels = two_classes()
    roc, pr = plot_roc_and_pr(probabilities, labels, NAMES).axes
    auc, ap = roc_auc_score(labels, probabilities[:, 1]), average_precision_score(labels, probabilities[:, 1])
    x, y = lines(roc)['ROC'].get_data()
    assert np.trapezoid(y, x) == pytest.approx(auc)
    recall, precision = lines(pr)['precision'].get_data()
    assert lines(pr)['precision'].get_drawstyle() == 'steps-post'
    assert np.sum(-np.diff(recall) * precision[:-1]) == pytest.approx(ap)
    assert title(roc) == f'ROC: area {auc:.3f}'
    assert title(pr) == f'Precision and recall: average precision {ap:.3f}'
    assert roc.get_ylabel() == pr.get_xlabel() == 'recall of failure'


def test_no_precision_is_drawn_that_no_threshold_gives():
    scores = np.array([0.9, 0.9, 0.9, 0.1])
    _, pr = plot_roc_and_pr(np.stack([1 - scores, scores], axis=1), np.array([1, 1, 0, 0]), NAMES).axes
    np.testing.assert_allclose(lines(pr)['precision'].get_xydata(), [[1, 1 / 2], [1, 2 / 3], [0, 2 / 3]])


def test_chance_and_base_rate_are_drawn_in_another_line_style():
    probabilities, labels = two_classes()
    roc, pr = plot_roc_and_pr(probabilities, labels, NAMES).axes
    chance, base = lines(roc)['chance'], lines(pr)[f'base rate {labels.mean():.3g}']
    np.testing.assert_allclose(chance.get_xydata(), [[0, 0], [1, 1]])
    np.testing.assert_allclose(base.get_xydata(), [[0, labels.mean()], [1, labels.mean()]])
    assert chance.get_linestyle() == base.get_linestyle() == '--'
    assert lines(roc)['ROC'].get_linestyle() == lines(pr)['precision'].get_linestyle() == '-'


@pytest.mark.parametrize(
    'thresholds, label',
    [
        (None, 'threshold 0.5'),
        (np.full(120, 0.25), 'threshold 0.25'),
        (np.repeat([0.5, 0.2], 60), 'thresholds 0.2 to 0.5'),
    ],
)
def test_the_mark_is_the_decision_of_the_summary(thresholds, label):
    probabilities, labels = two_classes()
    s = binary_summary(probabilities, labels, decide(probabilities, thresholds), NAMES, thresholds)
    roc, pr = plot_roc_and_pr(probabilities, labels, NAMES, thresholds).axes
    np.testing.assert_allclose(lines(roc)[label].get_xydata(), [[1 - s['specificity'], s['recall']]])
    np.testing.assert_allclose(lines(pr)[label].get_xydata(), [[s['recall'], s['precision']]])
    assert label in [text.get_text() for text in pr.get_legend().get_texts()]


def test_where_nothing_is_called_precision_has_no_mark():
    probabilities, labels = two_classes()
    roc, pr = plot_roc_and_pr(probabilities, labels, NAMES, np.full(120, 0.999)).axes
    np.testing.assert_allclose(lines(roc)['threshold 0.999'].get_xydata(), [[0, 0]])
    assert np.isnan(lines(pr)['threshold 0.999'].get_ydata()).all()


def test_curves_refuse_one_class_and_wrong_shapes():
    probabilities, labels = two_classes()
    with pytest.raises(DataError, match='all 120 rows are failure'):
        plot_roc_and_pr(probabilities, np.ones(120, int), NAMES)
    with pytest.raises(DataError, match='all 120 rows are normal'):
        plot_roc_and_pr(probabilities, np.zeros(120, int), NAMES)
    with pytest.raises(DataError, match='two classes'):
        plot_roc_and_pr(probabilities, labels, ['a', 'b', 'c'])
    with pytest.raises(DataError, match='120 rows'):
        plot_roc_and_pr(probabilities, labels[:-1], NAMES)
    with pytest.raises(DataError, match=r'thresholds \(3,\)'):
        plot_roc_and_pr(probabilities, labels, NAMES, np.full(3, 0.5))


def test_reliability_shows_the_bins_with_their_intervals():
    probabilities, labels = two_classes(400, 1)
    diagram, histogram = plot_reliability(probabilities, labels, bins=10).axes
    found = reliability(probabilities, labels, 10)
    full = [i for i in range(10) if found['count'][i]]
    assert full == [5, 6, 7, 8, 9]
    points, _, (bars,) = diagram.containers[0]
    np.testing.assert_allclose(points.get_xdata(), [found['confidence'][i] for i in full])
    np.testing.assert_allclose(points.get_ydata(), [found['accuracy'][i] for i in full])
    for i, segment in zip(full, bars.get_segments()):
        n = found['count'][i]
        interval = wilson_interval(round(found['accuracy'][i] * n), n)
        np.testing.assert_allclose(segment, [[found['confidence'][i], end] for end in interval])
    steps = next(patch for patch in histogram.patches if isinstance(patch, StepPatch)).get_data()
    np.testing.assert_array_equal(steps.values, found['count'])
    np.testing.assert_allclose(steps.edges, found['edges'])
    error = expected_calibration_error(probabilities, labels, 10)
    assert title(diagram) == f'Reliability: expected calibration error {error:.3f}'
    np.testing.assert_allclose(lines(diagram)['perfectly calibrated'].get_xydata(), [[0, 0], [1, 1]])
    assert diagram.get_xlim() == histogram.get_xlim() == (0.5, 1)


def test_reliability_takes_any_number_of_classes_and_a_single_row():
    rng = np.random.default_rng(0)
    diagram, _ = plot_reliability(rng.dirichlet(np.ones(5), 50), rng.integers(0, 5, 50)).axes
    assert diagram.get_xlim()[0] <= 1 / 5
    diagram, histogram = plot_reliability(np.array([[0.0, 0.0, 1.0]]), [2]).axes
    assert diagram.containers[0][0].get_xydata().tolist() == [[1, 1]]
    assert histogram.patches[0].get_data().values.tolist() == [0] * 14 + [1]
    assert histogram.patches[0].get_edgecolor() != to_rgba(histogram.patches[0].get_facecolor())


def test_reliability_refuses_wrong_shapes():
    probabilities, labels = two_classes()
    with pytest.raises(DataError, match='120 rows'):
        plot_reliability(probabilities, labels[1:])
    with pytest.raises(DataError, match='whole number of bins'):
        plot_reliability(probabilities, labels, bins=0)


def test_nothing_is_cut_off_at_the_edge_of_the_picture():
    probabilities, labels = two_classes()
    for figure in (plot_roc_and_pr(probabilities, labels, NAMES), plot_reliability(probabilities, labels)):
        figure_to_png(figure)
        box = figure.get_tightbbox()
        width, height = figure.get_size_inches()
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
