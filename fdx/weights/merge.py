"""The strict merge (law 9): loaded arrays replace fresh ones, and nothing is skipped silently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fdx.types import WeightsError
from fdx.weights.structure import file_tree, tree_variables
from fdx.weights.trees import cast_finite, flatten_tree, shape_difference, unflatten_tree


def _is_under(name: str, prefixes: Sequence[str]) -> bool:
    return any(name == prefix or name.startswith(prefix + '/') for prefix in prefixes)


def merge_params(
    init: Mapping[str, Any], loaded: Mapping[str, Any], *, replace: Sequence[str] = ('head',)
) -> dict[str, Any]:
    """Puts loaded arrays into a freshly initialised tree.

    Args:
      init: nested dict of arrays; outside `replace`, shapes and dtypes suffice (`jax.ShapeDtypeStruct`).
      loaded: nested dict of arrays of the same paths and shapes; arrays under `replace` are ignored.
      replace: path prefixes ('head', 'stage4/conv2') that keep the values of `init`, such as the new classifier.

    Returns:
      Nested dict of the structure of `init`; loaded arrays are NumPy arrays of the dtype of `init`.

    Raises:
      WeightsError: an array outside `replace` that is missing, extra or misshapen (the message lists all of them),
        a value that is not finite, a cast between floating point and integers, or a prefix that matches no array.
    """
    fresh, given = flatten_tree(init), flatten_tree(loaded)
    for prefix in replace:
        if not any(_is_under(name, (prefix,)) for name in fresh):
            raise WeightsError(f'replace={prefix!r} matches no array of the model; it has: {", ".join(sorted(init))}')
    expected = {name: leaf for name, leaf in fresh.items() if not _is_under(name, replace)}
    found = {name: leaf for name, leaf in given.items() if not _is_under(name, replace)}
    lines = shape_difference(expected, found)
    if lines:
        raise WeightsError(
            'the loaded arrays do not fit the model (- the model expects, + the file has):\n' + '\n'.join(lines)
        )
    merged = {
        name: cast_finite(name, found[name], leaf.dtype) if name in expected else leaf for name, leaf in fresh.items()
    }
    return unflatten_tree(merged)


def merge_variables(
    init: Mapping[str, Any], loaded: Mapping[str, Any], *, replace: Sequence[str] = ('head',)
) -> dict[str, Any]:
    """`merge_params` for parameters and batch statistics at once.

    Args:
      init: {'params': ...} and 'batch_stats' for a network that has them; outside `replace`, shapes suffice.
      loaded: the same collections of the loaded weights.
      replace: path prefixes in 'params' that keep the values of `init`; batch statistics under the same prefix do too.

    Returns:
      {'params': ...}, with 'batch_stats' if `init` has them.

    Raises:
      WeightsError: see `merge_params`; statistics are listed as 'batch_stats/...'. Missing or extra statistics are
        errors like any other array.
    """
    fresh = file_tree(init)
    statistics = flatten_tree(init.get('batch_stats', {}))
    prefixes = [*replace, *(f'batch_stats/{p}' for p in replace if any(_is_under(n, (p,)) for n in statistics))]
    return tree_variables(merge_params(fresh, file_tree(loaded), replace=prefixes))
