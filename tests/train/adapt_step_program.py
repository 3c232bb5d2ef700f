"""Adaptation steps of a tiny network on however many devices there are, for every method.

    python adapt_step_program.py SPEC.json      (SPEC: {"output": FILE.npz})

Tests run it on one and on four devices: a step a method, of those that refine one in each half of the run.
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

from fdx.adapt.methods import METHODS, Method, init_discriminator
from fdx.adapt.schedule import annealed
from fdx.adapt.source_domains import init_domain_weights
from fdx.adapt.step import AdaptState, make_adapt_step
from fdx.models.batch_norm import BatchNorm
from fdx.models.layers import ExampleDropout
from fdx.train import parallel

FEATURES, HIDDEN, CLASSES = 6, 5, 3
# Source and target of a batch, and the size that both are padded to: one more or less than four devices.
SIZES = ((5, 3), 5)
TOTAL_STEPS, FIRST_STEP, LATE_STEP = 10, 3, 7
RATE, SEED = 0.1, 5


class Tiny(nn.Module):
    """Dense, norm, tanh; dense: `embedding` lies in front of the dropout and the classifier. Stage 0 makes a map."""

    axis_name: str | None = parallel.AXIS
    dropout_rate: float = 0.5

    HAS_STATISTICS = True

    @nn.compact
    def __call__(self, x, *, train=False, start=0, stop=None, mask=None):
        if start == 0:
            x = nn.Dense(HIDDEN, use_bias=False, name='first')(x)
            x = nn.tanh(BatchNorm(HIDDEN, self.axis_name, name='bn')(x, train=train, mask=mask))[:, :, None]
        if stop == 1:
            return x, {}
        embedding = nn.Dense(HIDDEN, name='embedding')(x[:, :, 0])
        dropped = ExampleDropout(self.dropout_rate, self.axis_name)(embedding, train=train)
        return nn.Dense(CLASSES, name='head')(dropped), {'embedding': embedding}


def parameters() -> dict:
    rng = np.random.default_rng(0)

    def values(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    return {
        'first': {'kernel': values(FEATURES, HIDDEN)},
        'bn': {'scale': np.full(HIDDEN, 1.2, np.float32), 'bias': np.full(HIDDEN, 0.1, np.float32)},
        'embedding': {'kernel': values(HIDDEN, HIDDEN), 'bias': values(HIDDEN)},
        'head': {'kernel': values(HIDDEN, CLASSES), 'bias': values(CLASSES)},
    }


def batch(sizes: tuple[int, int] = SIZES[0], seed: int = 0) -> dict:
    """Two domains with unequal means; the source is itself of two, in turns."""
    rng = np.random.default_rng([seed, *sizes])
    made: dict[str, dict] = {
        name: {
            'inputs': (rng.standard_normal((n, FEATURES)) + shift).astype(np.float32),
            'labels': rng.integers(0, CLASSES, n).astype(np.int32),
        }
        for name, n, shift in zip(('source', 'target'), sizes, (0.0, 0.7))
    }
    made['source']['domains'] = (np.arange(sizes[0]) % 2).astype(np.int32)
    return made


def trained() -> dict:
    """Two leaves are frozen, behind the others: gradients go through everything."""
    mask = jax.tree.map(lambda _: True, parameters())
    return {**mask, 'embedding': {'kernel': True, 'bias': False}, 'head': {'kernel': False, 'bias': True}}


def make_state(method: Method, step: int) -> AdaptState:
    params = parameters()
    stats = {'bn': {'mean': np.full(HIDDEN, 0.3, np.float32), 'var': np.full(HIDDEN, 2, np.float32)}}
    # The discriminator is compared between runs: it must not hang on JAX's form of threefry.
    extra = jax.device_get(init_discriminator(method, HIDDEN, CLASSES, jax.random.key(1)))
    extra = extra or init_domain_weights(method, 2)
    state = AdaptState(
        step=np.int32(step),
        seed=np.int32(SEED),
        params=params,
        stats=stats,
        prefix={'params': {}},
        opt_state={
            'network': optax.sgd(RATE).init(params),
            'extra': optax.sgd(RATE).init(extra) if extra else {},
        },
        extra=extra,
        teacher=jax.tree.map(lambda x: 0.9 * x, params) if method.refines else {},
        total_steps=np.int32(TOTAL_STEPS),
    )
    return parallel.replicate(state)


def make_step(method: Method, *, dropout_rate: float = 0.5):
    return parallel.compile_step(
        make_adapt_step(
            Tiny(dropout_rate=dropout_rate),
            # Not Adam: its steps would hide a gradient that is wrong by a factor.
            optax.sgd(RATE),
            optax.sgd(RATE),
            trained(),
            method,
            start=0,
            feature='embedding',
            weight=method.weight,
            radius=0.3,
            warm_up=0.0,
            schedule=annealed,
        )
    )


def flat(tree: dict) -> dict[str, np.ndarray]:
    return flax.traverse_util.flatten_dict(jax.device_get(tree), sep='/')


def make_steps() -> dict:
    """Method -> its step, compiled when first called."""
    return {name: make_step(method) for name, method in METHODS.items()}


def run(steps: dict) -> dict[str, np.ndarray]:
    out = {'devices': np.int32(jax.device_count())}
    for name, method in METHODS.items():
        for at in (FIRST_STEP, LATE_STEP) if method.refines else (FIRST_STEP,):
            state, metrics = steps[name](make_state(method, at), parallel.shard(batch(), SIZES[1]))
            where = f'{name}/{at}'
            out |= {f'{where}/metrics/{k}': np.asarray(v) for k, v in metrics.items()}
            for part in ('params', 'stats', 'extra', 'teacher'):
                out |= {f'{where}/{part}/{k}': v for k, v in flat(getattr(state, part)).items()}
    return out


if __name__ == '__main__':
    np.savez(json.loads(pathlib.Path(sys.argv[1]).read_text())['output'], **run(make_steps()))
