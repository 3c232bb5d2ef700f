"""Domain-adversarial training (DANN): a discriminator learns the domain, and the features learn to hide it.

Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 17(59), 2016. One backward pass does both, because
the gradient is reversed between features and discriminator. The factor of the term rises (`Recipe.term_factor`), and
with it the reversed gradient; Adam makes the discriminator's own steps independent of the factor.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from .common import main
from .recipe import Recipe


def reversed_gradient(x: torch.Tensor) -> torch.Tensor:
    """The values of x, with the gradient's sign turned."""
    return 2 * x.detach() - x


def discriminator(width: int, recipe: Recipe) -> nn.Sequential:
    """[B, width] -> logit of the source [B, 1]; two hidden layers, as in the benchmark of Zhao et al. (2021)."""
    layers: list[nn.Module] = []
    for _ in range(2):
        layers += [nn.Linear(width, recipe.hidden), nn.ReLU(), nn.Dropout(recipe.discriminator_dropout)]
        width = recipe.hidden
    return nn.Sequential(*layers, nn.Linear(width, 1))


def domain_loss(logits: torch.Tensor, count: int) -> torch.Tensor:
    """Mean binary cross-entropy in nats of logits [N, 1], of which the first `count` belong to the source."""
    is_source = (torch.arange(len(logits)) < count).to(logits.dtype)
    return functional.binary_cross_entropy_with_logits(logits[:, 0], is_source)


class Dann(nn.Module):
    """The term and its discriminator."""

    def __init__(self, recipe: Recipe, width: int, classes: int):
        super().__init__()
        del classes
        self.discriminator = discriminator(width, recipe)

    def forward(self, source, target, source_logits, target_logits) -> torch.Tensor:
        """Features [Bs, D], [Bt, D] -> scalar; logits are not read."""
        del source_logits, target_logits
        return domain_loss(self.discriminator(reversed_gradient(torch.cat([source, target]))), len(source))


if __name__ == '__main__':
    main(Dann)
