"""Conditional adversarial adaptation (CDAN): the discriminator sees the outer product of features and predictions.

Long et al., "Conditional adversarial domain adaptation", NeurIPS 2018, without entropy weights. The gradient reaches
the features only, not the predictions that the discriminator is conditioned on, as in the authors' code.
"""

from __future__ import annotations

import torch
from torch import nn

from .common import main
from .dann import discriminator, domain_loss, reversed_gradient
from .recipe import Recipe


class Cdan(nn.Module):
    """The term and its discriminator."""

    def __init__(self, recipe: Recipe, width: int, classes: int):
        super().__init__()
        self.discriminator = discriminator(width * classes, recipe)

    def forward(self, source, target, source_logits, target_logits) -> torch.Tensor:
        """Features [Bs, D], [Bt, D] and logits [Bs, K], [Bt, K] -> scalar."""
        features = reversed_gradient(torch.cat([source, target]))
        probabilities = torch.cat([source_logits, target_logits]).detach().softmax(1)
        products = (probabilities[:, :, None] * features[:, None, :]).flatten(1)
        return domain_loss(self.discriminator(products), len(source))


if __name__ == '__main__':
    main(Cdan)
