"""Several processes of one run: work that one of them does for all, and waiting for each other."""

from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np
from jax.experimental import multihost_utils

from fdx.types import CheckpointError, FdxError


def is_first() -> bool:
    """Whether this is the process that writes for all."""
    return jax.process_index() == 0


def sync(what: str) -> None:
    """Waits until all processes have come here."""
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(f'fdx {what}')


def on_every_process(flags: np.ndarray) -> np.ndarray:
    """Bool [N]: where the flags of all processes are True."""
    if jax.process_count() == 1:
        return flags
    gathered = np.asarray(multihost_utils.process_allgather(flags)).reshape(-1, len(flags))
    return np.logical_and.reduce(gathered, axis=0)


def by_first(work: Callable[[], None]) -> None:
    """Calls `work` in process 0 alone; an error of it is raised in all processes, which would otherwise wait for ever.

    Raises:
      FdxError: what `work` raised.
    """
    error: FdxError | None = None
    if is_first():
        try:
            work()
        except FdxError as e:
            error = e
    if jax.process_count() > 1:
        failed = bool(multihost_utils.broadcast_one_to_all(np.int32(error is not None)))
        if failed and error is None:
            raise CheckpointError('process 0 cannot use the workdir: its own message says why')
    if error is not None:
        raise error
