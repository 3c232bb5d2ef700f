"""The numbers of a comparison: strategies by protocol, with mean and spread over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fdx.evaluate.predictions import Predictions, concatenate
from fdx.evaluate.spread import spread
from fdx.types import CheckpointError

from .compare_runs import Outcome
from .compare_scores import METRICS, curves, differences, score, votes

# Metrics that are averaged over seeds.
AVERAGED = (*METRICS, 'seconds', 'seconds_an_epoch')
BUDGET = (
    'epochs',
    'batch_size',
    'learning_rate',
    'halve_every',
    'l2',
    'clip_norm',
    'dropout_rate',
    'labels_per_class',
    'exclude_recordings',
    'label_key',
    'select_by',
)


def compare(outcomes: Sequence[Outcome], smoothing: float) -> dict[str, Any]:
    """Everything that the report tells, as JSON can hold it.

    Folds of a seed are pooled into one table of windows; means and sample standard deviations (null for one seed) are
    over seeds.

    Args:
      outcomes: every run of every protocol, strategy, seed and fold.
      smoothing: weight of the past in the smoothed losses (see `smooth`), in [0, 1).

    Returns:
      dataset, front_end, model, model_options, class_names, weights (origin of the pretrained strategies, or null),
      seeds, budget {epochs, ..., save_every}, smoothing, strategies: list of {name, words, freeze, origin,
      trained_values, frozen_stages, train_norms, norms}, protocols: list of {protocol, folds, leaks, leak_share,
      leak_reason, windows, train_windows, strategies: {name: {metric of AVERAGED: {mean, standard_deviation, values},
      confusion_matrix [K][K] (summed over seeds), curves, runs}}, differences, recordings}.

    Raises:
      CheckpointError: the pretrained strategies did not start from the same weights.
    """
    first = outcomes[0]
    names = list(dict.fromkeys(o.run.strategy.name for o in outcomes))
    protocols = list(dict.fromkeys(o.run.config.protocol for o in outcomes))
    config = first.run.config
    return {
        'dataset': first.stored.meta['dataset']['name'],
        'front_end': first.stored.meta['front_end'],
        'model': config.model,
        'model_options': config.model_options,
        'class_names': first.stored.meta['class_names'],
        'weights': common_origin(outcomes),
        'seeds': sorted({o.run.config.seed for o in outcomes}),
        'budget': {**{k: getattr(config, k) for k in BUDGET}, 'save_every': config.epochs_between_saves()},
        'smoothing': smoothing,
        'versions': first.stored.meta['versions'],
        'backend': first.stored.meta['backend'],
        'strategies': [_describe_strategy([o for o in outcomes if o.run.strategy.name == name]) for name in names],
        'protocols': [
            _compare_protocol([o for o in outcomes if o.run.config.protocol == p], names, smoothing) for p in protocols
        ],
    }


def common_origin(outcomes: Sequence[Outcome]) -> str | None:
    """Where the weights of all pretrained strategies came from; None where no strategy is pretrained."""
    origins = {o.stored.meta['init']: o.run for o in outcomes if o.run.strategy.pretrained}
    if len(origins) > 1:
        which = '; '.join(f'{run.title}: {origin}' for origin, run in origins.items())
        raise CheckpointError(
            f'the runs started from different weights ({which}): the weights of `init` have changed since the first '
            'call. Choose a new `workdir`, or remove the older runs'
        )
    return next(iter(origins), None)


def _describe_strategy(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    first = outcomes[0]
    return {
        'name': first.run.strategy.name,
        'words': first.run.strategy.words,
        'freeze': first.run.config.freeze,
        'origin': first.stored.meta['init'],
        'trained_values': first.stored.meta['trained_values'],
        'frozen_stages': first.stored.meta['frozen_stages'],
        'train_norms': first.run.config.train_norms,
        # {'trained': number of batch norms, 'frozen': ...}.
        'norms': first.stored.meta.get('norms', {'trained': 0, 'frozen': 0}),
    }


def _compare_protocol(outcomes: Sequence[Outcome], names: Sequence[str], smoothing: float) -> dict[str, Any]:
    seeds = sorted({o.run.config.seed for o in outcomes})
    pooled = {
        name: [_pool([o for o in outcomes if _is(o, name, seed)]) for seed in seeds] for name in names
    }  # fmt: skip
    first = outcomes[0]
    return {
        'protocol': first.run.config.protocol,
        'seed_deals_windows': first.run.config.protocol
        not in ('time_blocks', 'within_domain', 'by_domain', 'domain_pairs'),
        'folds': sorted({o.run.config.fold for o in outcomes}),
        'leaks': any(o.stored.leaks for o in outcomes),
        'leak_share': float(np.mean([o.stored.leak_share for o in outcomes])),
        'leak_reason': '; '.join(sorted({o.stored.leak_reason for o in outcomes if o.stored.leak_reason})),
        'windows': len(pooled[names[0]][0]),
        'recordings_scored': len(set(pooled[names[0]][0].recordings)),
        'train_windows': [o.stored.meta['splits']['train'] for o in outcomes if _is(o, names[0], seeds[0])],
        'strategies': {
            name: _summarise([o for o in outcomes if o.run.strategy.name == name], pooled[name], smoothing)
            for name in names
        },
        'differences': differences(pooled),
        'recordings': votes(pooled),
    }


def _is(outcome: Outcome, name: str, seed: int) -> bool:
    return outcome.run.strategy.name == name and outcome.run.config.seed == seed


def _pool(folds: Sequence[Outcome]) -> Predictions:
    """The windows of all folds of a seed."""
    return concatenate([o.stored.predictions for o in folds])


def _summarise(outcomes: Sequence[Outcome], pooled: Sequence[Predictions], smoothing: float) -> dict[str, Any]:
    """One strategy under one protocol; `pooled` has one table per seed."""
    seeds = sorted({o.run.config.seed for o in outcomes})
    rows = []
    for seed, predictions in zip(seeds, pooled):
        of_seed = [o for o in outcomes if o.run.config.seed == seed]
        seconds = [row['seconds'] for o in of_seed for row in o.stored.history]
        rows.append(
            {
                'seed': seed,
                **score(predictions),
                # Training and validation; the first epoch compiles, which the median does not see.
                'seconds': float(np.sum(seconds)),
                'seconds_an_epoch': float(np.median(seconds)),
                'steps': [o.stored.meta['step'] for o in of_seed],
                'epochs_chosen': [_chosen_epoch(o) for o in of_seed],
            }
        )
    matrices = [row.pop('confusion_matrix') for row in rows]
    return {
        **{metric: spread([row[metric] for row in rows]) for metric in AVERAGED},
        'confusion_matrix': np.sum(matrices, axis=0).tolist(),
        'curves': curves([o.stored.history for o in outcomes], smoothing),
        'runs': rows,
    }


def _chosen_epoch(outcome: Outcome) -> int | None:
    return next((row['epoch'] for row in outcome.stored.history if row['step'] == outcome.stored.meta['step']), None)
