"""The published checkpoints that fdx can convert: one line per model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fdx.models.staged import Staged
from fdx.types import WeightsError
from fdx.weights import efficientnet_lite0, musicnn, resnet50, vggish
from fdx.weights.names import NameTable
from fdx.weights.structure import model_name

# A table may depend on the options of the network, such as its depths.
TABLES: dict[str, Callable[[Staged], NameTable]] = {
    'efficientnet_lite0': lambda model: efficientnet_lite0.efficientnet_table(model.depths),
    'musicnn_vgg': lambda model: musicnn.TABLE,
    'resnet50': lambda model: resnet50.resnet_table(model.depths),
    'vggish': lambda model: vggish.TABLE,
}

# Fields of a network that decide the input of its classifier, with their values in the published checkpoints. A
# classifier for other values may have the same shape, but its outputs would be meaningless.
PUBLISHED_HEADS: dict[str, dict[str, Any]] = {'musicnn_vgg': musicnn.PUBLISHED_HEAD}


def name_table(model: Staged) -> NameTable:
    """The name table of a network of `fdx.models`.

    Raises:
      WeightsError: fdx knows no foreign weights for this network.
    """
    name = model_name(model)
    if name not in TABLES:
        raise WeightsError(f'fdx has no name table for weights of {name!r}; it has: {", ".join(sorted(TABLES))}')
    return TABLES[name](model)
