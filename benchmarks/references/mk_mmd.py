"""Multi-kernel maximum mean discrepancy of the features (DAN).

    mean k(s, s') + mean k(t, t') - 2 mean k(s, t),   k = sum of five Gaussian kernels

Long et al., "Learning transferable features with deep adaptation networks", ICML 2015. Kernels are summed and not
averaged, and all pairs of a batch count, also those of an example with itself, as in the code of the benchmark of Zhao
et al. (2021).
"""

from __future__ import annotations

import torch
from torch import nn

from .common import main
from .recipe import Recipe


def squared_distances(x: torch.Tensor) -> torch.Tensor:
    """||x_i - x_j||^2 of all pairs, [N, D] -> [N, N]."""
    return (x[:, None] - x[None, :]).square().sum(2)


def kernel_sum(x: torch.Tensor, count: int, factor: float) -> torch.Tensor:
    """Sum of `count` Gaussian kernels; the middle bandwidth is the mean squared distance of different examples.

    Args:
      x: float32 [N, D], both domains.
      count: number of kernels.
      factor: ratio of neighbouring bandwidths.

    Returns:
      float32 [N, N], `count` on the diagonal.
    """
    distances = squared_distances(x)
    n = len(x)
    # Without a gradient, or features could come closer by making the kernel wider.
    middle = distances.detach().sum() / (n * (n - 1))
    # While features are all the same, every kernel is 1.
    middle = middle.clamp_min(1e-12)
    return torch.stack([torch.exp(-distances / (middle * factor ** (i - count // 2))) for i in range(count)]).sum(0)


def discrepancy(kernels: torch.Tensor, count: int) -> torch.Tensor:
    """MMD^2 of the first `count` examples against the others, from a kernel matrix [N, N] of all of them."""
    within = kernels[:count, :count].mean() + kernels[count:, count:].mean()
    return within - kernels[:count, count:].mean() - kernels[count:, :count].mean()


class MkMmd(nn.Module):
    """The term; it has no parameters."""

    def __init__(self, recipe: Recipe, width: int, classes: int):
        super().__init__()
        del width, classes
        self.kernels = recipe.num_kernels, recipe.kernel_factor

    def forward(self, source, target, source_logits, target_logits) -> torch.Tensor:
        """Features [Bs, D], [Bt, D] -> scalar; logits are not read."""
        del source_logits, target_logits
        return discrepancy(kernel_sum(torch.cat([source, target]), *self.kernels), len(source))


if __name__ == '__main__':
    main(MkMmd)
