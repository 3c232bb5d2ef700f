"""Any network, ended after one of its stages: the stage's output is pooled, and the classifier stands on that.

Early stages of a network that was trained on other sounds or images often tell a machine's states better than its last
one (docs/decisions/benchmarks.md). `fdx probe` finds the stage, and `fdx probe --save` keeps such a network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from fdx.models.layers import flatten_examples
from fdx.models.pooling import max_of_axes
from fdx.models.staged import HEAD, Staged
from fdx.types import ConfigError

MAP = 4  # axes of a stage's map [B, ., ., C]; vectors have two


def pool_bands(x: jax.Array, time_axis: int) -> jax.Array:
    """Mean over time, each band by itself: maps [B, T, F, C] (time_axis 0) or [B, F, T, C] (1) -> [B, F * C].

    A vector [B, D] stays as it is.
    """
    return flatten_examples(x.mean(1 + time_axis)) if x.ndim == MAP else x


def pool_global(x: jax.Array, time_axis: int) -> jax.Array:
    """Mean and maximum over time and bands, side by side: [B, ., ., C] -> [B, 2 C]; a vector [B, D] stays."""
    del time_axis
    return jnp.concatenate([x.mean((1, 2)), max_of_axes(x, (1, 2))[:, 0, 0]], axis=-1) if x.ndim == MAP else x


# A fault shows mostly in where in the spectrum something happens, which `bands` keeps. Measured on CWRU, load to load,
# stage 3 of musicnn: bands 96 %, global 88 %.
POOLS: dict[str, Callable[[jax.Array, int], jax.Array]] = {'bands': pool_bands, 'global': pool_global}
# The options of every network and their defaults; without `stop_after` a network is whole.
OPTIONS: dict[str, Any] = {'stop_after': '', 'pool': 'bands', 'pool_axis': 0}


def is_truncated(options: Mapping[str, Any]) -> bool:
    """Whether the options of a network end it after a stage; ConfigError for those that go with `stop_after` alone."""
    if options.get('stop_after'):
        return True
    if 'pool' in options:
        raise ConfigError('the option `pool` of a network goes with `stop_after`: name the stage that is pooled')
    return False


_CLASSES: dict[type[Staged], type[Staged]] = {}


def truncated(module: type[Staged]) -> type[Staged]:
    """The class of networks of `module` that end after a stage. Stages behind it have no parameters."""
    if module not in _CLASSES:
        _CLASSES[module] = _make(module)
    return _CLASSES[module]


def _make(module: type[Staged]) -> type[Staged]:
    class Truncated(module):  # type: ignore[valid-type, misc]
        """As `module`; the embedding is the pooled output of the last stage.

        Attributes:
          stop_after: name of the last stage in front of the classifier.
          pool: how its output becomes a vector, a key of POOLS.
          pool_axis: which axis of an example is time: 0 for front ends with axes 'TF', 1 for 'FT'.
        """

        stop_after: str = ''
        pool: str = 'bands'
        pool_axis: int = 0

        WHOLE = module

        def __post_init__(self):
            super().__post_init__()
            stages = [stage for stage in self.STAGES if stage != HEAD]
            if self.stop_after not in stages or self.pool not in POOLS or self.pool_axis not in (0, 1):
                raise ConfigError(
                    f'{module.NAME}: `stop_after`={self.stop_after} must be one of {", ".join(stages)}, '
                    f'`pool`={self.pool} one of {", ".join(POOLS)}, and `pool_axis`={self.pool_axis} 0 or 1'
                )
            # Flax lets no one set attributes of a module that is initialised.
            object.__setattr__(self, 'STAGES', (*stages[: stages.index(self.stop_after) + 1], HEAD))

        def parts(self) -> dict[str, Any]:
            return {k: v for k, v in super().parts().items() if k in self.STAGES or k not in module.STAGES}

        def check_input(self, shape: tuple[int, ...], start: int) -> None:
            if start < len(self.STAGES) - 1:  # The head takes vectors of any length.
                super().check_input(shape, start)

        def embed(self, x: jax.Array) -> jax.Array:
            return x  # `run_stage` pools what the network itself would pass on in another form.

        def run_stage(
            self, name: str, x: jax.Array, *, train: bool, mask: jax.Array | None
        ) -> tuple[jax.Array, dict[str, jax.Array]]:
            pool = POOLS[self.pool]
            if name == HEAD:
                x = pool(x, self.pool_axis)  # A vector stays as it is.
            x, features = super().run_stage(name, x, train=train, mask=mask)
            if name == self.stop_after:
                x = pool(features[name], self.pool_axis)
                features = {**features, 'embedding': x}
            return x, features

    Truncated.__name__ = Truncated.__qualname__ = f'Truncated{module.__name__}'
    return Truncated
