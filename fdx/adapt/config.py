"""Everything that decides a run of domain adaptation; `launch.adapt` turns each field into a flag."""

from __future__ import annotations

import dataclasses
import math

from fdx.adapt.methods import get_method
from fdx.adapt.schedule import SCHEDULES, WARM_UP
from fdx.adapt.sets import check_sets
from fdx.data.protocols.class_sets import SHARED
from fdx.data.protocols.domain_names import DomainName
from fdx.types import ConfigError

# For all of them lower is better, and none reads a label of the target. `last` takes the last epoch.
CRITERIA = ('source_risk', 'dev', 'snd', 'entropy', 'infomax', 'nuclear_norm', 'last')
DEFAULT_CRITERION = 'source_risk'


@dataclasses.dataclass(frozen=True)
class AdaptConfig:
    """The settings of domain adaptation besides those of its TrainConfig.

    Attributes:
      source: labelled domain as builder/config:domain, e.g. cwru/faults_12k-vggish:load0; several domains are joined
        by +, and builder/config alone means all of them.
      target: unlabelled domain, written likewise, with the same front end.
      method: how the domains are brought together (fdx.adapt.methods).
      target_protocol: how the target is split into windows that are seen without labels and windows that are scored;
        '' takes the protocol of the source.
      target_fold: which fold of that protocol.
      feature: name of the layer whose output adapts.
      weight: factor of the method's term; 0 takes the default of the method.
      select_by: what chooses the epoch, without labels of the target.
      warm_up: share of the run, below 1, that learns from the source alone before the method's term rises.
      schedule: of the learning rate: steps (divided by ten at 50 and at 80 % of the run), annealed or constant.
      patience: training stops when, at full strength, neither the source's validation loss nor the term has had a new
        lowest value for so many epochs; 0 never stops.
      radius: of virtual adversarial perturbations, relative to the spread of an example's values.
      score_all_target: score every window of the target, not only its test part; only for methods that see no window
        of the target in training.
      classes: the classes to learn, names of the source separated by commas. With them, no label of the target decides
        its split or its windows; without them, the labels of both domains say which classes they share.
      sets: shared learns the classes that both domains have; partial all of the source, of which the target may lack
        some; open rejects windows of the target as `unknown` where the source lacks their class.
      exclude_source_classes: classes of the source to leave out, e.g. to measure how open sets reject them.
      exclude_target_classes: classes of the target to leave out.
      auto: also learn the source alone, and keep that network unless outputs for unlabelled windows of the target
        support the method (fdx.adapt.auto_verdict). It trains up to four networks, two seeds of each.
    """

    source: str
    target: str
    method: str = 'dann'
    target_protocol: str = ''
    target_fold: int = 0
    feature: str = 'embedding'
    weight: float = 0.0
    select_by: str = DEFAULT_CRITERION
    radius: float = 0.1
    warm_up: float = WARM_UP
    schedule: str = 'steps'
    patience: int = 10
    score_all_target: bool = False
    classes: tuple[str, ...] = ()
    sets: str = SHARED
    exclude_source_classes: tuple[str, ...] = ()
    exclude_target_classes: tuple[str, ...] = ()
    auto: bool = False

    def __post_init__(self):
        method = get_method(self.method)
        self.names()
        for name in ('classes', 'exclude_source_classes', 'exclude_target_classes'):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        check_sets(self.sets, self.method, method)
        if self.classes and (len(set(self.classes)) < 2 or len(set(self.classes)) < len(self.classes)):
            raise ConfigError(f'`classes`={",".join(self.classes)}: name two or more classes of the source, each once')
        if self.select_by not in CRITERIA:
            raise ConfigError(f'`select_by`={self.select_by}: it must be one of {", ".join(CRITERIA)}')
        if self.schedule not in SCHEDULES:
            raise ConfigError(f'`schedule`={self.schedule}: it must be one of {", ".join(SCHEDULES)}')
        if not 0 <= self.warm_up < 1:
            raise ConfigError(f'`warm_up`={self.warm_up}: a share of the run, at least 0 and below 1')
        if self.patience < 0:
            raise ConfigError(f'`patience`={self.patience} must be 0 or above')
        finite = math.isfinite(self.weight) and math.isfinite(self.radius)
        if not (finite and self.weight >= 0 and self.radius > 0 and self.target_fold >= 0):
            raise ConfigError(
                f'`weight`={self.weight} and `target_fold`={self.target_fold} must be 0 or above, and '
                f'`radius`={self.radius} above 0'
            )
        if self.auto and self.sets != SHARED:
            raise ConfigError(
                f'`auto` compares predictions over the same classes, and `sets`={self.sets} has others; leave out one'
            )
        if self.auto and not (method.sees_target or method.target_statistics):
            raise ConfigError(
                f'`auto`: `method`={self.method} takes nothing from the target: there is nothing to decide; name the '
                'method to try, or leave `auto` out'
            )
        if self.score_all_target and (method.sees_target or method.target_statistics):
            raise ConfigError(
                f'`score_all_target`: {self.method} sees windows of the target, so they cannot all be scored'
            )

    def names(self) -> tuple[DomainName, DomainName]:
        """Source and target."""
        return DomainName.parse(self.source, 'source'), DomainName.parse(self.target, 'target')

    def factor(self) -> float:
        """Factor of the term."""
        return self.weight or get_method(self.method).weight

    def to_json(self) -> dict:
        """A JSON-able dict."""
        names = ('classes', 'exclude_source_classes', 'exclude_target_classes')
        return {**dataclasses.asdict(self), **{name: list(getattr(self, name)) for name in names}}
