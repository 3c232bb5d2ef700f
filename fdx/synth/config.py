"""Everything that decides a generator of spectrograms; `launch.synthesize` turns each field into a flag."""

from __future__ import annotations

import dataclasses

from fdx.data.imbalance import Imbalance
from fdx.types import ConfigError


@dataclasses.dataclass(frozen=True)
class SynthConfig:
    """A conditional WGAN-GP (Gulrajani et al., NeurIPS 2017) on the training rows of one fold.

    Attributes:
      dataset: `builder/config` whose spectrograms are learned, e.g. cwru/load0_12k-vggish.
      data_dir: folder of prepared datasets; the generated dataset is written there too.
      label_key: the classes that are generated, `label` or `fault_type`.
      protocol: how recordings are split; only training rows are learned from.
      fold: which fold of the protocol.
      exclude_recordings: ids of recordings to leave out.
      labels_per_class: training windows kept of each class; 0 keeps all.
      imbalance: thins classes of the training rows, as in launch.train.
      steps: updates of the generator.
      critic_steps: updates of the critic before each update of the generator.
      batch_size: images that an update of the critic sees, over all devices; classes are equally frequent in them.
      latent_size: number of random numbers that an image is made from.
      width: channels of the largest feature maps; smaller maps have up to eight times as many.
      learning_rate: of Adam, for both networks.
      penalty: factor of the gradient penalty.
      ema_decay: decay of the moving average of the generator's parameters, from which samples are drawn.
      log_every: generator updates between two rows of the log.
      save_every: rows of the log between checkpoints.
      seed: decides the rows, the initialisation, the order and the noise.
    """

    dataset: str
    data_dir: str = 'data'
    label_key: str = 'label'
    protocol: str = 'time_blocks'
    fold: int = 0
    exclude_recordings: tuple[str, ...] = ()
    labels_per_class: int = 0
    imbalance: str = ''
    steps: int = 1000
    critic_steps: int = 2
    batch_size: int = 32
    latent_size: int = 32
    width: int = 16
    learning_rate: float = 1e-3
    penalty: float = 10.0
    ema_decay: float = 0.99
    log_every: int = 25
    save_every: int = 8
    seed: int = 0

    def __post_init__(self):
        counts = ('steps', 'critic_steps', 'batch_size', 'latent_size', 'width', 'log_every', 'save_every')
        for name in counts:
            if getattr(self, name) < 1:
                raise ConfigError(f'`{name}`={getattr(self, name)}: it must be at least 1')
        for name in ('learning_rate', 'penalty'):
            if not getattr(self, name) > 0:
                raise ConfigError(f'`{name}`={getattr(self, name)}: it must be above 0')
        if not 0 <= self.ema_decay < 1:
            raise ConfigError(f'`ema_decay`={self.ema_decay}: it must lie in [0, 1)')
        if self.label_key not in ('label', 'fault_type'):
            raise ConfigError(f'`label_key`={self.label_key}: it must be label or fault_type')
        if self.steps % self.log_every:
            raise ConfigError(
                f'`steps`={self.steps} is not a multiple of `log_every`={self.log_every}: the last updates would be '
                'lost'
            )
        # The setting is what the file says, not its name: the file may change later.
        object.__setattr__(self, 'imbalance', Imbalance.parse(self.imbalance).spelled_out())

    def to_json(self) -> dict:
        """A JSON-able dict; `from_json` reads it."""
        return {**dataclasses.asdict(self), 'exclude_recordings': list(self.exclude_recordings)}

    @classmethod
    def from_json(cls, data: dict) -> SynthConfig:
        """Inverse of `to_json`; ConfigError names settings that this version of fdx does not have."""
        unknown = sorted(set(data) - {f.name for f in dataclasses.fields(cls)})
        if unknown:
            raise ConfigError(f'this fdx does not know the settings {", ".join(unknown)} of a stored generator')
        return cls(**{**data, 'exclude_recordings': tuple(data.get('exclude_recordings', ()))})
