"""Which classes adaptation learns where the two domains do not have the same ones, and what the others count as.

| `sets` | source | target |
|---|---|---|
| `shared` | windows of the classes that both sides have | the same classes |
| `partial` | windows of all its classes | fewer classes; which ones it lacks is not read from its labels |
| `open` | windows of all its classes | further classes, whose windows count as `unknown` |

With `partial` and `open`, labels of the target are read for scores alone. Terms as in Cao et al., "Partial adversarial
domain adaptation", ECCV 2018, and Panareda Busto and Gall, "Open set domain adaptation", ICCV 2017.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence

import numpy as np

from fdx.data.dataset import PreparedDataset
from fdx.data.pipeline import RecordExamples
from fdx.data.protocols.splits import Splits
from fdx.signal.scaling import Gain
from fdx.types import ConfigError, DataError

logger = logging.getLogger(__name__)

SHARED, PARTIAL, OPEN = SETS = ('shared', 'partial', 'open')
# The name of the class for everything that the source lacks: the last output of a network for open sets.
UNKNOWN = 'unknown'


@dataclasses.dataclass(frozen=True)
class ClassSets:
    """What is learned of the classes of two domains.

    Attributes:
      sets: a name of SETS.
      exclude_source: classes that are left out of the source, and so become unknown ones where the target has them.
      exclude_target: classes that are left out of the target.
    """

    sets: str = SHARED
    exclude_source: tuple[str, ...] = ()
    exclude_target: tuple[str, ...] = ()

    def without_excluded(
        self, datasets: Sequence[PreparedDataset], sides: Sequence[Splits], label_key: str
    ) -> list[Splits]:
        """The splits of both sides without windows of the excluded classes.

        Raises:
          ConfigError: a class that the side does not have.
        """
        kept = []
        excluded = {'source': self.exclude_source, 'target': self.exclude_target}
        for (side, names), data, splits in zip(excluded.items(), datasets, sides):
            present = _present(data, splits, label_key)
            missing = [c for c in names if c not in present]
            if missing:
                raise ConfigError(
                    f'`exclude_{side}_classes` names {", ".join(missing)}, which the {side} {data.name} lacks; its '
                    f'classes of {label_key}: {", ".join(present)}'
                )
            numbers, labels = [data.class_names(label_key).index(c) for c in names], data.table[label_key]
            parts = {name: getattr(splits, name) for name in ('train', 'validation', 'test')}
            rest = {name: rows[~np.isin(labels[rows], numbers)] for name, rows in parts.items()}
            kept.append(dataclasses.replace(splits, **rest) if names else splits)
        return kept

    def classes(
        self, datasets: Sequence[PreparedDataset], sides: Sequence[Splits], label_key: str, given: tuple[str, ...]
    ) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
        """(the classes that are learned, those of each side that are left out), from splits `without_excluded`.

        Args:
          datasets: of source and target.
          sides: their splits.
          label_key: `label` or `fault_type`.
          given: names of the classes to learn, which ask no label of the target; () for all that the sets allow.

        Raises:
          ConfigError: `given` names a class that is missing, or the sets do not fit the domains.
          DataError: fewer than two classes are learned.
        """
        present = [_present(data, splits, label_key) for data, splits in zip(datasets, sides)]
        if self.sets == SHARED:
            learned = _given(datasets, present[0], label_key, given) or _shared(present, label_key)
            lacking = {'source': tuple(c for c in present[0] if c not in learned)}
            # Windows of whatever class are seen where the classes are given.
            lacking['target'] = () if given else tuple(c for c in present[1] if c not in learned)
            for side, names in lacking.items():
                if names and not given:
                    logger.warning('classes that only the %s has are left out: %s', side, ', '.join(names))
        else:
            learned = self._of_source(present, label_key, given)
            lacking = {'source': tuple(c for c in present[0] if c not in learned), 'target': ()}
        excluded = {'source': self.exclude_source, 'target': self.exclude_target}
        return learned, {side: (*lacking[side], *excluded[side]) for side in lacking}

    def _of_source(self, present: Sequence[Sequence[str]], label_key: str, given: tuple[str, ...]) -> tuple[str, ...]:
        """The classes that partial and open sets learn."""
        missing = [c for c in given if c not in present[0]]
        if missing:
            raise ConfigError(
                f'`classes` names {", ".join(missing)}, which the source lacks; its classes of {label_key}: '
                f'{", ".join(present[0])}'
            )
        known = given or tuple(present[0])
        if len(known) < 2:
            raise DataError(f'at least two classes of {label_key} are needed; the source has {", ".join(known)}')
        if self.sets == OPEN and UNKNOWN in known:
            raise ConfigError(
                f'`sets`=open: the source has a class {UNKNOWN}, which is the name for windows that are rejected: '
                f'leave it out with `exclude_source_classes`={UNKNOWN}, or rename it'
            )
        further = [c for c in present[1] if c not in known]
        if self.sets == PARTIAL and further:
            raise ConfigError(
                f'`sets`=partial: the target has {", ".join(further)}, which is not learned from the source: set '
                f'`sets`=open to reject such windows, or leave them out with `exclude_target_classes`='
                f'{",".join(further)}'
            )
        return known


def all_rows(splits: Splits) -> np.ndarray:
    """The rows of all parts, in order."""
    return np.sort(np.concatenate([splits.train, splits.validation, splits.test]))


def _present(data: PreparedDataset, splits: Splits, label_key: str) -> list[str]:
    """Names of the classes of a split side."""
    names = data.class_names(label_key)
    return [names[i] for i in np.unique(data.table[label_key][all_rows(splits)])]


def _shared(present: Sequence[Sequence[str]], label_key: str) -> tuple[str, ...]:
    """The classes that both sides have, in the source's order."""
    shared = tuple(c for c in present[0] if c in present[1])
    if len(shared) < 2:
        raise DataError(
            f'source and target share the classes {", ".join(shared) or "none"} of {label_key}; at least two are '
            f'needed: the source has {", ".join(present[0])}, the target {", ".join(present[1])}'
            + ('; try `label_key=fault_type`' if label_key == 'label' else '')
        )
    return shared


def _given(
    datasets: Sequence[PreparedDataset], of_source: Sequence[str], label_key: str, given: tuple[str, ...]
) -> tuple[str, ...]:
    """The classes that the user names: all are the source's, and the target's dataset knows their names."""
    for side, have in (('source', of_source), ('target', datasets[1].class_names(label_key))):
        missing = [c for c in given if c not in have]
        if missing:
            raise ConfigError(
                f'`classes` names {", ".join(missing)}, which the {side} lacks; its classes of {label_key}: '
                f'{", ".join(have)}'
            )
    return given


@dataclasses.dataclass(frozen=True)
class OpenExamples(RecordExamples):
    """Windows of whatever class: labels number the known classes from 0; all other classes count as number `known`.

    Attributes:
      known: K, number of known classes.
    """

    known: int = 0

    def _renumbered(self, labels: np.ndarray) -> np.ndarray:
        return np.minimum(super()._renumbered(labels), self.known).astype(np.int32)


def open_examples(
    data: PreparedDataset, rows: np.ndarray, known: Sequence[str], label_key: str, gain: Gain
) -> OpenExamples:
    """Rows of a target, whose dataset need not know the names of all known classes."""
    names = data.class_names(label_key)
    # A class that the dataset does not know keeps its place by a number that no window has.
    numbers = [names.index(c) if c in names else -1 - i for i, c in enumerate(known)]
    others = [i for i in range(len(names)) if i not in numbers]
    return OpenExamples(data, rows, label_key, gain, tuple(numbers + others), known=len(known))
