"""Everything that decides the adaptation of a checkpoint; `launch.adapt --checkpoint` turns each field into a flag."""

from __future__ import annotations

import dataclasses
import math

from fdx.data.protocols.domain_names import DomainName
from fdx.types import ConfigError

# Method -> what it does, for --help and results.
SOURCE_FREE_METHODS = {
    'shot': 'features learn to give certain and varied predictions of a frozen classifier, and its pseudo-labels',
    'tent': 'scales and biases of batch norms learn to give certain predictions',
    'test_time_norms': 'statistics of batch norms are measured on the target; nothing is trained',
}
DEFAULT_METHOD = 'shot'
# For all of them lower is better, and none reads a label. `last` takes the last epoch.
SOURCE_FREE_CRITERIA = ('last', 'infomax', 'entropy')
# 15 epochs of SHOT and one of tent are those of their codes, whose optimisers are others. SHOT lost
# less with 1e-4 than with 1e-3 on simulated rigs (docs/decisions/adapt.md).
DEFAULT_EPOCHS = {'shot': 15, 'tent': 1, 'test_time_norms': 1}
DEFAULT_RATES = {'shot': 1e-4, 'tent': 1e-3, 'test_time_norms': 1e-3}
TRAINED = tuple(name for name in SOURCE_FREE_METHODS if name != 'test_time_norms')
# Settings that only one method reads.
ONLY_OF = {'pseudo_weight': 'shot', 'prior_windows': 'test_time_norms'}


@dataclasses.dataclass(frozen=True)
class SourceFreeConfig:
    """The adaptation of a finished run to a target whose labels nobody reads; the run decides network and input.

    Attributes:
      checkpoint: workdir of the finished run.
      target: unlabelled domain as builder/config:domain, with the front end of the run; several domains are joined by
        +, and builder/config alone means all of them.
      method: shot, tent or test_time_norms.
      step: best, last or a number: which step of the checkpoint.
      target_protocol: how the target is split into windows that are seen without labels and windows that are scored;
        '' takes the protocol of the run.
      target_fold: which fold of that protocol.
      exclude_recordings: ids of recordings of the target to leave out.
      allow_leak: adapt although the run has learned from windows that are scored; the result then says that it leaks.
      epochs: passes over the target's windows; 0 takes the default of the method (shot 15, tent 1).
      batch_size: windows per step, over all devices together.
      learning_rate: of Adam, at the start; it falls as (1 + 10 p)^-0.75. 0 takes the default of the method (shot 1e-4,
        tent 1e-3).
      pseudo_weight: of shot, factor of the cross-entropy with pseudo-labels; 0 leaves them out.
      prior_windows: of test_time_norms, how many windows the statistics of the run count for, beside those of the
        target; 0 replaces them.
      select_by: what chooses the epoch, without labels of the target.
      seed: of the order of the windows.
      data_dir: folder of prepared datasets; '' takes that of the run.
    """

    checkpoint: str
    target: str
    method: str = DEFAULT_METHOD
    step: str = 'best'
    target_protocol: str = ''
    target_fold: int = 0
    exclude_recordings: tuple[str, ...] = ()
    allow_leak: bool = False
    epochs: int = 0
    batch_size: int = 64
    learning_rate: float = 0.0
    pseudo_weight: float = 0.3
    prior_windows: int = 0
    select_by: str = 'last'
    seed: int = 0
    data_dir: str = ''

    def __post_init__(self):
        object.__setattr__(self, 'exclude_recordings', tuple(self.exclude_recordings))
        object.__setattr__(self, 'step', str(self.step))
        self.name()
        for field, known in (('method', tuple(SOURCE_FREE_METHODS)), ('select_by', SOURCE_FREE_CRITERIA)):
            if getattr(self, field) not in known:
                raise ConfigError(f'`{field}`={getattr(self, field)}: it must be one of {", ".join(known)}')
        numbers = {
            'target_fold': self.target_fold >= 0,
            'epochs': self.epochs >= 0,
            'batch_size': self.batch_size >= 1,
            'learning_rate': self.learning_rate >= 0 and math.isfinite(self.learning_rate),
            'pseudo_weight': self.pseudo_weight >= 0 and math.isfinite(self.pseudo_weight),
            'prior_windows': self.prior_windows >= 0,
        }
        for field, good in numbers.items():
            if not good:
                least = 'above 0' if field == 'batch_size' else '0 or above'
                raise ConfigError(f'`{field}`={getattr(self, field)}: it must be {least}')
        self._check_read()

    def _check_read(self) -> None:
        """Refuses settings that the method would ignore."""
        for field, method in ONLY_OF.items():
            if getattr(self, field) != getattr(type(self), field) and self.method != method:
                raise ConfigError(
                    f'`{field}`={getattr(self, field)} goes with `method`={method}, not {self.method}: leave it out'
                )
        if self.method == 'test_time_norms':
            of_training = ('epochs', 'learning_rate', 'select_by')
            given = [name for name in of_training if getattr(self, name) != getattr(type(self), name)]
            if given:
                raise ConfigError(
                    f'`{given[0]}`={getattr(self, given[0])}: `method`=test_time_norms trains nothing: leave it out, '
                    f'or use {" or ".join(TRAINED)}'
                )

    def name(self) -> DomainName:
        """The target."""
        return DomainName.parse(self.target, 'target')

    def to_json(self) -> dict:
        """A JSON-able dict."""
        return {**dataclasses.asdict(self), 'exclude_recordings': list(self.exclude_recordings)}

    def passes(self) -> int:
        """Passes over the target."""
        return self.epochs or DEFAULT_EPOCHS[self.method]

    def rate(self) -> float:
        """The learning rate at the start."""
        return self.learning_rate or DEFAULT_RATES[self.method]
