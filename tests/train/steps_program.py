"""Training steps and forward passes of a tiny network on however many devices there are.

    python steps_program.py SPEC.json      (SPEC: {"output": FILE.npz})

For every batch size: two steps with dropout on, then the logits of that many examples. Tests run it on one and on
four devices.
"""

from __future__ import annotations

import json
import pathlib
import sys

import flax.linen as nn
import flax.traverse_util
import jax
import numpy as np

from fdx.data.pipeline import ArrayExamples
from fdx.models.batch_norm import BatchNorm
from fdx.models.layers import ExampleDropout
from fdx.train import parallel
from fdx.train.config import TrainConfig
from fdx.train.forward import forward_all, make_forward
from fdx.train.optimiser import make_optimiser
from fdx.train.steps import TrainState, make_train_step

# On four devices: 2 + 2 + 0 + 0 examples (4 in a batch of 5), one each, and 2 + 2 + 1 + 0.
BATCH_SIZES = (4, 5)
FEATURES, CLASSES = 6, 3


class TwoLayers(nn.Module):
    """Two dense layers with dropout between them."""

    axis_name: str | None = parallel.AXIS

    HAS_STATISTICS = False

    @nn.compact
    def __call__(self, x, *, train=False, start=0, stop=None):
        x = ExampleDropout(0.5, self.axis_name)(nn.tanh(nn.Dense(8, name='first')(x)), train=train)
        return nn.Dense(CLASSES, name='head')(x), {}


class NormedLayers(nn.Module):
    """Two dense layers with a batch norm between them; a bias in front of it would have a gradient of pure rounding."""

    axis_name: str | None = parallel.AXIS

    HAS_STATISTICS = True

    @nn.compact
    def __call__(self, x, *, train=False, start=0, stop=None, mask=None):
        x = nn.Dense(8, use_bias=False, name='first')(x)
        x = nn.tanh(BatchNorm(8, self.axis_name, name='bn')(x, train=train, mask=mask))
        return nn.Dense(CLASSES, name='head')(x), {}


def parameters():
    rng = np.random.default_rng(0)
    sizes = {'first': (FEATURES, 8), 'head': (8, CLASSES)}
    return {
        name: {'kernel': rng.standard_normal(s).astype(np.float32), 'bias': np.zeros(s[1], np.float32)}
        for name, s in sizes.items()
    }


def statistics():
    rng = np.random.default_rng(1)
    return {'bn': {'mean': rng.standard_normal(8).astype(np.float32), 'var': np.full(8, 2, np.float32)}}


def examples(n):
    rng = np.random.default_rng(n)
    return ArrayExamples(
        rng.standard_normal((n, FEATURES)).astype(np.float32), rng.integers(0, CLASSES, n).astype(np.int32)
    )


def run() -> dict[str, np.ndarray]:
    # This form of threefry is quicker to compile.
    norm = {'bn': {'scale': np.full(8, 1.5, np.float32), 'bias': np.full(8, 0.1, np.float32)}}
    with jax.threefry_partitionable(False):
        plain = _run(TwoLayers(), parameters(), {})
        first = {'first': {'kernel': parameters()['first']['kernel']}}
        normed = _run(NormedLayers(), parameters() | first | norm, statistics())
    return {**plain, **{f'norm/{name}': v for name, v in normed.items()}, 'devices': np.int32(jax.device_count())}


def _run(model: nn.Module, initial: dict, stats: dict) -> dict[str, np.ndarray]:
    mask = jax.tree.map(lambda _: True, initial)
    optimiser = make_optimiser(TrainConfig(dataset='x', learning_rate=0.05), mask, 1)
    step = parallel.compile_step(make_train_step(model, optimiser, mask, start=0))
    forward = parallel.compile_forward(make_forward(model))
    out = {}
    for size in BATCH_SIZES:
        data, params = examples(size), jax.tree.map(np.copy, initial)
        state = parallel.replicate(
            TrainState(np.int32(0), np.int32(5), params, stats, {'params': {}}, optimiser.init(params))
        )
        for k in range(2):
            # The first step is one of a short batch: even one device has padding to mask.
            batch = parallel.shard({'inputs': data.inputs, 'labels': data.targets}, size + 1 - k)
            state, metrics = step(state, batch)
            out |= {f'{size}/step{k}/{name}': np.asarray(v) for name, v in metrics.items()}
            out |= {f'{size}/step{k}/{name}': np.asarray(v) for name, v in state.stats.get('bn', {}).items()}
        flat = flax.traverse_util.flatten_dict(jax.device_get(state.params), sep='/')
        out |= {f'{size}/params/{path}': v for path, v in flat.items()}
        variables = {'params': initial} | ({'batch_stats': stats} if stats else {})
        out[f'{size}/logits'] = forward_all(forward, variables, data)
    return out


if __name__ == '__main__':
    np.savez(json.loads(pathlib.Path(sys.argv[1]).read_text())['output'], **run())
