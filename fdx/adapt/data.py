"""The windows of a run of domain adaptation: parts of both domains, in memory, and batches that pair them."""

from __future__ import annotations

import numpy as np

from fdx.adapt.config import AdaptConfig
from fdx.adapt.outputs import is_reached
from fdx.data.pipeline import ArrayExamples, RecordExamples
from fdx.data.protocols.class_sets import ClassSets
from fdx.data.protocols.two_domains import TwoDomains, open_two_domains
from fdx.train.config import TrainConfig
from fdx.train.feature_cache import FeatureCache
from fdx.train.forward import Progress, no_progress
from fdx.train.model_setup import ModelSetup
from fdx.types import ConfigError

PARTS = ('source_train', 'source_validation', 'target_train', 'target_test')


def open_domains(config: TrainConfig, plan: AdaptConfig) -> TwoDomains:
    """Both domains of a run, split and reduced to their shared classes; raises what `open_two_domains` raises."""
    source, target = plan.names()
    return open_two_domains(
        source,
        target,
        config.data_dir,
        label_key=config.label_key,
        protocols=(config.protocol, plan.target_protocol or config.protocol),
        folds=(config.fold, plan.target_fold),
        seed=config.seed,
        exclude_recordings=config.exclude_recordings,
        score_all_target=plan.score_all_target,
        labels_per_class=config.labels_per_class,
        classes=plan.classes,
        class_sets=ClassSets(plan.sets, plan.exclude_source_classes, plan.exclude_target_classes),
    )


def load_parts(
    config: TrainConfig,
    setup: ModelSetup,
    domains: TwoDomains,
    caches: dict,
    progress: Progress = no_progress,
    *,
    feature: str | None = None,
) -> tuple[dict[str, ArrayExamples], int]:
    """The examples of every part in memory, as inputs or as features of the frozen prefix.

    Args:
      config: of the run.
      setup: its network.
      domains: where the PARTS are taken from.
      caches: keeps inputs and features between runs that share them.
      progress: wraps long work.
      feature: the layer that adapts. If it lies inside the frozen prefix, the cached output of the prefix does not
        contain it, so inputs are kept instead. None: no layer is asked for.

    Returns:
      (name of PARTS -> examples, the stage that they go into).

    Raises:
      ConfigError: a part has no windows, the layer is unknown, or `cache_features` is on and nothing can be cached.
    """
    use_features = setup.start > 0 and config.cache_features != 'off'
    if config.cache_features == 'on' and not use_features:
        raise ConfigError('`cache_features`=on needs a frozen first stage: set `freeze` to head')
    if feature is not None and not is_reached(setup, domains.source.input_shape, feature) and use_features:
        if config.cache_features == 'on':
            raise ConfigError(
                f'`cache_features`=on: the layer `feature`={feature} lies inside the frozen stages, of which only the '
                'output is cached; set `cache_features` to auto'
            )
        use_features = False
    parts = {}
    for name in PARTS:
        examples: RecordExamples = getattr(domains, name)
        if not len(examples):
            raise ConfigError(
                f'{name.replace("_", " ")} has no windows of the shared classes: choose another protocol or fold'
            )
        seed = config.seed if setup.origin == 'random' else 0
        network = (config.model, str(config.model_options), config.compute_dtype)
        stem = (setup.origin, setup.start, *network, seed) if use_features else ()
        key = ('adapt', *stem, str(examples.dataset.data_dir))
        if key not in caches:
            stop = setup.start if use_features else 0
            cached = (setup.model, setup.prefix, stop, progress, config.parallel)
            caches[key] = FeatureCache(*cached) if use_features else InputCache()
        parts[name] = caches[key].examples(examples, name.replace('_', ' '))
    return parts, setup.start if use_features else 0


class InputCache:
    """The inputs of the rows of a dataset, each read once, as adaptation passes over all parts in every epoch."""

    def __init__(self):
        self._inputs: dict[tuple, np.ndarray] = {}

    def examples(self, examples: RecordExamples, what: str) -> ArrayExamples:
        """The same examples, in memory."""
        del what
        keys = [(examples.gain, int(r)) for r in examples.rows]
        for i, key in enumerate(keys):
            if key not in self._inputs:
                self._inputs[key] = examples[i]['inputs']
        return ArrayExamples(np.stack([self._inputs[k] for k in keys]), examples.labels())


class PairedBatches:
    """Batches of both domains; each domain is shuffled by itself and starts again when it is used up."""

    def __init__(self, source, target=None):
        """Takes endless iterators of `train_batches`; without a target, batches hold the source alone."""
        self._iterators = {'source': source, **({'target': target} if target is not None else {})}

    def __iter__(self):
        return self

    def __next__(self) -> dict[str, dict]:
        return {name: next(iterator) for name, iterator in self._iterators.items()}

    def get_state(self) -> dict:
        """Where both stand."""
        return {name: iterator.get_state() for name, iterator in self._iterators.items()}

    def set_state(self, state: dict) -> None:
        """Goes on where `get_state` stood."""
        for name, iterator in self._iterators.items():
            iterator.set_state(state[name])
