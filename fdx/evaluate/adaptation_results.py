"""What a run of domain adaptation found, ready for JSON: scores by what chooses the epoch, the kept step, distances."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.special

from fdx.adapt.a_distance import LEAST_WINDOWS, proxy_a_distance
from fdx.adapt.auto import kept_plan
from fdx.adapt.config import DEFAULT_CRITERION, AdaptConfig
from fdx.adapt.h_score import h_scores
from fdx.adapt.methods import get_method
from fdx.adapt.outputs import Outputs, outputs_of
from fdx.adapt.programs import compile_programs
from fdx.adapt.run import PARTS, AdaptResult, load_parts
from fdx.adapt.selection import ORACLE, selected_rows
from fdx.data.pipeline import RecordExamples
from fdx.data.protocols.splits import PROTOCOLS
from fdx.data.protocols.two_domains import TwoDomains
from fdx.evaluate.intervals import kish_number, wilson_interval
from fdx.evaluate.metrics import summarise
from fdx.evaluate.predictions import Predictions
from fdx.train.config import TrainConfig
from fdx.train.description import environment
from fdx.train.forward import Progress, no_progress
from fdx.train.model_setup import load_run, set_up_model
from fdx.train.partition import join_variables
from fdx.types import DataError

SHOWN = ('source_train', 'target_train', 'target_test')


@dataclasses.dataclass(frozen=True)
class Networks:
    """Outputs of two networks for the parts SHOWN.

    Attributes:
      before: of the network as it was initialised.
      after: of the kept step.
      init: where the initial weights came from, in words.
    """

    before: dict[str, Outputs]
    after: dict[str, Outputs]
    init: str


def network_outputs(
    result: AdaptResult,
    config: TrainConfig,
    plan: AdaptConfig,
    *,
    caches: dict | None = None,
    progress: Progress = no_progress,
) -> Networks:
    """Runs the initial network and the kept step over the windows of both domains.

    Args:
      result: of `fdx.adapt.selection.run_adaptation`.
      config: of the same run.
      plan: of the same run.
      caches: those of the run, which hold inputs and features; None makes them anew.
      progress: wraps long work.

    Raises:
      CheckpointError: the kept step is damaged.
      DataError: the kept step has diverged.
    """
    domains, caches = result.domains, {} if caches is None else caches
    setup = set_up_model(config, len(domains.classes), domains.source.input_shape)
    parts, start = load_parts(config, setup, domains, caches, progress, feature=plan.feature)
    forward = compile_programs(config, plan, setup, start).forward
    kept, meta, step = load_run(result.workdir, result.best_step)
    initial = join_variables(setup.prefix, setup.params, setup.stats)
    before, after = (
        {name: outputs_of(forward, variables, parts[name]) for name in SHOWN} for variables in (initial, kept)
    )
    if not all(np.isfinite(o.logits).all() and np.isfinite(o.features).all() for o in after.values()):
        raise DataError(
            f'step {step} of {result.workdir}, the one that `select_by`={plan.select_by} keeps, has diverged: set '
            '`learning_rate` or `weight` lower'
        )
    return Networks(before, after, meta['init'])


def adaptation_results(
    result: AdaptResult, config: TrainConfig, plan: AdaptConfig, networks: Networks
) -> dict[str, Any]:
    """Everything that a report says, ready for JSON.

    Args:
      result: of `fdx.adapt.selection.run_adaptation`.
      config: of the same run.
      plan: of the same run.
      networks: of `network_outputs`.

    Returns:
      source, target, method, criterion, classes, sets, unknown_classes, dropped, protocols, windows, selections
      (`selection_table`), kept (of the stored step: epoch, step and, over the target's test windows, what
      `metrics.summarise` gives, and of open sets `h_scores`),
      a_distance before and after (null for fewer than 4 windows of a domain), auto (`fdx.adapt.auto_verdict.Verdict`
      and what was asked for; method and plan are then those of the kept network; null without `auto`), history,
      seconds, versions and more.
    """
    domains, plan = result.domains, kept_plan(plan, result)
    row = next(r for r in result.history if r['step'] == result.best_step)
    kept = {'epoch': row['epoch'], 'step': row['step'], **_score(result, networks.after['target_test'])}
    if domains.unknown is not None:
        scored = networks.after['target_test']
        kept |= h_scores(scored.logits.argmax(axis=1), scored.labels, domains.unknown)
    return {
        'source': plan.source,
        'target': plan.target,
        'auto': result.verdict,
        'method': plan.method,
        'method_words': get_method(plan.method).words,
        'sees_target': get_method(plan.method).sees_target,
        'target_statistics': get_method(plan.method).target_statistics,
        'feature': plan.feature,
        'criterion': plan.select_by,
        'default_criterion': DEFAULT_CRITERION,
        'seed': config.seed,
        'label_key': config.label_key,
        'model': config.model,
        'init': networks.init,
        'freeze': config.freeze,
        'front_end': domains.source.front_end.name,
        'classes': list(domains.classes),
        'sets': domains.sets,
        'unknown_classes': unknown_names(domains),
        'dropped': {side: list(names) for side, names in domains.dropped.items()},
        'protocols': _protocols(config, plan),
        'windows': {name: len(getattr(domains, name)) for name in PARTS},
        'score_all_target': plan.score_all_target,
        'classes_given': list(plan.classes),
        'selections': selection_table(result.history, kept, _units(domains.target_test)),
        'kept': kept,
        'epochs_between_saves': config.epochs_between_saves(),
        'a_distance': {'before': _distance(networks.before), 'after': _distance(networks.after)},
        'history': result.history,
        'seconds': result.seconds,
        'train_seconds': float(sum(r['seconds'] for r in result.history)),
        'config': config.to_json(),
        'plan': plan.to_json(),
        **environment(),
    }


def unknown_names(domains: TwoDomains) -> list[str]:
    """Names of the target's scored classes that count as `unknown`; [] where sets are not open."""
    if domains.unknown is None:
        return []
    examples = domains.target_test
    own = examples.dataset.table[examples.label_key][examples.rows[examples.labels() == domains.unknown]]
    return [examples.dataset.class_names(examples.label_key)[i] for i in np.unique(own)]


def _units(examples: RecordExamples) -> list[str]:
    """The recording of each scored window."""
    return list(examples.dataset.table['recording'][examples.rows])


def selection_table(history: list[dict], kept: Mapping[str, Any], units: Sequence[str]) -> list[dict[str, Any]]:
    """A row of target scores for every selection, `last` first and the oracle at the end.

    Args:
      history: rows of `judge_epoch`.
      kept: step of the kept network, and its accuracy_interval of `metrics.summarise`.
      units: N recordings, of each scored window of the target one.

    Returns:
      Dicts of selection, usable (False for the oracle, which reads target labels), epoch, step, accuracy,
      accuracy_interval (95 %, by recording), macro_f1 and, of open sets, h_score. Of epochs whose network was not kept
      only the share of right windows is known: their interval is Wilson's of `kish_number` recordings, the widest that
      can be needed.
    """
    rows, number = [], kish_number(units)
    for name, row in selected_rows(history).items():
        accuracy = row['oracle_target_accuracy']
        rows.append(
            {
                'selection': name,
                'usable': name != ORACLE,
                'epoch': row['epoch'],
                'step': row['step'],
                'accuracy': accuracy,
                'accuracy_interval': list(
                    kept['accuracy_interval']
                    if row['step'] == kept['step']
                    else wilson_interval(accuracy * number, number) or (0.0, 1.0)
                ),
                'macro_f1': row['oracle_target_macro_f1'],
                **({'h_score': row['oracle_h_score']} if 'oracle_h_score' in row else {}),
            }
        )
    return sorted(rows, key=lambda r: (not r['usable'], r['selection'] != 'last'))


def _protocols(config: TrainConfig, plan: AdaptConfig) -> dict[str, dict]:
    of_target = plan.target_protocol or config.protocol
    sides = {'source': (config.protocol, config.fold), 'target': (of_target, plan.target_fold)}
    return {
        side: {'protocol': name, 'fold': fold, 'leaks': PROTOCOLS[name].leaks} for side, (name, fold) in sides.items()
    }


def _score(result: AdaptResult, outputs: Outputs) -> dict[str, Any]:
    """`metrics.summarise` of the target's test windows."""
    examples = result.domains.target_test
    table, rows = examples.dataset.table, examples.rows
    return summarise(
        Predictions(
            probabilities=scipy.special.softmax(outputs.logits.astype(np.float64), axis=1),
            labels=outputs.labels,
            recordings=_units(examples),
            bearings=list(table['bearing'][rows]),
            window_starts=table['window_start'][rows],
            class_names=list(result.domains.classes),
            folds=np.zeros(len(rows), np.int64),
        )
    )


def _distance(parts: dict[str, Outputs]) -> float | None:
    source, target = parts['source_train'].features, parts['target_train'].features
    return proxy_a_distance(source, target) if min(len(source), len(target)) >= LEAST_WINDOWS else None
