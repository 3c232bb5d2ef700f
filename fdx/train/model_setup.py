"""A model with its parameters, its freezing mask and its frozen prefix: what training and evaluation start from."""

from __future__ import annotations

import dataclasses
import logging
import pathlib
from collections.abc import Callable

import flax.linen as nn
import jax

from fdx.models.registry import create_model, model_spec
from fdx.train import parallel
from fdx.train.checkpoints import Checkpoints
from fdx.train.config import TrainConfig
from fdx.train.freezing import freezing_rules, frozen_prefix, log_table, trainable_mask
from fdx.train.steps import initial_params
from fdx.types import ConfigError
from fdx.weights.audioset import fetch_audioset_vggish
from fdx.weights.merge import merge_params
from fdx.weights.pretrained import load_pretrained
from fdx.weights.structure import init_head, variable_shapes

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class ModelSetup:
    """A network ready to train.

    Attributes:
      model: the linen module.
      params: parameters from the first stage that trains on.
      prefix: parameters of the frozen leading stages.
      mask: tree like `params`, True where they train.
      start: number of frozen leading stages.
      origin: where the initial weights came from, in words.
      trained: number of trained values.
    """

    model: nn.Module
    params: dict
    prefix: dict
    mask: dict
    start: int
    origin: str
    trained: int


def build_model(config: TrainConfig, num_classes: int) -> nn.Module:
    """The network of a run, on the axis of fdx.train.parallel."""
    options = {'dropout_rate': config.dropout_rate, **config.model_options}
    return create_model(config.model, num_classes, axis_name=parallel.AXIS, **options)


def split_stages(model: nn.Module, tree: dict, start: int) -> tuple[dict, dict]:
    """(stages before `start`, the others) of a tree with one branch a stage."""
    head = set(model.STAGES[:start])
    return {k: v for k, v in tree.items() if k in head}, {k: v for k, v in tree.items() if k not in head}


def set_up_model(config: TrainConfig, num_classes: int) -> ModelSetup:
    """Creates, initialises and freezes a network as the config says.

    Raises:
      ConfigError: unknown model, option or init, or bad freezing rules.
      WeightsError: weights that cannot be had or do not fit.
      CheckpointError: an init run that is damaged.
    """
    model = build_model(config, num_classes)
    # The partitionable form of threefry, JAX's default, costs XLA's CPU compiler seconds for every array that is drawn
    # (measured on 2 cores, jax 0.10.2: a slim VGGish takes 23 s of CPU time, in this form 5 s).
    with jax.threefry_partitionable(False):
        params, origin = _initial(config, model)
    mask = trainable_mask(params, freezing_rules(config.freeze, model))
    trained = log_table(params, mask)
    start = frozen_prefix(model, mask)
    prefix, rest = split_stages(model, params, start)
    return ModelSetup(model, rest, prefix, split_stages(model, mask, start)[1], start, origin, trained)


def _initial(config: TrainConfig, model: nn.Module) -> tuple[dict, str]:
    plain, shape = model.clone(axis_name=None), model_spec(config.model).input_shape
    if config.init == 'random':
        return initial_params(model, shape, config.seed), 'random'
    if config.init == 'audioset':
        if config.model != 'vggish':
            raise ConfigError(f'--init=audioset has weights for vggish, not for {config.model}')
        return load_pretrained(fetch_audioset_vggish(progress=_log_download()), plain, seed=config.seed)[
            'params'
        ], 'audioset'
    path = pathlib.Path(config.init)
    if path.is_file():
        return load_pretrained(path, plain, seed=config.seed)['params'], str(path)
    if (path / 'checkpoints').is_dir():
        return _backbone_of_run(config, model, path)
    raise ConfigError(
        f'--init={config.init} is neither random, audioset, a file of weights nor the workdir of an fdx run '
        '(which has a folder checkpoints)'
    )


def _log_download() -> Callable[[int, int | None], None]:
    """A progress function for downloads: a line in the log for every tenth."""
    shown = 0

    def progress(done: int, total: int | None) -> None:
        nonlocal shown
        percent = 100 * done // total if total else 0
        if percent >= shown + 10:
            shown = percent - percent % 10
            logger.info('downloaded %d%% of %.0f MB', shown, total / 1e6)

    return progress


def _backbone_of_run(config: TrainConfig, model: nn.Module, workdir: pathlib.Path) -> tuple[dict, str]:
    """Everything but the classifier of another run's best step; the classifier is fresh."""
    params, meta, step = load_run(workdir, 'best')
    if meta['config']['model'] != config.model:
        raise ConfigError(f'--init={workdir} holds a {meta["config"]["model"]}, --model is {config.model}')
    plain = model.clone(axis_name=None)
    fresh = {**variable_shapes(plain)['params'], 'head': init_head(plain, config.seed)}
    loaded = {k: v for k, v in params.items() if k != 'head'}
    return merge_params(fresh, loaded, replace=('head',)), f'{workdir} step {step} ({meta["dataset"]["name"]})'


def load_run(workdir: str | pathlib.Path, step: str | int = 'best') -> tuple[dict, dict, int]:
    """Verified parameters of a run.

    Args:
      workdir: of `launch.train`.
      step: best, last or a number.

    Returns:
      (params of all stages, meta, step number).

    Raises:
      CheckpointError: no checkpoint there, or a damaged one; the text offers the newest intact step.
    """
    checkpoints = Checkpoints(workdir)
    number = checkpoints.resolve(step)
    checkpoints.verify(number)
    meta = checkpoints.meta(number)
    config = TrainConfig.from_json(meta['config'])
    model = build_model(config, len(meta['class_names']))
    shapes = variable_shapes(model.clone(axis_name=None))['params']
    prefix_like, like = split_stages(model, shapes, meta['frozen_stages'])
    params, prefix = checkpoints.restore_params(number, like, prefix_like)
    return {**prefix, **params}, meta, number
