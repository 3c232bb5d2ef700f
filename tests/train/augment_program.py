"""Mixup and SpecAugment on however many devices there are, alone and in a training step.

    python augment_program.py SPEC.json      (SPEC: {"output": FILE.npz})

Tests run it on one and on four devices: batches of 7 are 8 there, and with 3 examples two devices hold nothing but
padding.
"""

from __future__ import annotations

import functools
import json
import pathlib
import sys

import flax.linen as nn
import jax
import numpy as np
import optax

from fdx.train import parallel
from fdx.train.augment import AUGMENT
from fdx.train.steps import TrainState, make_train_step

BATCH_SIZE, COUNTS = 7, (3, 5, 6, 7)
SHAPE, CLASSES = (20, 14, 2), 3
SGD = optax.sgd(0.1)


class Classifier(nn.Module):
    """One dense layer."""

    num_classes: int = CLASSES

    HAS_STATISTICS = False

    @nn.compact
    def __call__(self, x, *, train=False, start=0, stop=None):
        return nn.Dense(self.num_classes, name='head')(x.reshape(len(x), -1)), {}


def examples(n: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(n)
    labels = rng.integers(0, CLASSES, n).astype(np.int32)
    return {'inputs': rng.standard_normal((n, *SHAPE)).astype(np.float32), 'labels': labels}


@functools.cache
def compiled(name: str):
    """augmented(seed, batch) -> (inputs, targets) of the global batch; the batch holds inputs, targets and mask."""

    def augmented(seed, batch):
        changed = AUGMENT[name](batch['inputs'], batch['targets'], batch['mask'], jax.random.key(seed))
        return jax.tree.map(parallel.gather, changed)

    return parallel.compile_forward(augmented)


@functools.cache
def compiled_step(augment=None, make=make_train_step):
    mask = {'head': {'kernel': True, 'bias': True}}
    options = {} if augment is None else {'augment': augment}
    return parallel.compile_step(make(Classifier(), SGD, mask, start=0, **options))


def make_state(*, seed: int = 5, at: int = 0) -> TrainState:
    kernel = 0.1 * np.random.default_rng(0).standard_normal((int(np.prod(SHAPE)), CLASSES)).astype(np.float32)
    params = {'head': {'kernel': kernel, 'bias': np.zeros(CLASSES, np.float32)}}
    state = TrainState(np.int32(at), np.int32(seed), params, {}, {'params': {}}, SGD.init(params))
    return parallel.replicate(state)


def one_step(step, n: int = 5, **of_state) -> dict[str, np.ndarray]:
    """Metrics and parameters after a step of n examples."""
    state, metrics = step(make_state(**of_state), parallel.shard(examples(n), BATCH_SIZE))
    return jax.device_get({**metrics, **state.params['head']})


def run() -> dict[str, np.ndarray]:
    out = {'devices': np.int32(jax.device_count())}
    for name in AUGMENT:
        for n in COUNTS:
            data = examples(n)
            batch = {'inputs': data['inputs'], 'targets': np.eye(CLASSES, dtype=np.float32)[data['labels']]}
            inputs, targets = compiled(name)(np.int32(n), parallel.shard(batch, BATCH_SIZE))
            out |= {f'{name}/{n}/inputs': np.asarray(inputs)[:n], f'{name}/{n}/targets': np.asarray(targets)[:n]}
    after = one_step(compiled_step(AUGMENT['mixup']))
    return {**out, **{f'step/{name}': value for name, value in after.items()}}


if __name__ == '__main__':
    np.savez(json.loads(pathlib.Path(sys.argv[1]).read_text())['output'], **run())
