"""The examples of a run: rows of its splits, as inputs or as features of a frozen prefix."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from fdx.data.dataset import PreparedDataset
from fdx.data.few_labels import few_labels
from fdx.data.imbalance import Imbalance, thin
from fdx.data.pipeline import ArrayExamples, Examples, RecordExamples
from fdx.data.protocols.splits import Splits, split_rows
from fdx.signal.scaling import Gain, fit_gain
from fdx.train.balance import class_weights, oversampled, with_smote
from fdx.train.config import AUGMENTATIONS, TrainConfig
from fdx.train.feature_cache import FeatureCache
from fdx.train.forward import Progress
from fdx.train.generated import with_generated
from fdx.train.model_setup import ModelSetup
from fdx.types import ConfigError


@dataclasses.dataclass(frozen=True)
class RunData:
    """The examples of a run.

    Attributes:
      dataset: where they come from.
      splits: rows of each split, thinned to the labels that the run may use.
      gain: what scaling `train` fitted, one number, or one per axis.
      train, validation: the examples of these splits.
    """

    dataset: PreparedDataset
    splits: Splits
    gain: Gain
    train: Examples
    validation: Examples


def select_rows(config: Any, dataset: PreparedDataset) -> tuple[Splits, Gain]:
    """The rows of a run and the gain fitted on its training rows; evaluation calls it with the stored config.

    The config is a TrainConfig or has the fields of one that are read here: a SynthConfig has them too, as a generator
    learns from the training rows of a run.
    """
    splits = split_rows(
        dataset.table,
        config.protocol,
        fold=config.fold,
        seed=config.seed,
        label_key=config.label_key,
        exclude_recordings=config.exclude_recordings,
    )
    train = few_labels(dataset.table, splits.train, config.labels_per_class, config.label_key, config.seed)
    imbalance, names = Imbalance.parse(config.imbalance), dataset.class_names(config.label_key)
    train = thin(dataset.table, train, imbalance, names, config.label_key, config.seed)
    gain = fit_gain(dataset.front_end.scaling, dataset.table['peak'][train])
    return dataclasses.replace(splits, train=train), gain


def load_data(config: TrainConfig, dataset: PreparedDataset) -> RunData:
    """Training and validation examples of a run; SplitError where the protocol does not fit the data."""
    if config.balance == 'specaugment' and len(dataset.input_shape) < 3:
        raise ConfigError(
            f'`balance`=specaugment masks bands of images; examples of {dataset.name} are {dataset.input_shape}: use '
            'oversample, mixup or smote'
        )
    splits, gain = select_rows(config, dataset)
    train, validation = (
        RecordExamples(dataset, rows, config.label_key, gain) for rows in (splits.train, splits.validation)
    )
    joined = with_generated(config, train, gain) if config.balance == 'gan' else train
    return RunData(dataset, splits, gain, joined, validation)


def with_cached_features(
    config: TrainConfig, setup: ModelSetup, data: RunData, caches: dict, progress: Progress
) -> tuple[RunData, int]:
    """Replaces inputs by features of the frozen prefix where the config allows; `caches` keeps them between runs.

    Returns:
      (the data, the first stage that they go into). Readings of a table are kept in memory in any case.
    """
    # Images that change in every step must go through the whole network in every step.
    changes = config.balance in AUGMENTATIONS
    if config.cache_features == 'off' or (config.cache_features == 'auto' and (setup.start == 0 or changes)):
        return _in_memory(data), 0
    if setup.start == 0:
        raise ConfigError(
            '`cache_features`=on needs a frozen first stage: set `freeze` to head, or `cache_features` to auto'
        )
    seed = config.seed if setup.origin == 'random' else 0
    network = (config.model, str(config.model_options), config.compute_dtype)
    key = (setup.origin, setup.start, *network, str(data.dataset.data_dir), seed)
    if key not in caches:
        caches[key] = FeatureCache(setup.model, setup.prefix, setup.start, progress, config.parallel)
    parts = {name: caches[key].examples(getattr(data, name), name) for name in ('train', 'validation')}
    return dataclasses.replace(data, **parts), setup.start


def _in_memory(data: RunData) -> RunData:
    """Readings as arrays, as fetching them one by one would take longer than the steps."""
    dataset, scale = data.dataset, data.dataset.front_end.with_gain

    def held(part: Examples) -> Examples:
        values = dataset.in_memory(part.rows) if isinstance(part, RecordExamples) else None
        return part if values is None else ArrayExamples(scale(values, data.gain), part.labels())

    return dataclasses.replace(data, train=held(data.train), validation=held(data.validation))


def balanced(
    config: TrainConfig, data: RunData, class_names: Sequence[str]
) -> tuple[RunData, tuple[float, ...] | None, dict]:
    """The run's data with its classes balanced as the config says; validation and test rows stay as they are.

    Returns:
      (data, weights of the classes in the loss or None, what the checkpoint says about balance: the real training rows
      of each class, the number of synthetic or generated ones, the weights, the remedy, the examples of an epoch).
    """
    labels, names = data.train.labels(), list(class_names)
    real, weights, synthetic = len(data.splits.train), None, len(data.train) - len(data.splits.train)
    counts = dict(zip(names, np.bincount(labels[:real], minlength=len(names)).tolist()))
    if config.balance == 'class_weight':
        weights = class_weights(labels, len(names))
    if config.balance in ('oversample', *AUGMENTATIONS):
        data = dataclasses.replace(data, train=oversampled(data.train, config.seed))
    if config.balance in ('smote', 'smote_embedding'):
        examples, synthetic = with_smote(data.train, config.seed, config.balance)
        data = dataclasses.replace(data, train=examples)
    stated = {'real': counts, 'synthetic': synthetic, 'weights': weights and list(weights)}
    return data, weights, {**stated, 'remedy': config.balance, 'examples': len(data.train)}
