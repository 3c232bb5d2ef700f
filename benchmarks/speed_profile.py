"""Where the time of a network's training step goes: forward, backward, optimiser, input, dispatch and compiling.

    python -m benchmarks.speed_profile --network=resnet50

The parts are programs of their own, so that their sum is not the step: XLA fuses across them, and the step computes
metrics. Wall and CPU seconds side by side say how well the cores are used.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import jax
import numpy as np
import optax

from fdx.train import parallel
from fdx.train.config import TrainConfig
from fdx.train.model_setup import set_up_model
from fdx.train.optimiser import make_optimiser, settings_of
from fdx.train.programs import compiled_step
from fdx.train.trainer import fresh_state

from .speed_clock import Found, repeated
from .speed_networks import CLASSES, LEARNING_RATE, NETWORKS, batch, cores_here
from .speed_page import seconds_text
from .speed_run import pin


def profile(name: str) -> dict[str, Found]:
    """Seconds of each part of a step that trains all layers of a network of the table of speed."""
    inputs, labels = batch(name)
    config = TrainConfig('', model=name, dropout_rate=0.0, l2=0.0, halve_every=0, learning_rate=LEARNING_RATE)
    began = time.perf_counter()
    setup = set_up_model(config, CLASSES, inputs.shape[1:])
    found = {'initialising': Found([time.perf_counter() - began], [0.0])}
    optimiser = make_optimiser(config, setup.mask, 1)
    state: Any = fresh_state(setup, optimiser, 0)
    step = compiled_step(setup.model, settings_of(config), setup.mask, steps_per_epoch=1, start=0)
    shards = parallel.shard({'inputs': inputs, 'labels': labels}, len(inputs))
    began = time.perf_counter()
    state, metrics = step(state, shards)
    jax.block_until_ready(state)
    found['first step, compiled'] = Found([time.perf_counter() - began], [0.0])

    def whole() -> None:
        nonlocal state, metrics
        state, metrics = step(state, shards)
        jax.block_until_ready((state, metrics))

    found['step'] = repeated(whole)
    found |= _parts(setup.model.clone(axis_name=None), jax.device_get(state), optimiser, inputs, labels)
    found['input: padding and transfer'] = repeated(
        lambda: jax.block_until_ready(jax.device_put(parallel.shard({'inputs': inputs, 'labels': labels}, len(inputs))))
    )
    same: Any = parallel.compile_step(lambda state, batch: (state, batch['mask'].sum()))

    def dispatch() -> None:
        nonlocal state
        state, _ = same(state, {'mask': shards['mask']})
        jax.block_until_ready(state)

    found['dispatch: the same arrays in and out'] = repeated(dispatch)
    return found


def _parts(model: Any, state: Any, optimiser: Any, inputs: np.ndarray, labels: np.ndarray) -> dict[str, Found]:
    """Forward, forward with backward, and the optimiser's update, each compiled by itself on one device."""
    rest = {'batch_stats': state.stats} if state.stats else {}

    def loss(params: dict) -> jax.Array:
        (logits, _), _ = model.apply({'params': params, **rest}, inputs, train=True, mutable=['batch_stats'])
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

    forward, gradient = jax.jit(loss), jax.jit(jax.grad(loss))
    params = jax.device_put(state.params)
    opt_state = jax.device_put(state.opt_state)
    grads = gradient(params)

    @jax.jit
    def update(grads: dict, opt_state: Any, params: dict) -> tuple[dict, Any]:
        updates, opt_state = optimiser.update(grads, opt_state, params)
        return optax.apply_updates(params, updates), opt_state

    return {
        'forward': repeated(lambda: forward(params).block_until_ready()),
        'forward and backward': repeated(lambda: jax.block_until_ready(gradient(params))),
        'optimiser': repeated(lambda: jax.block_until_ready(update(grads, opt_state, params))),
    }


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--network', choices=list(NETWORKS), required=True)
    args = parser.parse_args()
    pin(2)
    print(f'{NETWORKS[args.network].words}, {cores_here()} cores')
    for part, found in profile(args.network).items():
        wall, cpu = (float(np.median(values)) for values in (found.seconds, found.cpu_seconds))
        print(f'{part:36s} {seconds_text(wall):>9s}' + (f'  {cpu / wall:.1f} cores busy' if cpu else ''), flush=True)


if __name__ == '__main__':
    main()
