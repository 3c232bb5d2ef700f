"""Trees of arrays as a checkpoint holds them."""

from __future__ import annotations

import jax
import numpy as np

from fdx.train.parallel import replicated_sharding


def arrays(tree) -> dict[str, jax.Array]:
    """Leaves of any tree by number: Orbax then need not know optimiser classes."""
    return {f'{i:04d}': leaf for i, leaf in enumerate(jax.tree.leaves(tree))}


def packed(variables: dict) -> dict:
    """{'params': stages, 'batch_stats': s} -> {**stages, 'batch_stats': s}; a model without statistics has stages."""
    stats = variables.get('batch_stats')
    return {**variables['params'], **({'batch_stats': stats} if stats else {})}


def unpacked(tree: dict) -> dict:
    """Inverse of `packed`."""
    params = {k: v for k, v in tree.items() if k != 'batch_stats'}
    return {'params': params, **({'batch_stats': tree['batch_stats']} if 'batch_stats' in tree else {})}


def abstract(tree):
    """Shapes and dtypes of a tree, replicated over the devices: what Orbax restores to."""
    sharding = replicated_sharding()
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(np.shape(x), x.dtype, sharding=sharding), tree)
