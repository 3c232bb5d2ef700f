"""Several labelled source domains: which of them each training window is from, and the weights of group DRO."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from fdx.adapt.config import AdaptConfig
from fdx.adapt.methods import Method, get_method
from fdx.data.pipeline import ArrayExamples
from fdx.data.protocols.two_domains import TwoDomains
from fdx.types import ConfigError

SOURCE = 'source_train'


@dataclasses.dataclass(frozen=True)
class DomainExamples(ArrayExamples):
    """Examples in memory whose batches say under `domains` which domain each one is from.

    Attributes:
      domains: int32 [N], numbers from 0 on.
    """

    domains: np.ndarray

    def __getitem__(self, i: int) -> dict[str, np.ndarray]:
        return {**super().__getitem__(i), 'domains': self.domains[i]}

    def take(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Examples of many rows as one batch."""
        return {**super().take(rows), 'domains': self.domains[rows]}


def source_domains(domains: TwoDomains) -> np.ndarray:
    """Name of the domain of every training window of the source, str [N]."""
    train = domains.source_train
    return np.asarray(train.dataset.table['domain'])[train.rows]


def check_source_domains(plan: AdaptConfig, domains: TwoDomains) -> None:
    """ConfigError where a method compares source domains and there is one only."""
    if not get_method(plan.method).needs_domains:
        return
    names = np.unique(source_domains(domains))
    if len(names) < 2:
        own = plan.names()[0]
        raise ConfigError(
            f'`method`={plan.method} learns from what differs between source domains, and `source`={plan.source} has '
            f'one, {names[0] or "without a name"}: join several by +, e.g. `source`={own.dataset}:{_more_of(domains)}, '
            'or take `method`=source_only'
        )


def _more_of(domains: TwoDomains) -> str:
    """Two domains of the source's dataset to show how they are written."""
    known = [name for name in np.unique(domains.source.table['domain']) if name]
    return '+'.join(known[:2]) if len(known) > 1 else 'ONE+OTHER'


def with_domains(method: Method, parts: Mapping[str, ArrayExamples], domains: TwoDomains) -> dict[str, ArrayExamples]:
    """The parts of a run; batches of the source say the domain of each example where the method needs it."""
    if not method.needs_domains:
        return dict(parts)
    train = parts[SOURCE]
    numbers = np.unique(source_domains(domains), return_inverse=True)[1].astype(np.int32)
    return {**parts, SOURCE: DomainExamples(train.inputs, train.targets, numbers)}


def init_domain_weights(method: Method, count: int) -> dict[str, np.ndarray]:
    """Equal weights of `count` domains for group DRO, as `AdaptState.extra` holds them; {} for other methods."""
    return {'domain_weights': np.full(count, 1 / count, np.float32)} if method.weighs_domains else {}


def count_domains(examples: ArrayExamples) -> int:
    """Number of domains; 1 for examples that do not say theirs."""
    return int(examples.domains.max()) + 1 if isinstance(examples, DomainExamples) else 1
