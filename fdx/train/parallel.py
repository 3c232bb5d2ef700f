"""The one place that compiles steps for many devices, and that splits batches over them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

AXIS = 'batch'


def compile_step(step: Callable) -> Callable:
    """Compiles step(state, batch) -> (state, metrics): one program, many devices, explicit `lax.pmean` over AXIS.

    State and metrics have no device axis, as they are replicated; arrays of the batch are [devices here, B, ...]. The
    memory of the state is given to the step: afterwards only the returned state can be used.
    """
    return jax.pmap(step, axis_name=AXIS, in_axes=(None, 0), out_axes=(None, None), donate_argnums=(0,))


def compile_forward(forward: Callable) -> Callable:
    """Compiles forward(variables, batch) -> arrays gathered over AXIS (`gather`), the same on every device."""
    return jax.pmap(forward, axis_name=AXIS, in_axes=(None, 0), out_axes=None)


def gather(x: jax.Array) -> jax.Array:
    """[B, ...] on each device -> [all devices * B, ...] on every one, in the order of the global batch."""
    return jax.lax.all_gather(x, AXIS, tiled=True)


def padded_size(batch_size: int) -> int:
    """`batch_size` rounded up to a multiple of all devices of all processes."""
    devices = jax.device_count()
    return -(-batch_size // devices) * devices


def shard(batch: dict[str, Any], batch_size: int) -> dict[str, Any]:
    """Pads a global batch and takes the part of this process.

    Args:
      batch: arrays [n, ...] with n <= batch_size, the same on every process; or several such batches by name, each of
        which is treated separately.
      batch_size: the size of a full batch; every batch is padded to it, so that one program serves all.

    Returns:
      arrays [devices here, padded_size / all devices, ...] and `mask` float32, 1 for examples and 0 for padding.
    """
    if isinstance(next(iter(batch.values())), dict):
        return {name: shard(part, batch_size) for name, part in batch.items()}
    n = len(next(iter(batch.values())))
    size = padded_size(batch_size)
    mask = (np.arange(size) < n).astype(np.float32)
    here = jax.local_device_count()
    part = size // jax.process_count()
    first = part * jax.process_index()

    def local(x: np.ndarray) -> np.ndarray:
        x = np.asarray(x)
        if len(x) < size:
            x = np.concatenate([x, np.zeros((size - len(x), *x.shape[1:]), x.dtype)])
        return x[first : first + part].reshape(here, part // here, *x.shape[1:])

    return {**{k: local(v) for k, v in batch.items()}, 'mask': local(mask)}


def replicate(tree):
    """Copies the arrays of a tree to every device of every process; all processes must hold the same values.

    Orbax does not write arrays that only one process knows. And a step whose first state is laid out like the later
    ones is compiled once instead of twice.
    """
    sharding = replicated_sharding()

    def place(x):
        host = np.asarray(x)
        return jax.make_array_from_callback(host.shape, sharding, lambda index: host[index])

    return jax.tree.map(place, tree)


def replicated_sharding() -> jax.sharding.NamedSharding:
    """The sharding of arrays of which every device of every process has a full copy."""
    mesh = jax.make_mesh((jax.device_count(),), (AXIS,), axis_types=(jax.sharding.AxisType.Auto,))
    return jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
