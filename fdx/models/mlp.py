"""A dense network for tables of readings: one hidden layer, or wider ones with dropout between them."""

from __future__ import annotations

from typing import ClassVar

import flax.linen as nn
import jax

from fdx.models.conv import he_init
from fdx.models.layers import ExampleDropout, flatten_examples
from fdx.models.staged import Staged
from fdx.types import ConfigError

WIDTHS = {'small': (16,), 'large': (64, 64)}


class MLP(Staged):
    """Standardised readings [B, ...] in, logits and named features out.

    The embedding is the output of the last hidden layer. There are no batch norms, so that an int8 model consists of
    dense layers only, which every runtime for microcontrollers supports.

    Attributes:
      num_classes: K, size of the classifier.
      dropout_rate: dropout after every hidden layer.
      size: small, one hidden layer of 16 units; large, two of 64.
      axis_name: the pmapped axis, or None.
    """

    num_classes: int
    dropout_rate: float = 0.0
    size: str = 'small'
    axis_name: str | None = None

    NAME = 'mlp'
    STEM = 'hidden1/.*'
    STAGES: ClassVar[tuple[str, ...]] = ('hidden1', 'hidden2', 'head')

    def __post_init__(self):
        if self.size not in WIDTHS:
            raise ConfigError(f'mlp: `size`={self.size!r} must be one of {", ".join(WIDTHS)}')
        # A network without a second hidden layer has no stage `hidden2`.
        self.STAGES = (*type(self).STAGES[: len(WIDTHS[self.size])], 'head')  # type: ignore[misc]
        super().__post_init__()

    def setup(self):
        """Creates the stages under their names; dropout follows every hidden layer."""
        for name, width in zip(self.STAGES[:-1], WIDTHS[self.size]):
            setattr(self, name, nn.Dense(width, kernel_init=he_init()))
        self.head = nn.Dense(self.num_classes)
        self.dropouts = [ExampleDropout(self.dropout_rate, self.axis_name) for _ in WIDTHS[self.size]]

    def apply_stage(self, name: str, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """A dense layer and ReLU."""
        del mask
        # Dropout belongs to the stage that follows it, so that cached outputs of a frozen stage get a new mask in
        # every step.
        x = flatten_examples(x) if name == 'hidden1' else self.dropouts[0](x, train=train)
        return nn.relu(getattr(self, name)(x))

    def drop(self, x: jax.Array, *, train: bool) -> jax.Array:
        """The dropout after the last hidden layer."""
        return self.dropouts[-1](x, train=train)
