"""Names of domains, and whether a source and a target fit: inputs alike, and no recording on both sides."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

import numpy as np

from fdx.data.dataset import PreparedDataset
from fdx.data.protocols.guard import copies_between
from fdx.data.protocols.known_recordings import names_in
from fdx.data.source import Dataset
from fdx.types import ConfigError, DataError

_VERSION = re.compile(r'\d+\.\d+\.\d+')


@dataclasses.dataclass(frozen=True)
class DomainName:
    """`builder/config`, `builder/config:domain` or `builder/config:domain+domain`; a version stands before domains.

    Attributes:
      dataset: `builder/config` or `builder/config:version`.
      domains: names of its domains; () for all of them.
    """

    dataset: str
    domains: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str, parameter: str) -> DomainName:
        """Reads the value of a parameter; ConfigError where it is not such a name."""
        dataset, *rest = text.split(':')
        if rest and _VERSION.fullmatch(rest[0]):
            dataset = f'{dataset}:{rest.pop(0)}'
        domains = tuple(rest[0].split('+')) if rest else ()
        if len(rest) > 1 or '/' not in dataset or not all(domains):
            raise ConfigError(f'`{parameter}`={text}: write it as builder/config or builder/config:domain, e.g. '
                              'cwru/faults_12k-vggish:load0')  # fmt: skip
        return cls(dataset, domains)


def other_recordings(dataset: PreparedDataset, domains: Sequence[str], parameter: str) -> tuple[str, ...]:
    """Recordings outside of the named domains; ConfigError names the domains that exist."""
    known = np.unique(dataset.table['domain'])
    unknown = [d for d in domains if d not in known]
    if unknown:
        raise ConfigError(
            f'`{parameter}`: {dataset.name} has no domain {", ".join(unknown)}; it has {", ".join(known)}'
        )
    if not domains:
        return ()
    outside = ~np.isin(dataset.table['domain'], domains)
    return tuple(np.unique(dataset.table['recording'][outside]).tolist())


def left_out_recordings(
    names: Sequence[DomainName], data: Sequence[Dataset], exclude: Sequence[str]
) -> list[tuple[str, ...]]:
    """Recordings of each side that are left out: those of other domains, and what the user excludes.

    Raises:
      ConfigError: an excluded recording that neither side holds, or an unknown domain.
    """
    known = set(data[0].table['recording']) | set(data[1].table['recording'])
    unknown = sorted(set(exclude) - known)
    if unknown:
        raise ConfigError(
            f'`exclude_recordings` names {", ".join(unknown)}, which neither source nor target holds; they hold '
            f'{names_in(known)}'
        )
    left_out = []
    for name, side, flag in zip(names, data, ('source', 'target')):
        mine = set(exclude) & set(side.table['recording'])
        left_out.append(tuple(sorted(mine | set(other_recordings(side, name.domains, flag)))))
    return left_out


def check_apart(one: Dataset, other: Dataset, left_out: Sequence[tuple[str, ...]]) -> None:
    """Raises ConfigError for a recording on both sides; configs of one builder hold the same recordings."""
    if one.name.partition('/')[0] != other.name.partition('/')[0]:
        return
    source, target = (set(d.table['recording']) - set(out) for d, out in zip((one, other), left_out))
    both = source & target
    if both:
        domains = np.unique(one.table['domain'][np.isin(one.table['recording'], sorted(both))])
        raise ConfigError(f'{", ".join(domains)} of {one.name} is source and target: name other domains')


def check_content(one: Dataset, other: Dataset, left_out: Sequence[tuple[str, ...]]) -> None:
    """Refuses channels of one run, or copies of a recording, on both sides: the target's labels would be known.

    Raises:
      ConfigError: names the recordings of both sides.
    """
    tables = [d.table for d in (one, other)]
    rows = [np.flatnonzero(~np.isin(t['recording'], out)) for t, out in zip(tables, left_out)]
    same_builder = one.name.partition('/')[0] == other.name.partition('/')[0]
    runs = [set(t.acquisitions()[r]) for t, r in zip(tables, rows)]
    if same_builder and runs[0] & runs[1]:
        run = min(runs[0] & runs[1])
        names = [min(t['recording'][r][t.acquisitions()[r] == run]) for t, r in zip(tables, rows)]
        raise ConfigError(
            f'{names[0]} of the source and {names[1]} of the target are channels of one run, {run}: name other '
            'domains, or leave one side out with `exclude_recordings`'
        )
    pair = copies_between(tables[0], rows[0], tables[1], rows[1])
    if pair:
        raise ConfigError(
            f'{pair[0]} of the source {one.name} and {pair[1]} of the target {other.name} hold the same samples: '
            f'leave one out, e.g. `exclude_recordings`={pair[1]}'
        )


def check_inputs(one: Dataset, other: Dataset) -> None:
    """Raises DataError unless both have the same front end and input shape."""
    if one.front_end.name != other.front_end.name or one.input_shape != other.input_shape:
        raise DataError(
            f'{one.name} has {one.front_end.name} images {one.input_shape}, {other.name} {other.front_end.name} '
            f'{other.input_shape}: choose configs with the same front end and number of channels'
        )
