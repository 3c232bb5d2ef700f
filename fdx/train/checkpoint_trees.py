"""Trees of arrays as a checkpoint holds them."""

from __future__ import annotations

import jax
import numpy as np

from fdx.train.parallel import replicated_sharding


def arrays(tree) -> dict[str, jax.Array]:
    """Leaves of any tree by number, so that Orbax need not know the classes of optimiser states."""
    return {f'{i:04d}': leaf for i, leaf in enumerate(jax.tree.leaves(tree))}


def abstract(tree):
    """Shapes and dtypes of a tree, replicated over the devices, as Orbax wants them for restoring."""
    sharding = replicated_sharding()
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(np.shape(x), x.dtype, sharding=sharding), tree)
