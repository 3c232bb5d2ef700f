"""A run of domain adaptation: two domains, a network, a method, and checkpoints that evaluate like any other's."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import time
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
import optax

from fdx.adapt.methods import get_method, init_discriminator
from fdx.data.pipeline import ArrayExamples, RecordExamples, eval_batches, steps_per_epoch, train_batches
from fdx.data.two_domains import TwoDomains, open_two_domains
from fdx.train import parallel
from fdx.train.adapt_config import AdaptConfig
from fdx.train.adapt_step import AdaptState, as_vectors, make_adapt_step
from fdx.train.checkpoints import Checkpoints
from fdx.train.config import TrainConfig
from fdx.train.description import check_same_run, describe
from fdx.train.feature_cache import EVAL_BATCH, FeatureCache, Progress, no_progress
from fdx.train.logs import MetricsLog
from fdx.train.loop import Plan, Progressed, fit
from fdx.train.model_setup import ModelSetup, set_up_model
from fdx.train.optimiser import make_optimiser
from fdx.train.target_statistics import make_statistics, target_statistics
from fdx.types import CheckpointError, ConfigError

PARTS = ('source_train', 'source_validation', 'target_train', 'target_test')


@dataclasses.dataclass(frozen=True)
class Outputs:
    """What a network says about the windows of one part.

    Attributes:
      logits: float32 [N, K].
      features: float32 [N, D] of the layer that adapts.
      labels: int32 [N].
    """

    logits: np.ndarray
    features: np.ndarray
    labels: np.ndarray


# Parts -> numbers of an epoch: criteria (lower is better) under their names, and whatever else its row shows.
Judge = Callable[[Mapping[str, Outputs]], dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class AdaptResult:
    """What a run leaves.

    Attributes:
      workdir: where.
      best_step: the step that the criterion chose.
      history: one row an epoch.
      domains: what was learned from and scored.
      seconds: of the whole run.
    """

    workdir: pathlib.Path
    best_step: int
    history: list[dict]
    domains: TwoDomains
    seconds: float


def open_domains(config: TrainConfig, plan: AdaptConfig) -> TwoDomains:
    """Both domains of a run, split and reduced to their shared classes."""
    source, target = plan.names()
    return open_two_domains(
        source,
        target,
        config.data_dir,
        label_key=config.label_key,
        protocols=(config.protocol, plan.target_protocol or config.protocol),
        folds=(config.fold, plan.target_fold),
        seed=config.seed,
        score_all_target=plan.score_all_target,
        labels_per_class=config.labels_per_class,
    )


def load_parts(
    config: TrainConfig, setup: ModelSetup, domains: TwoDomains, caches: dict, progress: Progress = no_progress
) -> tuple[dict[str, ArrayExamples], int]:
    """The examples of every part in memory, as inputs or as features of the frozen prefix, and the stage they enter."""
    use_features = setup.start > 0 and config.cache_features != 'off'
    if config.cache_features == 'on' and not use_features:
        raise ConfigError('--cache_features=on needs a frozen first stage: choose --freeze=head')
    parts = {}
    for name in PARTS:
        examples: RecordExamples = getattr(domains, name)
        if not len(examples):
            raise ConfigError(
                f'{name.replace("_", " ")} has no windows of the shared classes: choose another protocol or fold'
            )
        seed = config.seed if setup.origin == 'random' else 0
        stem = (setup.origin, setup.start, config.model, str(config.model_options), seed) if use_features else ()
        key = ('adapt', *stem, str(examples.dataset.data_dir))
        if key not in caches:
            stop = setup.start if use_features else 0
            caches[key] = FeatureCache(setup.model, setup.prefix, stop, progress) if use_features else InputCache()
        parts[name] = caches[key].examples(examples, name.replace('_', ' '))
    return parts, setup.start if use_features else 0


class InputCache:
    """Inputs of a dataset's rows, each read once: adaptation passes over all parts in every epoch."""

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
    """Batches of both domains, each shuffled by itself and begun anew when used up."""

    def __init__(self, source, target=None):
        """Takes endless iterators of `train_batches`; no target: the source alone."""
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


def adapt(
    config: TrainConfig,
    plan: AdaptConfig,
    workdir: str | pathlib.Path,
    *,
    judge: Judge,
    caches: dict | None = None,
    progress: Progress = no_progress,
    on_epoch: Callable[[dict], None] = lambda row: None,
) -> AdaptResult:
    """Learns from a labelled source for an unlabelled target, or goes on where the workdir's last checkpoint stands.

    Args:
      config: network, freezing, optimiser, source protocol; its dataset is the plan's source.
      plan: domains, method and what chooses the epoch.
      workdir: for checkpoints, metrics.jsonl and TensorBoard files.
      judge: turns outputs into criteria and scores, once an epoch (fdx.evaluate.adaptation).
      caches: dict that keeps inputs, features and compiled steps between runs that share them.
      progress: wraps long work.
      on_epoch: called with every row of the history.

    Raises:
      FdxError: whatever the flags, the data, weights or the workdir's checkpoints make impossible.
    """
    began, workdir = time.perf_counter(), pathlib.Path(workdir)
    caches, method = {} if caches is None else caches, get_method(plan.method)
    domains = open_domains(config, plan)
    setup = set_up_model(config, len(domains.classes), domains.source.input_shape)
    meta = _describe(config, plan, setup, domains)
    parts, start = load_parts(config, setup, domains, caches, progress)
    compiled = _compiled(config, plan, setup, start, caches)
    epoch_steps = steps_per_epoch(len(parts['source_train']), config.batch_size)
    state = _fresh_state(config, plan, setup, compiled, parts, epoch_steps * config.epochs, start)
    batches = PairedBatches(
        train_batches(parts['source_train'], config.batch_size, config.seed),
        train_batches(parts['target_train'], config.batch_size, config.seed + 1) if method.sees_target else None,
    )

    def kept(state: AdaptState) -> AdaptState:
        """The network that is judged and stored."""
        if not method.target_statistics:
            return state
        return state.replace(
            stats=target_statistics(compiled.statistics, state.variables(), state.stats, parts['target_train'])
        )

    def validate(state: AdaptState) -> dict:
        variables = kept(state).variables()
        return judge({name: _outputs(compiled.forward, variables, parts[name]) for name in PARTS})

    with contextlib.closing(Checkpoints(workdir)) as checkpoints:

        def save(state: AdaptState, progressed: Progressed, candidate: bool) -> None:
            chosen = {'criterion': plan.select_by, 'score': None}
            if candidate:
                row = progressed.history[-1]
                risk = -row['step'] if plan.select_by == 'last' else row[plan.select_by]
                chosen['score'] = -float(risk) if np.isfinite(risk) else None
            stored = {**meta, 'step': int(state.step), 'selection': chosen, **dataclasses.asdict(progressed)}
            stored['seconds'] = time.perf_counter() - began
            checkpoints.save(int(state.step), _network(kept(state)), _rest(state), stored)

        state, progressed = _resume(checkpoints, state, setup, meta, batches)
        checkpoints.save_prefix(setup.prefix)
        with contextlib.closing(MetricsLog(workdir, progressed.history)) as log:
            fit(
                state,
                Plan(
                    step=compiled.step,
                    batches=batches,
                    batch_size=config.batch_size,
                    steps_per_epoch=epoch_steps,
                    epochs=config.epochs,
                    validate=validate,
                    save=save,
                    on_epoch=lambda row: (log.write(row), on_epoch(row)),
                    save_every=config.epochs_between_saves(),
                    progress=progress,
                    averages=('term', *(['domain_accuracy'] if method.discriminates else [])),
                ),
                progressed,
            )
        return AdaptResult(workdir, checkpoints.best_step(), progressed.history, domains, time.perf_counter() - began)


def _describe(config: TrainConfig, plan: AdaptConfig, setup: ModelSetup, domains: TwoDomains) -> dict:
    meta = describe(config, setup, domains.source, domains.splits, domains.gain)
    of_source, of_target = (
        set(side.dataset.table['recording'][side.rows].tolist())
        for side in (domains.source_train, domains.target_train)
    )
    seen = get_method(plan.method).sees_target or get_method(plan.method).target_statistics
    return {
        **meta,
        'class_names': list(domains.classes),
        'splits': {name: len(getattr(domains, name)) for name in PARTS},
        'train_recordings': sorted(of_source | (of_target if seen else set())),
        'adaptation': {
            **plan.to_json(),
            'target_dataset': domains.target.name,
            'dropped': {side: list(names) for side, names in domains.dropped.items()},
        },
    }


@dataclasses.dataclass(frozen=True)
class _Compiled:
    step: Callable
    forward: Callable
    statistics: Callable
    optimiser: optax.GradientTransformation
    extra_optimiser: optax.GradientTransformation


def _compiled(config: TrainConfig, plan: AdaptConfig, setup: ModelSetup, start: int, caches: dict) -> _Compiled:
    """Programs of a run; runs that differ in data and seed share them, unless the learning rate hangs on the epochs."""
    if config.halve_every:
        raise ConfigError(
            f'--halve_every={config.halve_every}: adaptation keeps its learning rate; pass --halve_every=0'
        )
    numbers = (config.learning_rate, config.l2, config.clip_norm, plan.factor(), plan.radius)
    key = ('adapt step', setup.model, str(setup.mask), plan.method, plan.feature, start, numbers)
    if key not in caches:
        optimiser, extra = make_optimiser(config, setup.mask, 1), optax.adam(config.learning_rate)
        step = make_adapt_step(
            setup.model,
            optimiser,
            extra,
            setup.mask,
            get_method(plan.method),
            start=start,
            feature=plan.feature,
            weight=plan.factor(),
            radius=plan.radius,
        )
        caches[key] = _Compiled(
            parallel.compile_step(step),
            parallel.compile_forward(_make_outputs(setup.model, start, plan.feature)),
            parallel.compile_forward(make_statistics(setup.model, start=start)),
            optimiser,
            extra,
        )
    return caches[key]


def _make_outputs(model, start: int, feature: str) -> Callable:
    """Builds forward(variables, batch) -> (logits, feature vectors), gathered."""

    def forward(variables: dict, batch: dict) -> tuple[jax.Array, jax.Array]:
        logits, features = model.apply(variables, batch['inputs'], train=False, start=start)
        if feature not in features and start == 0:
            raise ConfigError(f'--feature={feature}: the network names {", ".join(features)}')
        return parallel.gather(logits), parallel.gather(as_vectors(features.get(feature, batch['inputs'])))

    return forward


def _outputs(forward: Callable, variables: dict, examples: ArrayExamples) -> Outputs:
    logits, features = [], []
    for batch in eval_batches(examples, EVAL_BATCH):
        n = len(batch['inputs'])
        found = forward(variables, parallel.shard({'inputs': batch['inputs']}, EVAL_BATCH))
        logits.append(np.asarray(found[0])[:n])
        features.append(np.asarray(found[1])[:n])
    return Outputs(np.concatenate(logits), np.concatenate(features), examples.labels())


def _fresh_state(
    config: TrainConfig,
    plan: AdaptConfig,
    setup: ModelSetup,
    compiled: _Compiled,
    parts: Mapping[str, ArrayExamples],
    total_steps: int,
    start: int,
) -> AdaptState:
    method = get_method(plan.method)
    params, stats = (jax.tree.map(np.array, tree) for tree in (setup.params, setup.stats))
    variables = {'params': {**({} if start else setup.prefix['params']), **params}}
    all_stats = {**({} if start else setup.prefix.get('batch_stats', {})), **stats}
    variables.update({'batch_stats': all_stats} if all_stats else {})
    one = ArrayExamples(parts['source_train'].inputs[:1], parts['source_train'].targets[:1])
    sample = _outputs(compiled.forward, variables, one)
    extra = init_discriminator(
        method, sample.features.shape[1], sample.logits.shape[1], jax.random.key(config.seed + 1)
    )
    return parallel.replicate(
        AdaptState(
            step=np.int32(0),
            seed=np.int32(config.seed),
            params=params,
            stats=stats,
            prefix={'params': {}} if start else jax.tree.map(np.array, setup.prefix),
            opt_state={
                'network': compiled.optimiser.init(params),
                'extra': compiled.extra_optimiser.init(extra) if extra else {},
            },
            extra=extra,
            teacher=jax.tree.map(np.array, params) if method.refines else {},
            total_steps=np.int32(total_steps),
        )
    )


def _network(state: AdaptState) -> dict:
    """What a step of a checkpoint holds: the trained part of the network."""
    return {'params': state.params, **({'batch_stats': state.stats} if state.stats else {})}


def _rest(state: AdaptState) -> dict:
    """What only a resumed run needs; statistics of training, where those of the target are stored, among it."""
    return {'opt': state.opt_state, 'extra': state.extra, 'teacher': state.teacher, 'stats': state.stats}


def _resume(
    checkpoints: Checkpoints, state: AdaptState, setup: ModelSetup, meta: dict, batches: PairedBatches
) -> tuple[AdaptState, Progressed]:
    if not checkpoints.steps():
        checkpoints.discard_after(None)
        return state, Progressed()
    step = checkpoints.resolve('last')
    checkpoints.verify(step)
    stored = checkpoints.meta(step)
    check_same_run(stored, meta)
    if stored.get('adaptation') != meta['adaptation']:
        raise CheckpointError(
            f'the workdir holds another adaptation ({stored.get("adaptation")}): choose another --workdir'
        )
    variables, _ = checkpoints.restore_variables(step, _network(state), setup.prefix)
    rest = checkpoints.restore_optimiser(step, _rest(state))
    checkpoints.discard_after(step)
    batches.set_state(stored['data'])
    progressed = Progressed(stored['history'], stored['sums'], stored['data'])
    state = state.replace(
        step=parallel.replicate(np.int32(step)),
        params=variables['params'],
        stats=rest['stats'],
        opt_state=rest['opt'],
        extra=rest['extra'],
        teacher=rest['teacher'],
    )
    return state, progressed
