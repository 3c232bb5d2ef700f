"""Programs that one process compiles once: runs which differ only in data, seed or fold share them.

A comparison, a benchmark or `fold='all'` trains many runs of the same network in one process. Tracing a network and
lowering it to XLA takes seconds each time, even where XLA's own cache has the compiled program.
"""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import flax.core
import flax.linen as nn
import jax
import jax.numpy as jnp

from fdx.train import parallel
from fdx.train.augment import Augmentation
from fdx.train.forward import make_forward
from fdx.train.optimiser import OptimiserSettings, make_optimiser
from fdx.train.steps import make_train_step

# Programs of so many networks are kept; a program of a large network takes some 10 MB.
KEPT = 16


def initial_variables(model: nn.Module, input_shape: tuple[int, ...], seed: int) -> dict:
    """Freshly initialised variables for examples of `input_shape`, on the host's first device."""
    return _initialiser(model.clone(axis_name=None), tuple(input_shape))(jax.random.key(seed))


@functools.lru_cache(maxsize=KEPT)
def _initialiser(model: nn.Module, input_shape: tuple[int, ...]) -> Callable[[jax.Array], dict]:
    return jax.jit(lambda key: model.init(key, jnp.zeros((1, *input_shape), jnp.float32)))


def compiled_forward(
    model: nn.Module,
    *,
    start: int = 0,
    stop: int | None = None,
    feature: str | None = None,
    form: str = parallel.FORM,
) -> Callable[[dict, dict], jax.Array]:
    """`make_forward` of these arguments, compiled in a form of fdx.train.parallel.

    Which norms are frozen in training changes nothing about it.
    """
    model = model.clone(frozen_norms=()) if hasattr(model, 'frozen_norms') else model
    return _forward(model, start, stop, feature, form)


@functools.lru_cache(maxsize=2 * KEPT)
def _forward(
    model: nn.Module, start: int, stop: int | None, feature: str | None, form: str
) -> Callable[[dict, dict], jax.Array]:
    return parallel.compile_forward(make_forward(model, start=start, stop=stop, feature=feature), form)


def compiled_step(
    model: nn.Module,
    settings: OptimiserSettings,
    mask: dict[str, Any],
    *,
    steps_per_epoch: int,
    start: int,
    class_weights: Sequence[float] | None = None,
    augment: Augmentation | None = None,
    form: str = parallel.FORM,
) -> Callable:
    """`make_train_step` with the optimiser of `settings`, compiled; the arguments are those of both.

    `form` is one of fdx.train.parallel.
    """
    weights = None if class_weights is None else tuple(float(weight) for weight in class_weights)
    # Without a schedule the program does not count epochs.
    steps_per_epoch = steps_per_epoch if settings.halve_every else 1
    return _step(model, settings, flax.core.freeze(mask), steps_per_epoch, start, weights, augment, form)


@functools.lru_cache(maxsize=KEPT)
def _step(
    model: nn.Module,
    settings: OptimiserSettings,
    mask: flax.core.FrozenDict,
    steps_per_epoch: int,
    start: int,
    class_weights: tuple[float, ...] | None,
    augment: Augmentation | None,
    form: str,
) -> Callable:
    trains = flax.core.unfreeze(mask)
    optimiser = make_optimiser(settings, trains, steps_per_epoch)
    step = make_train_step(model, optimiser, trains, start=start, class_weights=class_weights, augment=augment)
    return parallel.compile_step(step, form)


def forget_when_many() -> None:
    """Lets go of all compiled programs where they use up a third of the memory maps that Linux grants a process.

    A program takes some 10 maps of 65,530; without an end to it, a long benchmark dies in the middle of a run.
    """
    maps, limit = pathlib.Path('/proc/self/maps'), pathlib.Path('/proc/sys/vm/max_map_count')
    try:
        in_use, allowed = maps.read_bytes().count(b'\n'), int(limit.read_text())
    except (OSError, ValueError):
        return  # Another system, without such a limit.
    if in_use > allowed // 3:
        jax.clear_caches()
