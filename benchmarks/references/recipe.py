"""What a reference run does, in numbers: the recipe of the literature, shortened to 60 epochs.

Zhao et al., "Applications of unsupervised deep transfer learning to intelligent fault diagnosis: a survey and
comparative study", IEEE Transactions on Instrumentation and Measurement 70, 2021: a network learns from the source
alone at first; then a term is added, whose factor rises along 2 / (1 + exp(-10 p)) - 1. The paper trains for 300 epochs
of which 50 are without the term, and takes batches of 64; 60, 10 and 32 are the numbers of fdx's benchmark.

This file imports nothing but the standard library, because both environments read it.
"""

from __future__ import annotations

import dataclasses
import math

METHODS = ('source_only', 'jmmd', 'mk_mmd', 'dann', 'cdan')


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The settings that all methods share, and those of single terms.

    Attributes:
      epochs: passes over the source's training windows.
      source_epochs: the first of them, in which the network sees the source alone.
      batch_size: windows of each domain in a step, so that 32 + 32 go through the network together.
      learning_rate: of Adam, for the network and the discriminator, without weight decay.
      decay: factor of the learning rate at each of `decay_at`.
      decay_at: shares of the epochs.
      dropout_rate: in front of the bottleneck and of the classifier.
      steepness: of the ramp of the term's factor, 10 as in the formula above.
      num_kernels: Gaussian kernels on the features, which are summed.
      kernel_factor: ratio of neighbouring bandwidths.
      label_bandwidth: of the one kernel on the softmax outputs (JMMD), in squared units.
      hidden: width of both hidden layers of the discriminator.
      discriminator_dropout: dropout after each of them.
    """

    epochs: int = 60
    source_epochs: int = 10
    batch_size: int = 32
    learning_rate: float = 1e-3
    decay: float = 0.1
    decay_at: tuple[float, ...] = (0.5, 0.8)
    dropout_rate: float = 0.5
    steepness: float = 10.0
    num_kernels: int = 5
    kernel_factor: float = 2.0
    label_bandwidth: float = 1.68
    hidden: int = 1024
    discriminator_dropout: float = 0.5

    def rate(self, epoch: int) -> float:
        """The learning rate in an epoch, counted from 0."""
        # Whole epochs: 0.8 * 60 must be 48 and not the number just below it.
        passed = sum(epoch >= round(share * self.epochs) for share in self.decay_at)
        return self.learning_rate * self.decay**passed

    def term_factor(self, epoch: int) -> float:
        """Factor of the term in an epoch: 0 at the end of the epochs on the source alone, near 1 at the end."""
        if epoch < self.source_epochs:
            return 0.0
        progress = (epoch - self.source_epochs) / (self.epochs - self.source_epochs)
        return 2 / (1 + math.exp(-self.steepness * progress)) - 1
