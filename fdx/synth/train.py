"""Trains a generator, or goes on from the last checkpoint of its workdir."""

from __future__ import annotations

import math
import pathlib
import time
from collections.abc import Callable

import jax
import numpy as np

from fdx.data.dataset import PreparedDataset
from fdx.data.pipeline import train_batches
from fdx.data.source import open_dataset
from fdx.synth.config import SynthConfig
from fdx.synth.images import Scale, TrainingImages, training_images
from fdx.synth.networks import Critic, Generator, initial_parameters
from fdx.synth.step import HEALTH, GanState, make_gan_step, make_optimiser
from fdx.train import parallel
from fdx.train.description import environment
from fdx.train.forward import Progress, no_progress
from fdx.train.generated import rows_key
from fdx.train.loop import Plan
from fdx.train.same_run import GENERATOR, Sameness
from fdx.train.trainer import Layout, Run, run_training
from fdx.types import CheckpointError, FdxError


class DivergedError(FdxError):
    """The training of a generator diverged; its last good checkpoint stays."""


def networks_of(config: SynthConfig, num_classes: int, shape: tuple[int, ...]) -> tuple[Generator, Critic]:
    """Generator and critic of a config."""
    return Generator(num_classes, tuple(shape), config.width), Critic(num_classes, config.width)


def train_generator(
    config: SynthConfig,
    workdir: str | pathlib.Path,
    *,
    progress: Progress = no_progress,
    on_row: Callable[[dict], None] = lambda row: None,
) -> list[dict]:
    """Trains until `config.steps` updates of the generator are done.

    Args:
      config: what to do.
      workdir: for checkpoints, metrics.jsonl and TensorBoard files.
      progress: wraps long work.
      on_row: called with every row of the log.

    Returns:
      The history: a row with the health of training every `log_every` updates.

    Raises:
      FdxError: the config, the data or the checkpoints of the workdir make the run impossible.
      DivergedError: metrics are not finite, or the critic exceeds the bound that its penalty sets.
      InterruptedRunError: SIGTERM; the state is saved.
    """
    began = time.perf_counter()
    dataset = open_dataset(config.dataset, config.data_dir)
    data = training_images(config, dataset)
    scale = Scale.of(data.images)
    meta = describe(config, dataset, data, scale)
    networks = networks_of(config, len(meta['class_names']), dataset.input_shape)
    optimiser = make_optimiser(config)
    examples = data.evenly_drawn(scale, config.seed)
    # The updates of the critic take turns in picking examples of the batch, so each needs a full part on every device.
    batch_size = config.critic_steps * parallel.padded_size(config.batch_size)
    batches = train_batches(examples, batch_size, config.seed)
    state = _fresh_state(config, networks, dataset.input_shape)
    run = Run(
        layout=LAYOUT,
        meta=meta,
        state=state,
        plan=Plan(
            step=parallel.compile_step(make_gan_step(*networks, optimiser, config)),
            batches=batches,
            batch_size=batch_size,
            steps_per_epoch=config.log_every,
            epochs=config.steps // config.log_every,
            validate=lambda state: {},
            on_epoch=on_row,
            save_every=config.save_every,
            progress=progress,
            averages=HEALTH,
            check=_divergence_check(dataset.input_shape),
            classifies=False,
        ),
        # The last step is the one that samples are drawn from.
        choice=lambda step, history: {'selection': {'criterion': 'last', 'score': float(step)}},
        began=began,
    )
    return run_training(run, workdir).history


def describe(config: SynthConfig, dataset: PreparedDataset, data: TrainingImages, scale: Scale) -> dict:
    """What the checkpoint of a generator says about itself; JSON can hold it."""
    names = dataset.class_names(config.label_key)
    counts = np.bincount(data.labels, minlength=len(names)).tolist()
    return {
        'generator': config.to_json(),
        'rows': rows_key(config, dataset.name),
        'class_names': names,
        'counts': dict(zip(names, counts)),
        'front_end': dataset.front_end.config(),
        'shape': list(dataset.input_shape),
        'scale': {'low': list(scale.low), 'high': list(scale.high)},
        'train_recordings': sorted(set(dataset.table['recording'][data.rows])),
        'frozen_stages': 0,
        **environment(),
    }


def _fresh_state(config: SynthConfig, networks: tuple[Generator, Critic], shape: tuple[int, ...]) -> GanState:
    with jax.threefry_partitionable(False):  # As in fdx.train.model_setup: faster to compile on CPU.
        made, judge = initial_parameters(networks, config.latent_size, shape, config.seed)
    optimiser = make_optimiser(config)
    opt_state = {'generator': optimiser.init(made), 'critic': optimiser.init(judge)}
    params = {'generator': made, 'critic': judge, 'average': jax.tree.map(np.array, made)}
    return parallel.replicate(GanState(np.int32(0), np.int32(config.seed), params, opt_state))


def _divergence_check(shape: tuple[int, ...]) -> Callable[[dict], None]:
    """A function that raises on a row of a run that diverged.

    Two images in [-1, 1] are at most 2 sqrt(H W C) apart. A critic whose slope is held near 1 cannot see ten times that
    distance.
    """
    bound = 20 * math.sqrt(math.prod(shape))

    def check(row: dict) -> None:
        values = {name: row[f'train_{name}'] for name in HEALTH}
        broken = [f'{name} {value:g}' for name, value in values.items() if not math.isfinite(value)]
        if not broken and abs(values['wasserstein']) > bound:
            broken = [f'Wasserstein estimate {values["wasserstein"]:g}, above the bound {bound:g} of its images']
        if broken:
            raise DivergedError(
                f'the generator diverged before update {row["step"]}: {", ".join(broken)}. Set `learning_rate` lower '
                'or `penalty` higher in a new `workdir`; the last checkpoint before it is still there'
            )

    return check


def _check_steps(step: int, meta: dict) -> None:
    """Refuses a workdir that has more updates than are asked for: its generator is not the one that they would give."""
    wanted = meta['generator']['steps']
    if step > wanted:
        raise CheckpointError(
            f'the workdir holds {step} updates, more than `steps`={wanted}: ask for as many or more, or choose another '
            '`workdir`'
        )


LAYOUT = Layout(
    network=lambda state: {'params': state.params},
    rest=lambda state: state.opt_state,
    fields=lambda variables, opt_state: {'params': variables['params'], 'opt_state': opt_state},
    same=Sameness(
        GENERATOR,
        settings={'generator': dict},
        may_differ=('steps', 'data_dir'),
        must_agree=('rows', 'class_names', 'front_end', 'scale', 'counts'),
    ),
    check=_check_steps,
)
