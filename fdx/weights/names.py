"""Name tables map the arrays of a foreign checkpoint to those of a Flax tree, with their layouts.

Most checkpoints are state dicts of torch; those of TensorFlow have Flax's layouts already.
"""

from __future__ import annotations

import dataclasses
import logging
import re
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from fdx.types import WeightsError
from fdx.weights.trees import cast_finite, flatten_tree, shape_difference, unflatten_tree

logger = logging.getLogger(__name__)

MAX_NAMES_LOGGED = 4

# Axes of the foreign array in Flax's order.
LAYOUTS: dict[str, tuple[int, ...]] = {
    'conv': (2, 3, 1, 0),  # [out, in, T, F] -> [T, F, in, out]
    'linear': (1, 0),  # [out, in] -> [in, out]
    'vector': (0,),
    'tf_conv': (0, 1, 2, 3),
    'tf_conv_bgr': (0, 1, 2, 3),  # takes blue, green, red, and becomes one of red, green, blue
    'tf_depthwise': (0, 1, 3, 2),  # [F, T, channels, 1] -> [F, T, 1, channels]
    'tf_linear': (0, 1),
}


@dataclasses.dataclass(frozen=True)
class Entry:
    """One array.

    Attributes:
      source: its foreign name, e.g. 'features.0.weight'.
      target: its Flax name, e.g. 'stage1/conv1/kernel'; batch statistics lie under 'batch_stats/'.
      layout: a key of LAYOUTS.
    """

    source: str
    target: str
    layout: str


@dataclasses.dataclass(frozen=True)
class NameTable:
    """All arrays of one published checkpoint.

    Attributes:
      origin: the implementation whose names these are.
      entries: the arrays that fdx takes.
      dropped: regular expression of the names that are left out on purpose, or None.
      constants: Flax names and values of arrays that the origin keeps in its code and not in the file, such as the mean
        of its input.
      without: stages of the network that the origin does not have; they start at random.
    """

    origin: str
    entries: tuple[Entry, ...]
    dropped: str | None = None
    constants: tuple[tuple[str, tuple[float, ...]], ...] = ()
    without: tuple[str, ...] = ()


def module_entries(source: str, target: str, layout: str) -> tuple[Entry, Entry]:
    """The weight and the bias of one convolution ('conv') or fully connected layer ('linear')."""
    return (
        Entry(f'{source}.weight', f'{target}/kernel', layout),
        Entry(f'{source}.bias', f'{target}/bias', 'vector'),
    )


def norm_entries(source: str, target: str) -> tuple[Entry, ...]:
    """Scale, shift and running statistics of one batch norm; the table drops its count of batches."""
    return (
        Entry(f'{source}.weight', f'{target}/scale', 'vector'),
        Entry(f'{source}.bias', f'{target}/bias', 'vector'),
        Entry(f'{source}.running_mean', f'batch_stats/{target}/mean', 'vector'),
        Entry(f'{source}.running_var', f'batch_stats/{target}/var', 'vector'),
    )


def uses_torch_names(names: Mapping[str, Any]) -> bool:
    """Whether names are torch's: True for 'features.0.weight', False for 'stage1/conv1/kernel'."""
    return not any('/' in name for name in names)


def convert_state_dict(
    state: Mapping[str, np.ndarray], table: NameTable, template: Mapping[str, Any]
) -> dict[str, Any]:
    """Turns a state dict into a Flax tree.

    Args:
      state: floating point arrays by foreign name, in the layouts of their origin.
      table: the names.
      template: nested dict of the shapes and dtypes that the state dict must give (`fdx.weights.structure`).

    Returns:
      Nested dict of NumPy arrays in Flax's layouts and the dtypes of the template.

    Raises:
      WeightsError: a missing or extra name, another shape (the message lists all), or a value that is not finite.
    """
    shapes = flatten_tree(template)
    constants = {target: np.asarray(values, np.float32) for target, values in table.constants}
    covered = {e.target: shapes.get(e.target, jax.ShapeDtypeStruct((), np.float32)) for e in table.entries}
    lines = shape_difference(shapes, {**covered, **constants})
    if lines:
        raise WeightsError(f'the name table of {table.origin} does not cover the model:\n' + '\n'.join(lines))
    dropped = [name for name in state if table.dropped and re.fullmatch(table.dropped, name)]
    if dropped:
        shown = ', '.join(sorted(dropped)[:MAX_NAMES_LOGGED])
        more = len(dropped) - MAX_NAMES_LOGGED
        logger.info('left out on purpose, fdx does not use them: %s%s', shown, f' and {more} more' if more > 0 else '')
    found = {name: array for name, array in state.items() if name not in set(dropped)}
    expected = {e.source: _foreign_struct(shapes[e.target], e.layout) for e in table.entries}
    lines = shape_difference(expected, found)
    if lines:
        raise WeightsError(
            f'the arrays are not those of {table.origin} (- expected, + in the file):\n' + '\n'.join(lines)
        )
    arrays = {e.target: _in_flax_layout(e, found[e.source], shapes[e.target].dtype) for e in table.entries}
    return unflatten_tree({**arrays, **constants})


def _in_flax_layout(entry: Entry, array: np.ndarray, dtype: Any) -> np.ndarray:
    array = cast_finite(entry.source, array, dtype).transpose(LAYOUTS[entry.layout])
    if entry.layout.endswith('_bgr'):
        array = array[:, :, ::-1]
    return np.ascontiguousarray(array)


def _foreign_struct(struct: Any, layout: str) -> jax.ShapeDtypeStruct:
    """The shape that an array of the Flax shape `struct.shape` has at its origin."""
    shape = [0] * len(struct.shape)
    for flax_axis, torch_axis in enumerate(LAYOUTS[layout]):
        shape[torch_axis] = struct.shape[flax_axis]
    return jax.ShapeDtypeStruct(tuple(shape), struct.dtype)
