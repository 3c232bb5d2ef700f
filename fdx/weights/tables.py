"""The published checkpoints that fdx can convert: one line a model."""

from __future__ import annotations

from fdx.types import WeightsError
from fdx.weights import vggish
from fdx.weights.names import NameTable

TABLES: dict[str, NameTable] = {
    'vggish': vggish.TABLE,
}


def name_table(model: str) -> NameTable:
    """The name table of a model of `fdx.models`.

    Raises:
      WeightsError: fdx knows no foreign weights for this model.
    """
    if model not in TABLES:
        raise WeightsError(f'fdx has no name table for weights of {model!r}; it has: {", ".join(sorted(TABLES))}')
    return TABLES[model]
