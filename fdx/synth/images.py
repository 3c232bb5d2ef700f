"""The images that a generator learns from: training rows of a fold, scaled to [-1, 1]."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.data.dataset import PreparedDataset
from fdx.data.pipeline import ArrayExamples
from fdx.data.protocols.splits import Splits
from fdx.synth.config import SynthConfig
from fdx.train.balance import evenly
from fdx.train.run_data import select_rows
from fdx.types import ConfigError, DataError


@dataclasses.dataclass(frozen=True)
class Scale:
    """Scales images of a dataset to [-1, 1] and back, channel by channel.

    Attributes:
      low: smallest value of each channel among the training images.
      high: largest value.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def of(cls, images: np.ndarray) -> Scale:
        """The scale of images [N, H, W, C]; DataError where a channel is constant or not finite."""
        low, high = images.min((0, 1, 2)), images.max((0, 1, 2))
        if not np.isfinite([low, high]).all() or (high <= low).any():
            raise DataError(f'images whose channels reach from {low.tolist()} to {high.tolist()} cannot be scaled')
        return cls(tuple(map(float, low)), tuple(map(float, high)))

    def apply(self, images: np.ndarray) -> np.ndarray:
        """Images [..., C] in [-1, 1], float32."""
        low, high = np.array(self.low), np.array(self.high)
        return (2 * (images - low) / (high - low) - 1).astype(np.float32)

    def invert(self, scaled: np.ndarray) -> np.ndarray:
        """Inverse of `apply`, float32."""
        low, high = np.array(self.low), np.array(self.high)
        return (low + (scaled.astype(np.float64) + 1) / 2 * (high - low)).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class TrainingImages:
    """The images that a generator learns from.

    Attributes:
      images: float32 [N, H, W, C], as the dataset holds them.
      labels: int32 [N].
      rows: int64 [N], of the dataset.
      splits: of the fold; `train` is `rows`.
    """

    images: np.ndarray
    labels: np.ndarray
    rows: np.ndarray
    splits: Splits

    def evenly_drawn(self, scale: Scale, seed: int) -> ArrayExamples:
        """Scaled images; those of rarer classes are repeated until all classes are equally frequent."""
        order = evenly(self.labels, seed)
        return ArrayExamples(scale.apply(self.images)[order], self.labels[order])


def images_of(dataset: PreparedDataset, rows: np.ndarray) -> np.ndarray:
    """float32 [N, H, W, C] of the given rows, before any gain."""
    return np.stack([dataset.inputs(int(row)) for row in rows])


def training_images(config: SynthConfig, dataset: PreparedDataset) -> TrainingImages:
    """The training rows that the config keeps: the same rows as in a training run with the same settings.

    Raises:
      ConfigError: the dataset is a table of readings, which has no images, or its rows are of a single class.
      SplitError: the protocol refuses the data.
    """
    if not dataset.has_images:
        raise ConfigError(
            f'`dataset`={config.dataset} is a table of readings: a generator makes images; use `balance`=smote'
        )
    splits, _ = select_rows(config, dataset)
    labels = dataset.table[config.label_key][splits.train].astype(np.int32)
    if len(np.unique(labels)) < 2:
        raise ConfigError(
            f'`dataset`={config.dataset}: its training rows are of one class, but a generator needs several'
        )
    return TrainingImages(images_of(dataset, splits.train), labels, splits.train, splits)


def whole_training_part(config: SynthConfig, dataset: PreparedDataset) -> np.ndarray:
    """Rows of the training part before classes were thinned; generated images are compared with them."""
    return select_rows(dataclasses.replace(config, imbalance='', labels_per_class=0), dataset)[0].train
