"""Mixup and SpecAugment on however many devices there are, alone and in a training step.

    python augment_program.py SPEC.json      (SPEC: {"output": FILE.npz})

Tests run it on one and on four devices; on four every batch below is padded.
"""

from __future__ import annotations

import json
import pathlib
import sys

import flax.linen as nn
import flax.traverse_util
import jax
import numpy as np
import optax

from fdx.models.layers import ExampleDropout
from fdx.train import parallel
from fdx.train.augment import AUGMENT
from fdx.train.steps import TrainState, make_train_step

BATCH_SIZES = (3, 5, 7)
SHAPE, CLASSES = (20, 14, 2), 3


class Classifier(nn.Module):
    """One dense layer behind dropout."""

    num_classes: int = CLASSES
    axis_name: str | None = parallel.AXIS

    HAS_STATISTICS = False

    @nn.compact
    def __call__(self, x, *, train=False, start=0, stop=None):
        x = ExampleDropout(0.5, self.axis_name)(x.reshape(len(x), -1), train=train)
        return nn.Dense(self.num_classes, name='head')(x), {}


def examples(n: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(n)
    labels = rng.integers(0, CLASSES, n).astype(np.int32)
    return {'inputs': rng.standard_normal((n, *SHAPE)).astype(np.float32), 'labels': labels}


def compiled(augment):
    """augmented(seed, batch) -> (inputs, targets) of the global batch; the batch holds inputs, targets and mask."""

    def augmented(seed, batch):
        key = jax.random.key(seed)
        changed = augment(batch['inputs'], batch['targets'], batch['mask'], key)
        return jax.tree.map(parallel.gather, changed)

    return parallel.compile_forward(augmented)


def compiled_step(model, optimiser, augment):
    params = {'head': {'kernel': 0, 'bias': 0}}
    mask = jax.tree.map(lambda _: True, params)
    return parallel.compile_step(make_train_step(model, optimiser, mask, start=0, augment=augment))


def make_state(optimiser, *, inputs: int, seed: int = 5, step: int = 0) -> TrainState:
    kernel = 0.1 * np.random.default_rng(0).standard_normal((inputs, CLASSES)).astype(np.float32)
    params = {'head': {'kernel': kernel, 'bias': np.zeros(CLASSES, np.float32)}}
    return parallel.replicate(
        TrainState(np.int32(step), np.int32(seed), params, {}, {'params': {}}, optimiser.init(params))
    )


def run() -> dict[str, np.ndarray]:
    out = {'devices': np.int32(jax.device_count())}
    optimiser = optax.sgd(0.1)
    for name, augment in AUGMENT.items():
        augmented, step = compiled(augment), compiled_step(Classifier(), optimiser, augment)
        for size in BATCH_SIZES:
            data = examples(size)
            # One more than there are: even one device has padding.
            batch = {'inputs': data['inputs'], 'targets': np.eye(CLASSES, dtype=np.float32)[data['labels']]}
            inputs, targets = augmented(np.int32(size), parallel.shard(batch, size + 1))
            out |= {f'{name}/{size}/inputs': inputs[:size], f'{name}/{size}/targets': targets[:size]}
            state = make_state(optimiser, inputs=int(np.prod(SHAPE)))
            for k in range(2):
                state, metrics = step(state, parallel.shard(data, size + 1))
                out |= {f'{name}/{size}/step{k}/{key}': np.asarray(v) for key, v in metrics.items()}
            flat = flax.traverse_util.flatten_dict(jax.device_get(state.params), sep='/')
            out |= {f'{name}/{size}/{path}': v for path, v in flat.items()}
    return out


if __name__ == '__main__':
    np.savez(json.loads(pathlib.Path(sys.argv[1]).read_text())['output'], **run())
