"""Grad-CAM (Selvaraju et al., "Grad-CAM: visual explanations from deep networks", ICCV 2017)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from fdx.explain.network import Network


def grad_cam(network: Network, x: np.ndarray, which: int) -> np.ndarray:
    """Where the features of the last convolutional stage speak for a class.

    Each feature of the map is weighted by the mean of its gradient over the map; the weighted sum, without its negative
    part, is enlarged to the size of the input. All channels of the input get the same values, as the map has none.

    Args:
      network: a staged network with a map of several places (`Network.map_stage`).
      x: float32 [H, W, C], one input.
      which: number of the class.

    Returns:
      float64 [H, W, C], none below 0.

    Raises:
      ConfigError: the network has no such map.
    """
    maps, gradients = network.map_and_gradients(x[None], np.array([which], np.int32))
    weights = gradients[0].mean(axis=(0, 1))
    heat = np.maximum(maps[0] @ weights, 0.0)
    large = np.asarray(jax.image.resize(jnp.asarray(heat), x.shape[:2], 'linear'), np.float64)
    return np.repeat(np.maximum(large, 0.0)[..., None], x.shape[2], axis=2)
