"""The one place that compiles steps for many devices, and that splits batches over them.

A step is written for one device, with collective operations over AXIS. Two forms compile it, with equal results to the
last bit: `pmap`, and `mesh`, which is `jax.jit` of `jax.shard_map` over a mesh of all devices.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from fdx.train.config import FORMS

AXIS = 'batch'
FORM = FORMS[0]


def compile_step(step: Callable, form: str = FORM) -> Callable:
    """Compiles step(state, batch) -> (state, metrics): one program, many devices, explicit `lax.pmean` over AXIS.

    State and metrics have no device axis, as they are replicated; arrays of the batch are [devices here, B, ...]. The
    memory of the state is given to the step: afterwards only the returned state can be used.

    Args:
      step: for the part of the batch that lies on one device.
      form: one of FORMS.
    """
    return _compiled(step, form, donated=(0,))


def compile_forward(forward: Callable, form: str = FORM) -> Callable:
    """Compiles forward(variables, batch) -> arrays gathered over AXIS (`gather`), the same on every device."""
    return _compiled(forward, form, donated=())


def _compiled(function: Callable, form: str, donated: tuple[int, ...]) -> Callable:
    if form == 'pmap':
        return jax.pmap(function, axis_name=AXIS, in_axes=(None, 0), out_axes=None, donate_argnums=donated)
    everywhere, split = jax.sharding.PartitionSpec(), jax.sharding.PartitionSpec(AXIS)
    # pmap does not check either that outputs are the same on every device.
    mapped = jax.shard_map(
        function, mesh=_all_devices(), in_specs=(everywhere, split), out_specs=everywhere, check_vma=False
    )
    return OnMesh(jax.jit(mapped, donate_argnums=donated), jax.sharding.NamedSharding(_all_devices(), split))


@dataclasses.dataclass(frozen=True)
class OnMesh:
    """A program of the form `mesh` that takes batches as `shard` gives them.

    Attributes:
      program: takes the arrays of the global batch, [all devices * B, ...].
      sharding: of these arrays.
    """

    program: Any
    sharding: jax.sharding.NamedSharding

    def __call__(self, state: Any, batch: dict) -> Any:
        """What the program makes of a state and a batch."""
        return self.program(state, self.place(batch))

    def lower(self, state: Any, batch: dict) -> jax.stages.Lowered:
        """The lowered program, as that of `jax.jit`."""
        return self.program.lower(state, self.place(batch))

    def place(self, batch: dict) -> dict:
        """The global batch on the devices, as `program` takes it; arrays that are there already stay as they are."""

        def place(x: np.ndarray | jax.Array) -> jax.Array:
            if isinstance(x, jax.Array):
                return x
            return jax.make_array_from_process_local_data(self.sharding, x.reshape(-1, *x.shape[2:]))

        return jax.tree.map(place, batch)


def gather(x: jax.Array) -> jax.Array:
    """[B, ...] on each device -> [all devices * B, ...] on every one, in the order of the global batch."""
    return jax.lax.all_gather(x, AXIS, tiled=True)


def padded_size(batch_size: int) -> int:
    """`batch_size` rounded up to a multiple of all devices of all processes."""
    devices = jax.device_count()
    return -(-batch_size // devices) * devices


def part(batch_size: int) -> slice:
    """The places of a padded global batch that this process computes; the whole batch where there is one process."""
    if jax.process_count() == 1:
        return slice(None)
    size = padded_size(batch_size) // jax.process_count()
    return slice(size * jax.process_index(), size * (jax.process_index() + 1))


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
        return {name: shard(one, batch_size) for name, one in batch.items()}
    n = len(next(iter(batch.values())))
    size = padded_size(batch_size)
    mask = (np.arange(size) < n).astype(np.float32)
    here, mine = jax.local_device_count(), part(batch_size)

    def local(x: np.ndarray) -> np.ndarray:
        x = np.asarray(x)
        if len(x) < size:
            x = np.concatenate([x, np.zeros((size - len(x), *x.shape[1:]), x.dtype)])
        return x[mine].reshape(here, -1, *x.shape[1:])

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
    return jax.sharding.NamedSharding(_all_devices(), jax.sharding.PartitionSpec())


def _all_devices() -> jax.sharding.Mesh:
    """The mesh of all devices of all processes along AXIS."""
    return jax.make_mesh((jax.device_count(),), (AXIS,), axis_types=(jax.sharding.AxisType.Auto,))
