"""Whether a run starts from a network that has already learned from windows which choose or score the run."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fdx.data.dataset import PreparedDataset
from fdx.data.protocols.splits import PROTOCOLS, Splits
from fdx.train.config import TrainConfig
from fdx.train.landmarks import is_readings
from fdx.train.learned_from import rows_learned, whole_recordings
from fdx.types import SplitError

logger = logging.getLogger(__name__)

MAX_NAMES = 5


@dataclasses.dataclass(frozen=True)
class InitLeak:
    """What the network that a run starts from has seen of the run's validation and test windows.

    Attributes:
      share: share of them that it has learned from, in [0, 1], in the part where this share is largest.
      reason: the leak in words; '' where there is none.
      parts: the share in each part, where there is a leak.
    """

    share: float = 0.0
    reason: str = ''
    parts: dict[str, float] = dataclasses.field(default_factory=dict)


def entries_of(meta: Mapping[str, Any], config: TrainConfig) -> list[dict[str, Any]]:
    """What a run has learned from (fdx.train.learned_from), for the run of `config` that starts from it."""
    if 'learned_from' in meta:
        return list(meta['learned_from'])
    there = meta['config']
    alike = ('protocol', 'fold', 'seed', 'label_key')
    same = there['dataset'].partition(':')[0] == config.dataset.partition(':')[0]
    same = same and all(there[k] == getattr(config, k) for k in alike) and 'adaptation' not in meta
    return [whole_recordings(meta, same and tuple(there['exclude_recordings']) == config.exclude_recordings)]


def check_init(
    config: TrainConfig,
    entries: Sequence[Mapping[str, Any]],
    dataset: PreparedDataset,
    parts: Mapping[str, np.ndarray],
    protocol: str,
) -> InitLeak:
    """Refuses an initial network that has learned from rows which choose or score the run.

    Args:
      config: of the run.
      entries: what the network has learned from.
      dataset: of the rows.
      parts: name in words ('validation', 'test') -> rows.
      protocol: how the rows were split; nothing is checked for a protocol that is known to leak, as its runs are
        marked anyway.

    Returns:
      The leak of a run with `allow_leak`, which is marked by it; otherwise an empty one.

    Raises:
      SplitError: a leak without `allow_leak`; the text names the recordings, the run and the remedy.
    """
    if is_readings(dataset.table):
        # The same split has the same training rows. Readings that a log repeats are for that split to judge.
        split = (dataset.name, protocol, config.fold, config.seed)
        entries = [e for e in entries if (e['dataset'], e['protocol'], e['fold'], e['seed']) != split]
    if not entries or PROTOCOLS[protocol].leaks:
        return InitLeak()
    rows = np.concatenate(list(parts.values()))
    learned = rows_learned(
        entries, dataset.name, dataset.table, rows, dataset.metadata['common_rate_hz'], protocol
    )  # fmt: skip
    if not learned.any():
        return InitLeak()
    seen = {name: np.isin(part, rows[learned]) for name, part in parts.items()}
    counts = ' and '.join(f'{int(s.sum())} of the {len(s)} {name}' for name, s in seen.items() if s.any())
    reason = f'the initial network ({config.init}) has learned from {counts} {_words(dataset, rows[learned])}'
    if not config.allow_leak:
        raise SplitError(
            f'{reason}: set `init` to a run of the same `protocol`={protocol} and fold (in a workdir of all folds, '
            f'fold_{config.fold}) or to a run on other recordings, or set `allow_leak`, which marks the score as '
            'leaking'
        )
    logger.warning('%s: the scores do not tell how well it does on new data', reason)
    shares = {name: float(s.mean()) for name, s in seen.items()}
    return InitLeak(max(shares.values()), reason, shares)


def _words(dataset: PreparedDataset, rows: np.ndarray) -> str:
    """'windows (recordings a, b and 3 more)'; for a table of readings 'rows', as their names say nothing."""
    if is_readings(dataset.table):
        return 'rows'
    names = sorted(set(dataset.table['recording'][rows].tolist()))
    more = f' and {len(names) - MAX_NAMES} more' if len(names) > MAX_NAMES else ''
    return f'windows (recordings {", ".join(names[:MAX_NAMES])}{more})'


def check_init_of_splits(
    config: TrainConfig, entries: Sequence[Mapping[str, Any]], dataset: PreparedDataset, splits: Splits
) -> InitLeak:
    """`check_init` for the validation and test rows of a run."""
    parts = {'validation': splits.validation, 'test': splits.test}
    return check_init(config, entries, dataset, parts, splits.protocol)
