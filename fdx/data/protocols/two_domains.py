"""Two domains for adaptation: a labelled source, a target whose labels are only scored, and their common classes."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

import numpy as np

from fdx.data.dataset import PreparedDataset
from fdx.data.few_labels import few_labels
from fdx.data.pipeline import RecordExamples
from fdx.data.protocols.class_sets import OPEN, SHARED, UNKNOWN, ClassSets, all_rows, open_examples
from fdx.data.protocols.guard import copies_between
from fdx.data.protocols.known_recordings import names_in
from fdx.data.protocols.splits import Splits, split_rows, without_overlap
from fdx.data.source import Dataset, open_dataset
from fdx.data.table import Table
from fdx.signal.scaling import Gain, fit_gain
from fdx.types import ConfigError, DataError

SHARED_CLASSES = ClassSets()
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


@dataclasses.dataclass(frozen=True)
class TwoDomains:
    """What adaptation learns from and is judged by.

    Attributes:
      source: dataset of the source, target: of the target (the same one, perhaps).
      classes: names that both sides have, in the source's order: the labels of all examples below number them. With
        partial and open sets those of the source; with open sets the last one is `unknown`.
      dropped: side -> classes that the other side lacks, and whose windows are left out.
      gain: what scaling `train` fitted on the source's training windows.
      source_train: labelled windows, likewise source_validation.
      target_train: windows of the target whose labels nobody reads.
      target_test: windows whose labels are scored.
      splits: of the source, for the checkpoint.
    """

    source: Dataset
    target: Dataset
    classes: tuple[str, ...]
    dropped: dict[str, tuple[str, ...]]
    gain: Gain
    source_train: RecordExamples
    source_validation: RecordExamples
    target_train: RecordExamples
    target_test: RecordExamples
    splits: Splits
    sets: str = SHARED

    @property
    def unknown(self) -> int | None:
        """Number of the class `unknown`, which no window of the source has; None where sets are not open."""
        return len(self.classes) - 1 if self.sets == OPEN else None


def open_two_domains(
    source: DomainName,
    target: DomainName,
    data_dir: str,
    *,
    label_key: str,
    protocols: tuple[str, str],
    folds: tuple[int, int],
    seed: int,
    exclude_recordings: Sequence[str] = (),
    score_all_target: bool = False,
    labels_per_class: int = 0,
    classes: Sequence[str] = (),
    class_sets: ClassSets = SHARED_CLASSES,
) -> TwoDomains:
    """Splits both domains and keeps the classes that they share.

    The source's validation part judges; its training and its test part are learned from: the source's test part is
    never scored. Of the target, the training part is seen without labels and the test part is scored.

    Args:
      source: dataset and domains of the labelled side.
      target: of the unlabelled side.
      data_dir: folder of prepared datasets.
      label_key: `label` or `fault_type`.
      protocols: of source and target.
      folds: of source and target.
      seed: of what is random in the protocols.
      exclude_recordings: ids of recordings to leave out, of either side.
      score_all_target: score every window of the target (for networks that saw none of them).
      labels_per_class: source windows of each class that are learned from; 0: all.
      classes: the classes to learn. Labels of the target then decide nothing: its recordings are split as if all were
        of one class, and training sees windows of every class of it. Windows of other classes are not scored, as no
        answer could be right. (): the labels of both sides say which classes they share.
      class_sets: which classes are left out, and what is learned where only one side has a class. With partial and
        open sets, labels of the target decide nothing either, and all of its windows are scored.

    Raises:
      ConfigError: a class that a side lacks, sets that do not fit the domains, an unknown domain or recording, or
        recordings that are source and target at once, by name, as channels of one run, or by content.
      DataError: front ends or channels differ, or fewer than two classes are shared.
      SplitError: a protocol that does not fit its side.
    """
    one = _open_recordings(source.dataset, data_dir)
    other = one if target.dataset == source.dataset else _open_recordings(target.dataset, data_dir)
    _check_inputs(one, other)
    left_out = _left_out((source, target), (one, other), exclude_recordings)
    _check_apart(one, other, left_out)
    _check_content(one, other, left_out)
    unread = bool(classes) or class_sets.sets != SHARED
    tables = one.table, _unlabelled(other.table) if unread else other.table
    sides = [
        split_rows(table, protocol, fold=fold, seed=seed, label_key=label_key, exclude_recordings=outside)
        for table, protocol, fold, outside in zip(tables, protocols, folds, left_out)
    ]
    sides = class_sets.without_excluded((one, other), sides, label_key)
    given = tuple(classes)
    learned_classes, dropped = class_sets.classes((one, other), sides, label_key, given)
    learned = _of_classes(one, np.sort(np.concatenate([sides[0].train, sides[0].test])), learned_classes, label_key)
    learned = few_labels(one.table, learned, labels_per_class, label_key, seed)
    gain = fit_gain(one.front_end.scaling, one.table['peak'][learned])
    scored = without_overlap(other.table, all_rows(sides[1])) if score_all_target else sides[1].test

    def examples(data: Dataset, rows: np.ndarray) -> RecordExamples:
        numbers = tuple(data.class_names(label_key).index(c) for c in learned_classes)
        return RecordExamples(data, _of_classes(data, rows, learned_classes, label_key), label_key, gain, numbers)

    parts = examples(one, learned), examples(one, sides[0].validation)
    if class_sets.sets != SHARED:
        unlabelled, tested = (
            open_examples(other, r, learned_classes, label_key, gain) for r in (sides[1].train, scored)
        )
        names = (*learned_classes, UNKNOWN) if class_sets.sets == OPEN else learned_classes
        return TwoDomains(one, other, names, dropped, gain, *parts, unlabelled, tested, sides[0], class_sets.sets)
    seen = (
        _all_classes(other, sides[1].train, learned_classes, label_key, gain)
        if given
        else examples(other, sides[1].train)
    )
    return TwoDomains(one, other, learned_classes, dropped, gain, *parts, seen, examples(other, scored), sides[0])


def _open_recordings(name: str, data_dir: str) -> Dataset:
    dataset = open_dataset(name, data_dir)
    if not isinstance(dataset, Dataset):
        raise DataError(
            f'{dataset.name} is a table of readings; two domains are made of recordings: choose a dataset of recordings'
        )
    return dataset


def _unlabelled(table: Table) -> Table:
    """The table as if nobody had labelled it: all of one class."""
    nothing = np.zeros(len(table), np.int64)
    return dataclasses.replace(table, columns={**table.columns, 'label': nothing, 'fault_type': nothing})


def _all_classes(data: Dataset, rows: np.ndarray, classes: Sequence[str], label_key: str, gain: Gain) -> RecordExamples:
    """Windows of whatever class; their labels, which nobody reads, number `classes` and then all others."""
    names = data.class_names(label_key)
    order = [names.index(c) for c in classes if c in names]
    others = [i for i in range(len(names)) if i not in order]
    return RecordExamples(data, rows, label_key, gain, tuple(order + others))


def _left_out(names: Sequence[DomainName], data: Sequence[Dataset], exclude: Sequence[str]) -> list[tuple[str, ...]]:
    """Recordings of each side that are left out: those of other domains, and what the user excludes."""
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


def _check_apart(one: Dataset, other: Dataset, left_out: Sequence[tuple[str, ...]]) -> None:
    """Refuses a recording on both sides; configs and versions of one builder hold the same recordings."""
    if one.name.partition('/')[0] != other.name.partition('/')[0]:
        return
    source, target = (set(d.table['recording']) - set(out) for d, out in zip((one, other), left_out))
    both = source & target
    if both:
        domains = np.unique(one.table['domain'][np.isin(one.table['recording'], sorted(both))])
        raise ConfigError(f'{", ".join(domains)} of {one.name} is source and target: name other domains')


def _check_content(one: Dataset, other: Dataset, left_out: Sequence[tuple[str, ...]]) -> None:
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


def _of_classes(data: Dataset, rows: np.ndarray, classes: Sequence[str], label_key: str) -> np.ndarray:
    names = data.class_names(label_key)
    return rows[np.isin(data.table[label_key][rows], [names.index(c) for c in classes])]


def _check_inputs(one: Dataset, other: Dataset) -> None:
    if one.front_end.name != other.front_end.name or one.input_shape != other.input_shape:
        raise DataError(
            f'{one.name} has {one.front_end.name} images {one.input_shape}, {other.name} {other.front_end.name} '
            f'{other.input_shape}: choose configs with the same front end and number of channels'
        )
