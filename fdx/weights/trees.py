"""Trees of arrays as flat tables: names joined by '/', and the -/+ difference that every strict load prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from fdx.types import WeightsError


def flatten_tree(tree: Mapping[str, Any]) -> dict[str, Any]:
    """{'stage1': {'conv1': {'kernel': w}}} -> {'stage1/conv1/kernel': w}.

    Raises:
      WeightsError: a key that is not a string, is empty or holds '/', or a mapping without entries.
    """
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if not isinstance(key, str) or not key or '/' in key:
            raise WeightsError(f"the tree has the key {key!r}: keys are non-empty strings without '/'")
        if isinstance(value, Mapping):
            if not value:
                raise WeightsError(f'the tree has nothing under {key!r}: leave the key out')
            flat.update({f'{key}/{name}': leaf for name, leaf in flatten_tree(value).items()})
        else:
            flat[key] = value
    return flat


def unflatten_tree(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The reverse of `flatten_tree`.

    Raises:
      WeightsError: a name has an empty part, or is both an array and the folder of others ('a' beside 'a/b').
    """
    tree: dict[str, Any] = {}
    for name, leaf in flat.items():
        *folders, last = name.split('/')
        if not last or not all(folders):
            raise WeightsError(f'the array name {name!r} has an empty part')
        node = tree
        for folder in folders:
            node = node.setdefault(folder, {})
            if not isinstance(node, dict):
                raise WeightsError(f'{name!r} lies under {folder!r}, which is an array itself')
        if last in node:
            raise WeightsError(f'{name!r} is an array and the folder of others')
        node[last] = leaf
    return tree


def shape_difference(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Lines about the differences of two flat tables of arrays, sorted by name; none if names and shapes agree.

    '- name [shape]' is expected but not found, '+ name [shape]' is found but not expected; an array of another shape
    has both lines. The leaves need `.shape` only.
    """
    lines = []
    for name in sorted(expected.keys() | found.keys()):
        wanted = tuple(expected[name].shape) if name in expected else None
        given = tuple(found[name].shape) if name in found else None
        if wanted == given:
            continue
        if wanted is not None:
            lines.append(f'- {name} {list(wanted)}')
        if given is not None:
            lines.append(f'+ {name} {list(given)}')
    return lines


def cast_finite(name: str, value: Any, dtype: Any) -> np.ndarray:
    """`value` as a NumPy array of `dtype`.

    Raises:
      WeightsError: a value that is NaN or infinite (before or after the cast), or a cast between floating point and
        anything else.
    """
    array = np.asarray(value)
    if jnp.issubdtype(array.dtype, jnp.floating) != jnp.issubdtype(dtype, jnp.floating):
        raise WeightsError(f'{name}: the loaded array is {array.dtype}, the model has {np.dtype(dtype)}')
    with np.errstate(over='ignore'):
        array = array.astype(dtype, copy=False)
    bad = int(array.size - np.count_nonzero(np.isfinite(array)))
    if bad:
        raise WeightsError(f'{name}: {bad} of {array.size} values are not finite as {np.dtype(dtype)}')
    return array
