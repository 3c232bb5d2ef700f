"""Figures of features: how classes lie in the embedding space, and what one embedding looks like."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from fdx.evaluate.canvas import INK, MUTED, PALETTE, add_title, class_style, new_figure, plain_names, style_axes
from fdx.types import DataError

MIN_TSNE_POINTS = 10
MAX_POINTS = 1000
MAX_PROFILE_COLUMNS = 512
# Below this the exact gradient is quicker than the trees that approximate it.
MAX_EXACT_POINTS = 100


def project_2d(embeddings: np.ndarray, seed: int = 0) -> tuple[np.ndarray, str]:
    """Places embeddings in a plane.

    t-SNE (van der Maaten and Hinton, JMLR 9:2579-2605, 2008) starts from principal components. Fewer than 10 points,
    or points that all coincide, have no neighbourhoods to keep; only their principal components are shown.

    Args:
      embeddings: float [N, D].
      seed: random seed of t-SNE; the same seed gives the same layout.

    Returns:
      (float64 [N, 2], 't-SNE' or 'PCA').
    """
    points = np.asarray(embeddings, dtype=np.float64)
    # A column of zeros changes no distance, and gives both methods their two components.
    points = np.pad(points, ((0, 0), (0, max(0, 2 - points.shape[1]))))
    if len(points) >= MIN_TSNE_POINTS and points.std(axis=0).max() > 0:
        perplexity = min(30.0, (len(points) - 1) / 3)
        # One thread: several would add in a random order, and would spin while they wait for a busy core.
        with threadpool_limits(limits=1):
            layout = TSNE(
                perplexity=perplexity,
                init='pca',
                random_state=seed,
                n_jobs=1,
                method='exact' if len(points) <= MAX_EXACT_POINTS else 'barnes_hut',
            ).fit_transform(points)
        return layout.astype(np.float64), 't-SNE'
    # PCA divides by the total variance, which is 0 for a single point as well.
    if points.std(axis=0).max() == 0:
        return np.zeros((len(points), 2)), 'PCA'
    return PCA(n_components=2, svd_solver='full').fit_transform(points), 'PCA'


def plot_embedding(
    embeddings: np.ndarray, labels: np.ndarray, class_names: Sequence[str], title: str = 'Embedding', seed: int = 0
) -> Figure:
    """Scatter plot of embeddings, one colour and marker per class; the title names the method.

    Args:
      embeddings: float [N, D].
      labels: int [N], indices into `class_names`.
      class_names: K names.
      title: heading; the method and the number of points are added.
      seed: seed of t-SNE and of the choice of 1000 points where there are more.

    Raises:
      DataError: shapes do not fit, a label has no name, or there are no finite embeddings.
    """
    embeddings, labels = np.asarray(embeddings), np.asarray(labels)
    if embeddings.ndim != 2 or not embeddings.size or labels.shape != embeddings.shape[:1]:
        raise DataError(f'embeddings {embeddings.shape} and labels {labels.shape} must be [N, D] and [N], N > 0')
    if not np.isfinite(embeddings).all():
        raise DataError('embeddings hold NaN or infinity: the model has diverged or its input has')
    if labels.min() < 0 or labels.max() >= len(class_names):
        raise DataError(f'labels lie in [{labels.min()}, {labels.max()}], but there are {len(class_names)} class names')
    total = len(labels)
    if total > MAX_POINTS:
        chosen = np.sort(np.random.default_rng(seed).choice(total, MAX_POINTS, replace=False))
        embeddings, labels = embeddings[chosen], labels[chosen]
    layout, method = project_2d(embeddings, seed)
    figure = new_figure(8, 5.6)
    axes = figure.subplots()
    for k, name in enumerate(plain_names(class_names)):
        rows = labels == k
        if rows.any():
            colour, marker = class_style(k)
            x, y = layout[rows].T
            axes.scatter(
                x,
                y,
                s=22,
                c=colour,
                marker=marker,
                label=name,
                alpha=0.8,
                linewidths=0.3,
                edgecolors='white',
            )
    count = f'{len(labels)} of {total}' if len(labels) < total else f'{total}'
    style_axes(axes, f'{title} ({method}, {count} points)')
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color('#c5ccd3')
    axes.legend(
        loc='center left', bbox_to_anchor=(1.0, 0.5), fontsize=8, frameon=False, labelcolor=INK, markerscale=1.4
    )
    return figure


def plot_embedding_profile(embeddings: np.ndarray, class_names: Sequence[str]) -> Figure:
    """The values of one embedding per class, stacked on one scale.

    If an embedding has more than 512 values (ResNet-50 has 2048), each drawn column spans 0 and the lowest and highest
    of a group of neighbours, so that the resolution of the figure hides no peak.

    The figure of Di Maggio, "Intelligent fault diagnosis of industrial bearings using transfer learning and CNNs
    pre-trained for audio classification", Sensors 23(1):211, 2023, drawn for every class.

    Args:
      embeddings: float [K, D], row k for class k.
      class_names: K names.

    Raises:
      DataError: the shape does not fit the names.
    """
    embeddings = np.asarray(embeddings, dtype=np.float64)
    if embeddings.ndim != 2 or not embeddings.size or len(embeddings) != len(class_names):
        raise DataError(
            f'embeddings of shape {embeddings.shape} do not fit {len(class_names)} class names: need [K, D]'
        )
    size = embeddings.shape[1]
    group = math.ceil(size / MAX_PROFILE_COLUMNS)
    starts = np.arange(0, size, group)
    edges = np.append(starts, size) - 0.5
    figure = new_figure(8, 0.75 * len(class_names) + 1.0)
    rows = figure.subplots(len(class_names), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, name, values in zip(rows, plain_names(class_names), embeddings):
        high = np.maximum(np.maximum.reduceat(values, starts), 0)
        low = np.minimum(np.minimum.reduceat(values, starts), 0)
        for side in (high, low) if low.any() else (high,):
            axes.stairs(side, edges, fill=True, color=PALETTE[0])
        axes.axhline(0, color=MUTED, linewidth=0.6)
        style_axes(axes)
        axes.set_ylabel(name, rotation=0, ha='right', va='center', fontsize=9, color=INK, labelpad=12)
        axes.margins(x=0, y=0.1)
    step = max(1, 2 ** math.floor(math.log2(max(size / 8, 1))))
    rows[-1].set_xticks(range(0, size, step))
    rows[-1].set_xlabel('component of the embedding', fontsize=9, color=INK)
    columns = f', the range of {group} a column' if group > 1 else ''
    add_title(figure, f'One embedding a class ({size} values{columns}, common scale)')
    return figure
