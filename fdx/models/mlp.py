"""A dense network for tables of readings: one hidden layer, or wider ones with dropout between them."""

from __future__ import annotations

import flax.linen as nn
import jax

from fdx.models.conv import he_init
from fdx.models.layers import ExampleDropout, flatten_examples
from fdx.types import ConfigError

WIDTHS = {'small': (16,), 'large': (64, 64)}


class MLP(nn.Module):
    """Readings in, logits and named features out.

    Without batch norms: an int8 model is then dense layers and nothing else, which any microcontroller's runtime has.

    Attributes:
      num_classes: K, size of the classifier.
      dropout_rate: dropout behind every hidden layer of `large`, in front of the classifier of `small`.
      size: small, one hidden layer of 16 units; large, two of 64.
      axis_name: the pmapped axis, or None.
    """

    num_classes: int
    dropout_rate: float = 0.0
    size: str = 'small'
    axis_name: str | None = None

    STEM = 'hidden1/.*'
    NORMS = ''
    HAS_STATISTICS = False
    STAGES = ('hidden1', 'hidden2', 'head')

    def __post_init__(self):
        if self.size not in WIDTHS:
            raise ConfigError(f'mlp: size={self.size!r} is one of {", ".join(WIDTHS)}')
        # A network without a second hidden layer has no such stage either.
        self.STAGES = (*type(self).STAGES[: len(WIDTHS[self.size])], 'head')
        super().__post_init__()

    def setup(self):
        """Creates the stages under their names."""
        for name, width in zip(self.STAGES, WIDTHS[self.size]):
            setattr(self, name, nn.Dense(width, kernel_init=he_init()))
        self.head = nn.Dense(self.num_classes)
        self.dropouts = [ExampleDropout(self.dropout_rate, self.axis_name) for _ in WIDTHS[self.size]]

    def __call__(
        self, x: jax.Array, *, train: bool = False, start: int = 0, stop: int | None = None
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """Runs stages `start` to `stop` (exclusive; None: to the end).

        Args:
          x: float32 [B, ...] standardised readings when `start` is 0, else the output of stage `start - 1`.
          train: True applies dropout, which needs the random stream 'dropout'.
          start: index in STAGES of the first stage to run.
          stop: index after the last stage to run.

        Returns:
          (output, features): the output of the last stage run (logits [B, K] after `head`), and by name every stage's
          output and `embedding`, that of the last hidden layer.
        """
        features: dict[str, jax.Array] = {}
        if start == 0:
            x = flatten_examples(x)
        for i, name in list(enumerate(self.STAGES))[start:stop]:
            # Dropout belongs to the stage behind it: cached outputs of a frozen stage are dropped anew every step.
            if i > 0:
                x = self.dropouts[i - 1](x, train=train)
            x = getattr(self, name)(x)
            if name != 'head':
                x = nn.relu(x)
                features['embedding'] = x
            features[name] = x
        return x, features
