"""The base of every network: an ordered list of stages that can be run in part, and a classifier behind dropout.

A stage holds the parameters of the same name and nothing else, so that the frozen stages at the start of a network can
be computed once and cached (fdx.train.feature_cache).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import flax.linen as nn
import jax

from fdx.models.layers import ExampleDropout
from fdx.types import ConfigError

HEAD = 'head'
MANY_NORMS = 12  # an error lists the paths of all norms only if there are no more than this
# torch's default spread of a dense layer, 1 / sqrt(3 fan_in).
TORCH_DENSE_INIT = nn.initializers.variance_scaling(1 / 3, 'fan_in', 'uniform')


class Staged(nn.Module):
    """A network of stages: examples in, logits and a dict of named features out.

    A subclass declares its options as fields, the constants below, and `parts`. It overrides `apply_stage` where a
    stage is more than its module, and `embed` where the classifier takes something else than the last stage's output.
    The base declares no fields, so that each network decides the order of its own fields.

    Attributes:
      NAME: key of the class in fdx.models.registry.MODELS.
      STAGES: names of the stages in order, the last one 'head'. The class lists all stages; an instance whose
        options leave some out lists only its own.
      STEM: regular expression of the first layer's parameters.
      NORMS: regular expression of the norms' parameters, '' without norms.
      CONSTANTS: regular expression of parameters that come with the weights and are not trained unless a file of rules
        says so, such as the mean of the input; '' without any.
      HAS_STATISTICS: whether running statistics are kept in 'batch_stats'. The network then has the field
        `frozen_norms`, the paths of norms that behave in training as in evaluation.
      TORCH_HEAD: whether the classifier's kernel starts with torch's spread instead of linen's.
    """

    NAME: ClassVar[str]
    STAGES: ClassVar[tuple[str, ...]]
    STEM: ClassVar[str]
    NORMS: ClassVar[str] = ''
    CONSTANTS: ClassVar[str] = ''
    HAS_STATISTICS: ClassVar[bool] = False
    TORCH_HEAD: ClassVar[bool] = False

    if TYPE_CHECKING:  # Every network has these fields; a real declaration here would put them before its own.
        num_classes: int
        dropout_rate: float = 0.0
        axis_name: str | None = None
        frozen_norms: tuple[str, ...] = ()

    def parts(self) -> Mapping[str, Any]:
        """Modules by the name of their attribute: each stage's module under the stage's name, without the head."""
        raise NotImplementedError

    def known_norms(self) -> tuple[str, ...]:
        """Paths of all norms in the order of the network; () without norms."""
        return ()

    def check_options(self) -> None:
        """Raises ConfigError for options that no network can be built from."""
        width_multiplier = getattr(self, 'width_multiplier', 1.0)
        if not width_multiplier > 0:
            raise ConfigError(f'{self.NAME}: `width_multiplier`={width_multiplier} must be above 0')
        if self.HAS_STATISTICS:
            known = self.known_norms()
            unknown = sorted(set(self.frozen_norms) - set(known))
            if unknown:
                shown = known if len(known) <= MANY_NORMS else (*known[:4], '...', known[-1])
                raise ConfigError(
                    f'{self.NAME}: `frozen_norms` names {", ".join(unknown)}; there are: {", ".join(shown)}'
                )

    def setup(self):
        """Creates the stages under their names, the classifier and its dropout."""
        self.check_options()
        for name, part in self.parts().items():
            setattr(self, name, part)
        init = TORCH_DENSE_INIT if self.TORCH_HEAD else nn.linear.default_kernel_init
        self.head = nn.Dense(self.num_classes, kernel_init=init)
        self.dropout = ExampleDropout(self.dropout_rate, self.axis_name)

    def check_input(self, shape: tuple[int, ...], start: int) -> None:
        """Raises ConfigError for examples of a shape [...] that stage `start` cannot take; the base takes any."""

    def apply_stage(self, name: str, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """The output of the stage `name` (any but the head) for its input x [B, ...]."""
        return getattr(self, name)(x, train=train, mask=mask)

    def embed(self, x: jax.Array) -> jax.Array:
        """The embedding [B, D] from the output of the last stage in front of the head; an embedding stays as it is."""
        return x

    def drop(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Dropout in front of the classifier."""
        return self.dropout(x, train=train)

    def run_stage(
        self, name: str, x: jax.Array, *, train: bool, mask: jax.Array | None
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """What stage `name` passes to the next one, and the features that it adds."""
        if name == HEAD:
            x = self.head(self.drop(self.embed(x), train=train))
            return x, {HEAD: x}
        x = self.apply_stage(name, x, train=train, mask=mask)
        features = {name: x}
        if name == self.STAGES[-2]:
            features['embedding'] = x = self.embed(x)
        return x, features

    def __call__(
        self,
        x: jax.Array,
        *,
        train: bool = False,
        start: int = 0,
        stop: int | None = None,
        mask: jax.Array | None = None,
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """Runs stages `start` to `stop` (exclusive; None: to the end).

        Args:
          x: float32 [B, ...]: examples as the class's docstring says when `start` is 0, else the output of stage
            `start - 1`. The head takes the embedding, or the map that it is made of.
          train: True normalises by the batch, moves the running statistics (make 'batch_stats' mutable) and applies
            dropout, which needs the random stream 'dropout'.
          start: index in STAGES of the first stage to run.
          stop: index after the last stage to run.
          mask: float32 [B], 1 for real examples, 0 for padding, which then does not count in the statistics of norms;
            None: all are real. A network without statistics treats every example by itself.

        Returns:
          (output, features): the output of the last stage run (logits [B, K] after the head, the embedding after the
          stage in front of it), and by name every stage's output and the `embedding`.

        Raises:
          ConfigError: options or examples that the network cannot take.
        """
        self.check_input(x.shape[1:], start)
        features: dict[str, jax.Array] = {}
        for name in self.STAGES[start:stop]:
            x, added = self.run_stage(name, x, train=train, mask=mask)
            features.update(added)
        return x, features


def check_depths(name: str, depths: tuple[int, ...], count: int) -> None:
    """Raises ConfigError unless `depths` holds `count` numbers of blocks, each at least 1."""
    if len(depths) != count or min(depths) < 1:
        raise ConfigError(f'{name}: `depths`={depths} must be {count} numbers of blocks, each at least 1')
