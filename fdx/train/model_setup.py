"""A network with its parameters, its freezing mask and its frozen prefix: where training and evaluation start."""

from __future__ import annotations

import dataclasses
import logging
import pathlib
from collections.abc import Callable

import flax.linen as nn
import jax

from fdx.models.registry import check_input_shape, create_model, options_for
from fdx.models.staged import Staged
from fdx.signal.front_ends import front_end_from_config
from fdx.signal.readings import reads_tables
from fdx.train import parallel
from fdx.train.checkpoints import Checkpoints
from fdx.train.config import TrainConfig
from fdx.train.partition import (
    freezing_rules,
    frozen_norms,
    frozen_prefix,
    join_variables,
    log_table,
    split_stages,
    split_variables,
    trainable_mask,
)
from fdx.train.programs import initial_variables
from fdx.train.same_run import GENERATOR, WORDS, kind_of
from fdx.train.workdir import folds_in
from fdx.types import CheckpointError, ConfigError
from fdx.weights.merge import merge_variables
from fdx.weights.pretrained import Pretrained, read_pretrained
from fdx.weights.published import PUBLISHED, fetch_published, published_name
from fdx.weights.stem import adapt_stem, stem_change
from fdx.weights.structure import init_head, variable_shapes

logger = logging.getLogger(__name__)

STATISTICS_OF_A_NORM = 2  # mean and var


@dataclasses.dataclass(frozen=True)
class ModelSetup:
    """A network ready to train.

    Attributes:
      model: the linen module.
      params: parameters from the first stage that trains on.
      stats: batch statistics of the same stages; empty where the model has none.
      prefix: variables of the frozen leading stages.
      mask: tree like `params`, True where they train.
      start: number of frozen leading stages.
      origin: where the initial weights came from, in words.
      trained: number of trained values.
      norms: number of batch norms.
      frozen_norms: paths of those that are frozen: they act as in evaluation and keep their statistics.
      ancestor: what the checkpoint or manifest of the initial weights says about itself; None where there is none.
    """

    model: nn.Module
    params: dict
    stats: dict
    prefix: dict
    mask: dict
    start: int
    origin: str
    trained: int
    norms: int
    frozen_norms: tuple[str, ...]
    ancestor: dict | None = None


def build_model(config: TrainConfig, num_classes: int, input_shape: tuple[int, ...]) -> nn.Module:
    """The network of a run for examples of `input_shape`, on the axis of fdx.train.parallel."""
    options = {'dropout_rate': config.dropout_rate, **options_for(config.model, input_shape, config.model_options)}
    return create_model(
        config.model, num_classes, compute_dtype=config.compute_dtype, axis_name=parallel.AXIS, **options
    )


def set_up_model(config: TrainConfig, num_classes: int, input_shape: tuple[int, ...]) -> ModelSetup:
    """Creates, initialises and freezes a network as the config says.

    Args:
      config: names the model, its weights and what trains.
      num_classes: size of the classifier.
      input_shape: of one example, e.g. (96, 64, 1).

    Raises:
      ConfigError: unknown model, option or init, an input shape that the model cannot take, or bad freezing rules.
      WeightsError: weights that cannot be fetched or read, or do not fit.
      CheckpointError: an init run that is damaged.
    """
    check_input_shape(config.model, input_shape)
    model = build_model(config, num_classes, input_shape)
    # The partitionable form of threefry, JAX's default, costs XLA's CPU compiler seconds for every array that is drawn
    # (measured on 2 cores, jax 0.10.2: a slim VGGish takes 23 s of CPU time with it, and 5 s without).
    with jax.threefry_partitionable(False):
        variables, origin, ancestor = _initial(config, model, input_shape)
    params, stats = variables['params'], variables.get('batch_stats', {})
    mask = trainable_mask(params, freezing_rules(config.freeze, model, train_norms=config.train_norms))
    trained = log_table(params, mask)
    start = frozen_prefix(model, mask)
    prefix, rest = split_variables(model, variables, start)
    frozen = frozen_norms(stats, mask)
    if stats:
        model = model.clone(frozen_norms=frozen)
    return ModelSetup(
        model=model,
        params=rest['params'],
        stats=rest.get('batch_stats', {}),
        prefix=prefix,
        mask=split_stages(model, mask, start)[1],
        start=start,
        origin=origin,
        trained=trained,
        norms=len(jax.tree.leaves(stats)) // STATISTICS_OF_A_NORM,
        frozen_norms=frozen,
        ancestor=ancestor,
    )


def _initial(config: TrainConfig, model: nn.Module, shape: tuple[int, ...]) -> tuple[dict, str, dict | None]:
    plain = model.clone(axis_name=None)
    if config.init == 'random':
        return initial_variables(model, shape, config.seed), 'random', None
    if config.init in PUBLISHED:
        name = published_name(config.init, config.model)
        path = fetch_published(name, version=config.weights_version, progress=_log_download())
        origin = f'imagenet {path.stem}' if config.init == 'imagenet' else config.init
        return _weights_of_file(config, plain, path, origin, shape)
    path = pathlib.Path(config.init)
    if path.is_file():
        return _weights_of_file(config, plain, path, str(path), shape)
    if (path / 'checkpoints').is_dir():
        return _backbone_of_run(config, model, path, shape)
    folds = folds_in(path)
    hint = f' (a workdir of folds: name one, e.g. {folds[0]})' if folds else ''
    raise ConfigError(
        f'`init`={config.init}{hint} is neither random, {", ".join(PUBLISHED)}, a file of weights nor the '
        'workdir of an fdx run (which has a folder checkpoints)'
    )


def _weights_of_file(
    config: TrainConfig, plain: nn.Module, path: pathlib.Path, origin: str, shape: tuple[int, ...]
) -> tuple[dict, str, dict | None]:
    loaded = read_pretrained(path, plain, seed=config.seed, input_shape=shape)
    _refuse_frozen_noise(config, plain, loaded)
    ancestor = {'learned_from': list(loaded.learned_from)} if loaded.learned_from else None
    return loaded.variables, '; '.join([origin, *loaded.notes]), ancestor


def _refuse_frozen_noise(config: TrainConfig, model: Staged, loaded: Pretrained) -> None:
    """Raises ConfigError where stages that the file lacks would stay at random for ever."""
    if not loaded.fresh:
        return
    params = loaded.variables['params']
    mask = trainable_mask(params, freezing_rules(config.freeze, model, train_norms=config.train_norms))
    frozen = [stage for stage in loaded.fresh if not all(jax.tree.leaves(mask[stage]))]
    if frozen:
        last = model.STAGES[model.STAGES.index(loaded.fresh[0]) - 1]
        raise ConfigError(
            f'`init`={config.init} has no {", ".join(loaded.fresh)}, and `freeze`={config.freeze} would leave '
            f'{", ".join(frozen)} at random: train them, or end the network before them (stop_after={last} in '
            '`model_options`)'
        )


def _log_download() -> Callable[[int, int | None], None]:
    """A progress function for downloads that logs a line for every tenth."""
    shown = 0

    def progress(done: int, total: int | None) -> None:
        nonlocal shown
        if not total:
            return
        percent = 100 * done // total
        if percent >= shown + 10:
            shown = percent - percent % 10
            logger.info('downloaded %d%% of %.0f MB', shown, total / 1e6)

    return progress


def _backbone_of_run(
    config: TrainConfig, model: nn.Module, workdir: pathlib.Path, shape: tuple[int, ...]
) -> tuple[dict, str, dict | None]:
    """The best step of another run with a fresh classifier."""
    variables, meta, step = load_run(workdir, 'best')
    if meta['config']['model'] != config.model:
        raise ConfigError(f'`init`={workdir} holds a {meta["config"]["model"]}, but `model` is {config.model}')
    plain = model.clone(axis_name=None)
    shapes = variable_shapes(plain, shape)
    fresh = {**shapes, 'params': {**shapes['params'], 'head': init_head(plain, config.seed, shape)}}
    notes = [f'{workdir} step {step} ({meta["dataset"]["name"]})', stem_change(variables['params'], shape[-1])]
    loaded = {**variables, 'params': adapt_stem(variables['params'], shape[-1])}
    return merge_variables(fresh, loaded), '; '.join(note for note in notes if note), meta


def input_shape_of(meta: dict) -> tuple[int, ...]:
    """The shape of one example of a run, from what its checkpoint says about itself."""
    front_end = front_end_from_config(meta['front_end'])
    if reads_tables(front_end):
        return front_end.output_shape()
    return front_end.output_shape(meta['dataset'].get('channels', 1))


def load_run(workdir: str | pathlib.Path, step: str | int = 'best') -> tuple[dict, dict, int]:
    """Verified variables of a run.

    Args:
      workdir: of `launch.train`.
      step: best, last or a number.

    Returns:
      (variables of all stages, meta, step number).

    Raises:
      CheckpointError: there is no checkpoint, or a damaged one; the text offers the newest intact step. Or the workdir
        holds a generator.
    """
    checkpoints = Checkpoints(workdir)
    number = checkpoints.resolve(step)
    checkpoints.verify(number)
    meta = checkpoints.meta(number)
    if kind_of(meta) == GENERATOR:
        raise CheckpointError(f'{workdir} holds {WORDS[GENERATOR]}: name the workdir of a classifier')
    config = TrainConfig.from_json(meta['config'])
    shape = input_shape_of(meta)
    model = build_model(config, len(meta['class_names']), shape)
    shapes = variable_shapes(model.clone(axis_name=None), shape)
    prefix_like, like = split_variables(model, shapes, meta['frozen_stages'])
    rest, prefix = checkpoints.restore_variables(number, like, prefix_like)
    return join_variables(prefix, rest['params'], rest.get('batch_stats', {})), meta, number
