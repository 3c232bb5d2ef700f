"""Mixed precision: any network with its matrix products and convolutions in bfloat16 (Micikevicius et al., ICLR 2018).

Parameters stay float32, and so do gradients, the optimiser's state and batch statistics. bfloat16 has float32's range,
so that losses need no scaling. These stay float32 inside the network, too:

  - batch norms: statistics and normalisation (their input and output are bfloat16);
  - the classifier, whose rounding would show in probabilities. It is small;
  - constants of the weights, such as the mean of the input.

Outputs and features are float32 arrays, whatever stage they are of.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import flax.linen as nn
import flax.traverse_util
import jax
import jax.numpy as jnp

from fdx.models.staged import HEAD, Staged
from fdx.types import ConfigError

DTYPES = ('float32', 'bfloat16')
LOW = jnp.bfloat16
# Networks whose classifier is their only matrix product.
WITHOUT_PRODUCTS = ('band_linear',)

_CLASSES: dict[type[Staged], type[Staged]] = {}


def in_bfloat16(module: type[Staged]) -> type[Staged]:
    """The class of networks of `module` that compute in bfloat16; fields and parameters are the same.

    Raises:
      ConfigError: the network has no product but its classifier, so that nothing would change but rounding.
    """
    if module.NAME in WITHOUT_PRODUCTS:
        raise ConfigError(
            f'`compute_dtype`=bfloat16: {module.NAME} has no matrix product but its classifier, which stays float32; '
            'leave `compute_dtype` at float32'
        )
    if module not in _CLASSES:
        _CLASSES[module] = _make(module)
    return _CLASSES[module]


def in_float32(model: Staged) -> Staged:
    """The same network, with its fields, in float32: other runtimes have no kernels for bfloat16."""
    module = getattr(type(model), 'IN_FLOAT32', None)
    if module is None:
        return model
    fields = {f.name for f in dataclasses.fields(model) if f.init} - {'parent', 'name'}
    return module(**{name: getattr(model, name) for name in fields})


def _make(module: type[Staged]) -> type[Staged]:
    class InBfloat16(module):  # type: ignore[valid-type, misc]
        """As `module`, computed in bfloat16."""

        IN_FLOAT32 = module
        # What the registry knows; `module` itself may be truncated.
        WHOLE = getattr(module, 'WHOLE', module)

        @nn.nowrap
        def apply(self, variables: Any, *args: Any, **kwargs: Any) -> Any:
            """As in `nn.Module`, with kernels and biases rounded to bfloat16; gradients reach them in float32."""
            rounded = _rounded(variables['params'], f'{self.NORMS or "$^"}|{self.CONSTANTS or "$^"}|{HEAD}/.*')
            return super().apply({**variables, 'params': rounded}, *args, **kwargs)

        def __call__(
            self,
            x: jax.Array,
            *,
            train: bool = False,
            start: int = 0,
            stop: int | None = None,
            mask: jax.Array | None = None,
        ) -> tuple[jax.Array, dict[str, jax.Array]]:
            """As in the base class."""
            output, features = super().__call__(x, train=train, start=start, stop=stop, mask=mask)
            # An output that is also a feature stays the same array.
            wide = {id(y): y.astype(jnp.float32) for y in (output, *features.values())}
            return wide[id(output)], {key: wide[id(y)] for key, y in features.items()}

        def run_stage(
            self, name: str, x: jax.Array, *, train: bool, mask: jax.Array | None
        ) -> tuple[jax.Array, dict[str, jax.Array]]:
            """As in the base class."""
            # Fresh parameters are those of the network in float32.
            low = name != HEAD and not self.is_initializing()
            return super().run_stage(name, x.astype(LOW if low else jnp.float32), train=train, mask=mask)

    InBfloat16.__name__ = InBfloat16.__qualname__ = f'{module.__name__}InBfloat16'
    return InBfloat16


def _rounded(params: dict, kept: str) -> dict:
    """Parameters in bfloat16, except for those whose path the regular expression `kept` matches as a whole."""
    flat = flax.traverse_util.flatten_dict(params, sep='/')
    lower = {path: v if re.fullmatch(kept, path) else jnp.asarray(v, LOW) for path, v in flat.items()}
    return flax.traverse_util.unflatten_dict(lower, sep='/')
