"""Figures of domain adaptation: the course of a run, and how two domains lie in the space of a feature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from fdx.adapt.run import Outputs
from fdx.evaluate.canvas import INK, MUTED, PALETTE, new_figure, plain, style_axes
from fdx.evaluate.embedding_plots import project_2d

MAX_POINTS = 300  # of a domain
DOMAINS = ('source', 'target')
MARKERS = {'source': 'o', 'target': '^'}
COLOURS = {'source': PALETTE[0], 'target': PALETTE[3]}
NOT_USABLE = 'not usable: reads target labels'


def scaled(values: Sequence[float | None]) -> np.ndarray:
    """Values from 0, the lowest, to 1, the highest; NaN where one is missing or not finite; 0 where all are equal."""
    y = np.array([np.nan if value is None else value for value in values], np.float64)
    y[~np.isfinite(y)] = np.nan
    if np.isnan(y).all():
        return y
    span = np.nanmax(y) - np.nanmin(y)
    return (y - np.nanmin(y)) / (span or 1.0)


def plot_adaptation_history(history: Sequence[Mapping[str, Any]], criteria: Sequence[str], kept_epoch: int) -> Figure:
    """Loss, accuracy, the method's term and the criteria over the epochs, with a line at the epoch that was kept.

    Args:
      history: rows of a run; those of `fdx.adapt.selection.judge_epoch` with what the loop adds.
      criteria: keys of the history, the lower the better; each is scaled to its own range.
      kept_epoch: of the stored network.
    """
    epochs = [row['epoch'] for row in history]

    def line(axes: Axes, key: str, colour: str, style: str, label: str, values=None) -> None:
        given = [row.get(key) for row in history] if values is None else values
        y = [np.nan if value is None else value for value in given]
        axes.plot(epochs, y, style, color=colour, label=label, linewidth=1.5, marker='o', markersize=3)

    figure = new_figure(9, 6)
    (loss, accuracy), (term, criterion) = figure.subplots(2, 2)
    for axes, quantity in ((loss, 'loss'), (accuracy, 'accuracy')):
        line(axes, f'train_{quantity}', PALETTE[0], '-', 'source, training')
        line(axes, f'validation_{quantity}', PALETTE[1], '-', 'source, validation')
    line(accuracy, 'oracle_target_accuracy', MUTED, '--', f'target ({NOT_USABLE})')
    line(term, 'train_term', PALETTE[2], '-', 'term, weighted')
    if 'train_domain_accuracy' in history[0]:
        line(term, 'train_domain_accuracy', PALETTE[5], '--', 'accuracy of the discriminator')
    for name, colour in zip(criteria, PALETTE):
        line(criterion, name, colour, '-', name, scaled([row[name] for row in history]))
    style_axes(loss, 'Loss', '', 'cross-entropy, nats', grid='y')
    style_axes(accuracy, 'Accuracy', '', 'share of windows', grid='y')
    style_axes(term, "The method's term", 'epoch', '', grid='y')
    style_axes(criterion, 'Criteria, lower is better', 'epoch', 'scaled to their ranges', grid='y')
    for axes in (loss, accuracy, term, criterion):
        axes.axvline(kept_epoch, color=INK, linewidth=1, linestyle=':', label=f'kept: epoch {kept_epoch}')
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        axes.legend(fontsize=7, frameon=False, labelcolor=INK)
    return figure


def class_colours(count: int) -> list:
    """A colour for each class: the palette's, or a rainbow where it has too few. Markers tell domains apart here."""
    if count <= len(PALETTE):
        return list(PALETTE[:count])
    return list(matplotlib.colormaps['turbo'](np.linspace(0.04, 0.96, count)))


def plot_domains(
    before: Mapping[str, Outputs] | None, after: Mapping[str, Outputs], classes: Sequence[str], seed: int = 0
) -> Figure:
    """Features of windows of both domains in the plane: by domain and by class, before and after adaptation.

    Args:
      before: outputs of the initial network for `source_train` and `target_test`; None draws one network alone.
      after: the same of the kept step.
      classes: K names, the meaning of the labels.
      seed: of t-SNE, and of the choice of 300 windows of a domain where there are more.
    """
    networks = [('', after)] if before is None else [('Before adaptation, ', before), ('After adaptation, ', after)]
    figure = new_figure(10.5, 4 * len(networks))
    panels, colours = figure.subplots(len(networks), 2, squeeze=False), class_colours(len(classes))
    for row, (words, outputs) in zip(panels, networks):
        features, labels, of_target = _points(outputs, seed)
        layout, method = project_2d(features, seed)
        for domain, rows in zip(DOMAINS, (~of_target, of_target)):
            style = {'marker': MARKERS[domain], 's': 20, 'alpha': 0.75, 'linewidths': 0.3, 'edgecolors': 'white'}
            row[0].scatter(*layout[rows].T, color=COLOURS[domain], **style)
            row[1].scatter(*layout[rows].T, color=[colours[label] for label in labels[rows]], **style)
        for axes, by in zip(row, ('domain', 'class')):
            style_axes(axes, f'{words}{"by" if words else "By"} {by} ({method}, {len(labels)} windows)')
            axes.set(xticks=[], yticks=[])
            for spine in axes.spines.values():
                spine.set_visible(True)
    _legends(panels[0], classes, colours)
    return figure


def _points(outputs: Mapping[str, Outputs], seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(features [N, D], labels [N], whether of the target [N]) of at most 300 windows of each domain."""
    drawn = []
    for name in ('source_train', 'target_test'):
        # The same windows before and after: the draw depends on their number alone.
        found, rng = outputs[name], np.random.default_rng(seed)
        rows = np.sort(rng.permutation(len(found.labels))[:MAX_POINTS])
        drawn.append((found.features[rows], found.labels[rows]))
    features, labels = (np.concatenate([part[i] for part in drawn]) for i in (0, 1))
    return features, labels, np.arange(len(labels)) >= len(drawn[0][1])


def _legends(row: Sequence[Axes], classes: Sequence[str], colours: Sequence) -> None:
    """Legends of both columns: colours with markers of the domains, and colours of the classes."""

    def dot(colour, marker: str, label: str) -> Line2D:
        return Line2D([], [], color=colour, marker=marker, linestyle='none', markersize=5, label=label)

    style: dict[str, Any] = {'fontsize': 8, 'frameon': False, 'labelcolor': INK}
    row[0].legend(handles=[dot(COLOURS[d], MARKERS[d], d) for d in DOMAINS], **style)
    handles = [dot(colour, 's', plain(name)) for colour, name in zip(colours, classes)]
    handles += [dot(MUTED, MARKERS[d], d) for d in DOMAINS]
    row[1].legend(handles=handles, loc='upper left', bbox_to_anchor=(1.0, 1.0), **style)
