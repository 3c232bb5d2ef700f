"""Figures of decisions: what each threshold between two classes would give, and whether confidence can be trusted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from fdx.evaluate.canvas import INK, MUTED, PALETTE, new_figure, plain, style_axes
from fdx.evaluate.decision_metrics import checked_table, checked_thresholds, reliability
from fdx.evaluate.metrics import CALIBRATION_BINS, expected_calibration_error, wilson_interval
from fdx.train.decision import decide
from fdx.types import DataError


def plot_roc_and_pr(
    probabilities: np.ndarray, labels: np.ndarray, class_names: Sequence[str], thresholds: np.ndarray | None = None
) -> Figure:
    """Receiver operating characteristic, and precision over recall, with a mark at the decision that was made.

    Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27, 2006. Precision is drawn in steps, as
    average precision sums it: points between two thresholds cannot be reached (Davis and Goadrich, ICML 2006).

    The mark shows what the thresholds of the rows give together. If folds have different thresholds, it can lie beside
    the curves, because a curve uses one threshold for all rows.

    Args:
      probabilities: float [N, 2].
      labels: int [N], 0 or 1; class 1 is the positive one.
      class_names: two names.
      thresholds: float [N], the smallest probability of class 1 at which a row is given class 1; None where the more
        probable class wins.

    Raises:
      DataError: shapes, classes or probabilities that do not fit this description, or rows of one class only.
    """
    probabilities, labels = checked_table(probabilities, labels, class_names)
    if thresholds is not None:
        thresholds = checked_thresholds(thresholds, len(labels))
    positives = int(labels.sum())
    if not 0 < positives < len(labels):
        raise DataError(
            f'all {len(labels)} rows are {class_names[int(labels[0])]}: the curves need rows of both classes; score a '
            'split that holds both'
        )
    called = decide(probabilities, thresholds) == 1
    hits = int((called & (labels == 1)).sum())
    recall, false_alarm_rate = hits / positives, (called.sum() - hits) / (len(labels) - positives)
    # If no row is called positive, precision is undefined and the decision has no point on that curve.
    precision = hits / called.sum() if called.any() else np.nan
    figure = new_figure(9, 4.8)
    roc, pr = figure.subplots(1, 2)
    _draw_roc(roc, probabilities[:, 1], labels, plain(class_names[1]))
    _draw_pr(pr, probabilities[:, 1], labels, plain(class_names[1]))
    for axes, point in ((roc, (false_alarm_rate, recall)), (pr, (recall, precision))):
        axes.plot(
            *point,
            'D',
            color='white',
            markeredgecolor=INK,
            markeredgewidth=1.6,
            markersize=8,
            clip_on=False,
            zorder=4,
            label=_decision_text(thresholds),
        )
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
        _legend_below(axes)
    return figure


def _draw_roc(axes: Axes, scores: np.ndarray, labels: np.ndarray, positive: str) -> None:
    false_alarm_rate, recall, _ = roc_curve(labels, scores)
    axes.plot(false_alarm_rate, recall, color=PALETTE[0], linewidth=1.8, label='ROC')
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle='--', label='chance')
    title = f'ROC: area {roc_auc_score(labels, scores):.3f}'
    style_axes(axes, title, 'false alarm rate (1 - specificity)', f'recall of {positive}', grid='both')


def _draw_pr(axes: Axes, scores: np.ndarray, labels: np.ndarray, positive: str) -> None:
    precision, recall, _ = precision_recall_curve(labels, scores)
    # scikit-learn ends the curve with a precision of 1 at a recall of 0, which no threshold gives.
    precision[-1] = precision[-2]
    base = labels.mean()
    axes.plot(recall, precision, color=PALETTE[0], linewidth=1.8, drawstyle='steps-post', label='precision')
    axes.plot([0, 1], [base, base], color=MUTED, linewidth=1, linestyle='--', label=f'base rate {base:.3g}')
    title = f'Precision and recall: average precision {average_precision_score(labels, scores):.3f}'
    style_axes(axes, title, f'recall of {positive}', f'precision of {positive}', grid='both')


def _decision_text(thresholds: np.ndarray | None) -> str:
    if thresholds is None:
        return 'threshold 0.5'
    low, high = thresholds.min(), thresholds.max()
    return f'threshold {low:.3g}' if low == high else f'thresholds {low:.3g} to {high:.3g}'


def _legend_below(axes: Axes) -> None:
    """Puts the legend under the axis, because every corner of these figures is used by some model."""
    axes.legend(
        loc='upper center',
        bbox_to_anchor=(0.5, -0.14),
        ncols=3,
        fontsize=8,
        frameon=False,
        labelcolor=INK,
        columnspacing=1.2,
        handlelength=1.8,
    )


def plot_reliability(probabilities: np.ndarray, labels: np.ndarray, bins: int = CALIBRATION_BINS) -> Figure:
    """Reliability diagram: accuracy over confidence in bins, and below it the number of windows in each bin.

    Guo et al., "On calibration of modern neural networks", ICML 2017. Points below the diagonal are
    overconfident. Bars are 95 % Wilson intervals: they show that a bin with few windows says little about the model.
    The title gives the expected calibration error of `fdx.evaluate.metrics`.

    Args:
      probabilities: float [N, K].
      labels: int [N].
      bins: number of equal bins of confidence.

    Raises:
      DataError: shapes, classes or probabilities that do not fit this description, or less than one bin.
    """
    table = reliability(probabilities, labels, bins)
    probabilities, labels = checked_table(probabilities, labels)
    edges, count = np.array(table['edges']), np.array(table['count'])
    full = np.flatnonzero(count)
    confidence, accuracy = (np.array([table[key][i] for i in full]) for key in ('confidence', 'accuracy'))
    intervals = np.array([wilson_interval(round(a * n), n) for a, n in zip(accuracy, count[full].tolist())])
    # At 0 and 1 the interval touches the accuracy; rounding must not make a length negative.
    lengths = np.maximum(np.abs(intervals.T - accuracy), 0)
    figure = new_figure(5.4, 5.4)
    diagram, histogram = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    diagram.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle='--', label='perfectly calibrated')
    diagram.errorbar(
        confidence,
        accuracy,
        yerr=lengths,
        fmt='o-',
        color=PALETTE[0],
        markersize=5,
        linewidth=1.4,
        elinewidth=1,
        capsize=3,
        label='accuracy, 95 % interval',
        clip_on=False,
        zorder=3,
    )
    error = expected_calibration_error(probabilities, labels, bins)
    style_axes(diagram, f'Reliability: expected calibration error {error:.3f}', '', 'accuracy', grid='both')
    # The most probable of K classes has 1 / K or more: what lies below would be empty.
    diagram.set(xlim=(min(edges[full[0]], 1 / probabilities.shape[1]), 1), ylim=(0, 1.01))
    diagram.legend(fontsize=8, frameon=True, framealpha=0.85, edgecolor='none', labelcolor=INK, loc='best')
    histogram.stairs(count, edges, fill=True, facecolor=PALETTE[4], edgecolor=INK, linewidth=0.8)
    histogram.vlines(edges[1:-1], 0, np.minimum(count[1:], count[:-1]), color=INK, linewidth=0.5)
    style_axes(histogram, '', 'confidence (probability of the most probable class)', 'windows', grid='y')
    histogram.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    return figure
