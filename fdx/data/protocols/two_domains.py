"""Two domains for adaptation: a labelled source, a target whose labels are only scored, and their common classes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from fdx.data.few_labels import few_labels
from fdx.data.pipeline import RecordExamples
from fdx.data.protocols.class_sets import OPEN, SHARED, UNKNOWN, ClassSets, all_rows, open_examples
from fdx.data.protocols.domain_names import DomainName, check_apart, check_content, check_inputs, left_out_recordings
from fdx.data.protocols.splits import Splits, split_rows, without_overlap
from fdx.data.source import Dataset, open_dataset
from fdx.data.table import Table
from fdx.signal.scaling import Gain, fit_gain
from fdx.types import DataError

SHARED_CLASSES = ClassSets()


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
    check_inputs(one, other)
    left_out = left_out_recordings((source, target), (one, other), exclude_recordings)
    check_apart(one, other, left_out)
    check_content(one, other, left_out)
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


def _of_classes(data: Dataset, rows: np.ndarray, classes: Sequence[str], label_key: str) -> np.ndarray:
    names = data.class_names(label_key)
    return rows[np.isin(data.table[label_key][rows], [names.index(c) for c in classes])]
