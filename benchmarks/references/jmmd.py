"""Joint maximum mean discrepancy of features and predictions (JAN).

    k((f, p), (f', p')) = (sum of five Gaussian kernels of f, f') * exp(-||p - p'||^2 / 1.68)

Long et al., "Deep transfer learning with joint adaptation networks", ICML 2017; the bandwidth of the predictions is
that of the authors' code. The discrepancy is the mean over all pairs of a batch (`mk_mmd.discrepancy`).
"""

from __future__ import annotations

import torch
from torch import nn

from .common import main
from .mk_mmd import discrepancy, kernel_sum, squared_distances
from .recipe import Recipe


class Jmmd(nn.Module):
    """The term; it has no parameters, and its gradient reaches features and logits of both domains."""

    def __init__(self, recipe: Recipe, width: int, classes: int):
        super().__init__()
        del width, classes
        self.kernels = recipe.num_kernels, recipe.kernel_factor
        self.label_bandwidth = recipe.label_bandwidth

    def forward(self, source, target, source_logits, target_logits) -> torch.Tensor:
        """Features [Bs, D], [Bt, D] and logits [Bs, K], [Bt, K] -> scalar."""
        of_features = kernel_sum(torch.cat([source, target]), *self.kernels)
        probabilities = torch.cat([source_logits, target_logits]).softmax(1)
        of_labels = torch.exp(-squared_distances(probabilities) / self.label_bandwidth)
        return discrepancy(of_features * of_labels, len(source))


if __name__ == '__main__':
    main(Jmmd)
