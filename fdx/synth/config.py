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
      data_dir: folder of prepared datasets; the generated one goes there, too.
      label_key: `label` or `fault_type`, the classes that are generated.
      protocol: how recordings are split; only training rows are learned from.
      fold: which fold of the protocol.
      exclude_recordings: ids of recordings to leave out.
      labels_per_class: training windows kept of each class; 0 keeps all.
      imbalance: thins classes of the training rows, as in launch.train.
      steps: updates of the generator.
      critic_steps: updates of the critic before each of them.
      batch_size: images a critic update sees, over all devices; classes are equally frequent in them.
      latent_size: random numbers that an image is made of.
      width: channels of the largest feature maps; smaller maps have up to eight times as many.
      learning_rate: Adam's, of both networks.
      penalty: factor of the gradient penalty.
      ema_decay: of the slowly moving copy of the generator that samples are drawn from.
      log_every: generator updates between two rows of the log.
      save_every: rows of the log between checkpoints.
      seed: decides rows, initialisation, order and noise.
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
                raise ConfigError(f'--{name}={getattr(self, name)}: at least 1')
        for name in ('learning_rate', 'penalty'):
            if not getattr(self, name) > 0:
                raise ConfigError(f'--{name}={getattr(self, name)}: above 0')
        if not 0 <= self.ema_decay < 1:
            raise ConfigError(f'--ema_decay={self.ema_decay}: it lies in [0, 1)')
        if self.label_key not in ('label', 'fault_type'):
            raise ConfigError(f'--label_key={self.label_key}: it is label or fault_type')
        if self.steps % self.log_every:
            raise ConfigError(
                f'--steps={self.steps} is no multiple of --log_every={self.log_every}: the last updates would be lost'
            )
        # A file may change: what it says is the setting, not its name.
        object.__setattr__(self, 'imbalance', Imbalance.parse(self.imbalance).spelled_out())

    def to_json(self) -> dict:
        """A JSON-able dict; `from_json` reads it."""
        return {**dataclasses.asdict(self), 'exclude_recordings': list(self.exclude_recordings)}

    @classmethod
    def from_json(cls, data: dict) -> SynthConfig:
        """Inverse of `to_json`; ConfigError names fields of another fdx version."""
        unknown = sorted(set(data) - {f.name for f in dataclasses.fields(cls)})
        if unknown:
            raise ConfigError(f'this fdx does not know the settings {", ".join(unknown)} of a stored generator')
        return cls(**{**data, 'exclude_recordings': tuple(data.get('exclude_recordings', ()))})
