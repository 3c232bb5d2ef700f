"""The published checkpoints that fdx can convert: one line a model."""

from __future__ import annotations

from collections.abc import Callable

import flax.linen as nn

from fdx.types import WeightsError
from fdx.weights import resnet50, vggish
from fdx.weights.names import NameTable
from fdx.weights.structure import model_name

# A table may depend on the options of the network, such as its depths.
TABLES: dict[str, Callable[[nn.Module], NameTable]] = {
    'resnet50': lambda model: resnet50.resnet_table(model.depths),
    'vggish': lambda model: vggish.TABLE,
}


def name_table(model: nn.Module) -> NameTable:
    """The name table of a network of `fdx.models`.

    Raises:
      WeightsError: fdx knows no foreign weights for this network.
    """
    name = model_name(model)
    if name not in TABLES:
        raise WeightsError(f'fdx has no name table for weights of {name!r}; it has: {", ".join(sorted(TABLES))}')
    return TABLES[name](model)
