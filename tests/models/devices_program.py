"""Loss, gradients and new statistics of a slim ResNet, for batches that are padded and spread over all devices.

    python devices_program.py OUT.npz PADDING [PADDING ...]

5 real examples and PADDING examples of noise behind them, masked; devices must divide 5 + PADDING. Without padding the
batch is not masked either.
"""

from __future__ import annotations

import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax

from fdx.models import create_model
from fdx.weights.trees import flatten_tree

REAL, SHAPE, CLASSES = 5, (21, 16, 3), 3


def variables(model):
    """Seeded random ones, the statistics too."""
    shapes = jax.eval_shape(model.clone(axis_name=None).init, jax.random.key(0), jnp.zeros((1, *SHAPE)))
    rng = np.random.default_rng(0)

    def draw(path, s):
        if path[-1].key == 'kernel':
            return (rng.standard_normal(s.shape) * np.sqrt(2 / np.prod(s.shape[:-1]))).astype(s.dtype)
        return rng.uniform(0.5, 1.5, s.shape).astype(s.dtype)

    return jax.tree_util.tree_map_with_path(draw, shapes)


def run(padding: int) -> dict[str, np.ndarray]:
    """The step as fdx.train.steps does it, without the optimiser."""
    devices = jax.device_count()
    model = create_model('resnet50', CLASSES, width_multiplier=1 / 16, depths=(1, 1, 1, 1), axis_name='batch')
    rng = np.random.default_rng(1)
    x = rng.standard_normal((REAL, *SHAPE)).astype(np.float32) * 3 - 20
    x = np.concatenate([x, rng.standard_normal((padding, *SHAPE)).astype(np.float32) * 100])
    labels, mask = np.arange(len(x)) % CLASSES, (np.arange(len(x)) < REAL).astype(np.float32)

    def step(v, x, labels, mask):
        def loss_fn(params):
            used = mask if padding else None
            (logits, _), new = model.apply({**v, 'params': params}, x, train=True, mask=used, mutable=['batch_stats'])
            losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels) * mask
            return losses.sum() * devices / jax.lax.psum(mask.sum(), 'batch'), new['batch_stats']

        (loss, new), grads = jax.value_and_grad(loss_fn, has_aux=True)(v['params'])
        return jax.lax.pmean(loss, 'batch'), jax.lax.pmean(grads, 'batch'), new

    compiled = jax.pmap(step, axis_name='batch', in_axes=(None, 0, 0, 0), out_axes=None)
    shards = [a.reshape(devices, -1, *a.shape[1:]) for a in (x, labels, mask)]
    loss, grads, new = compiled(variables(model), *shards)
    return flatten_tree(jax.tree.map(np.asarray, {'loss': loss, 'gradients': grads, 'statistics': new}))


def arrays(paddings: list[str]) -> dict[str, np.ndarray]:
    """'PADDING/name' -> array of every run."""
    return {f'{p}/{name}': value for p in paddings for name, value in run(int(p)).items()}


def main() -> None:
    """Writes `arrays`."""
    out, *paddings = sys.argv[1:]
    np.savez(out, devices=jax.device_count(), **arrays(paddings))


if __name__ == '__main__':
    main()
