"""From rows to batches: random-access examples, and grain iterators over them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

import grain
import numpy as np

from fdx.data.dataset import PreparedDataset
from fdx.signal.scaling import Gain, as_gain

if TYPE_CHECKING:
    from fdx.data.joined import JoinedExamples

READ_THREADS = 4
READ_AHEAD_BATCHES = 8
WHOLE = slice(None)


@dataclasses.dataclass(frozen=True)
class RecordExamples:
    """Rows of a dataset as network inputs.

    Attributes:
      dataset: the records.
      rows: int64 [N] row numbers.
      label_key: `label` or `fault_type`.
      gain: the fitted gain of scaling `train`, else 1: one number, or one per channel (a list becomes a tuple).
      classes: numbers of the dataset's classes that become 0, 1, ...; () keeps all numbers. Rows must have one of them.
    """

    dataset: PreparedDataset
    rows: np.ndarray
    label_key: str
    gain: Gain = 1.0
    classes: tuple[int, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, 'gain', as_gain(self.gain))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: int) -> dict[str, np.ndarray]:
        row = int(self.rows[i])
        label = self._renumbered(self.dataset.table[self.label_key][row])
        return {'inputs': self.dataset.front_end.with_gain(self.dataset.inputs(row), self.gain), 'labels': label}

    def labels(self) -> np.ndarray:
        """int32 [N]."""
        return self._renumbered(self.dataset.table[self.label_key][self.rows])

    def _renumbered(self, labels: np.ndarray) -> np.ndarray:
        """Labels of the dataset in the numbers of the examples, int32."""
        if not self.classes:
            return np.asarray(labels).astype(np.int32)
        order = np.argsort(self.classes)
        return order[np.searchsorted(np.asarray(self.classes)[order], labels)].astype(np.int32)


@dataclasses.dataclass(frozen=True)
class ArrayExamples:
    """Examples in memory, such as cached features.

    Attributes:
      inputs: [N, ...].
      targets: int32 [N].
    """

    inputs: np.ndarray
    targets: np.ndarray

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, i: int) -> dict[str, np.ndarray]:
        return {'inputs': self.inputs[i], 'labels': self.targets[i]}

    def take(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Examples of many rows as one batch."""
        return {'inputs': self.inputs[rows], 'labels': self.targets[rows]}

    def labels(self) -> np.ndarray:
        """int32 [N]."""
        return self.targets


Examples: TypeAlias = 'RecordExamples | ArrayExamples | JoinedExamples'


def steps_per_epoch(num_examples: int, batch_size: int) -> int:
    """Batches of an epoch; the last one may be short."""
    return -(-num_examples // batch_size)


def train_batches(examples: Examples, batch_size: int, seed: int, part: slice = WHOLE) -> grain.DatasetIterator:
    """Endless shuffled batches, in a new order every epoch, with each example once per epoch.

    Batch k depends only on the seed and on k; the iterator's get_state and set_state resume it exactly.

    Args:
      examples: to be batched.
      batch_size: of the global batch.
      seed: of the order.
      part: places of the batch whose records are read; the others hold zeros. Several processes of one run read the
        parts that they train on.
    """
    if isinstance(examples, ArrayExamples) or part != WHOLE:
        # Shuffling row numbers and taking whole batches gives the same batches in half the time of fetching row by row.
        rows = grain.MapDataset.range(len(examples)).seed(seed).shuffle()
        batches = rows.batch(batch_size, drop_remainder=False, batch_fn=np.array)
        dataset = batches.repeat().map(_taker(examples, part))
    else:
        order = grain.MapDataset.source(examples).seed(seed).shuffle()
        dataset = order.batch(batch_size, drop_remainder=False).repeat()
    return iter(dataset.to_iter_dataset(_read_options(examples)))


def eval_batches(examples: Examples, batch_size: int, part: slice = WHOLE) -> Iterator[dict[str, np.ndarray]]:
    """All examples once, in order; the last batch may be short. `part` as in `train_batches`."""
    if part != WHOLE:
        rows = grain.MapDataset.range(len(examples))
        dataset = rows.batch(batch_size, drop_remainder=False, batch_fn=np.array).map(_taker(examples, part))
    else:
        dataset = grain.MapDataset.source(examples).batch(batch_size, drop_remainder=False)
    return iter(dataset.to_iter_dataset(_read_options(examples)))


def _taker(examples: Examples, part: slice) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """Function row numbers [n] -> their batch, of which only the places `part` are read."""
    if isinstance(examples, ArrayExamples):
        return examples.take

    def take(rows: np.ndarray) -> dict[str, np.ndarray]:
        places = range(len(rows))[part]
        # Where the part lies behind a short batch, one record is read all the same: it tells the shapes.
        first = places[0] if places else 0
        found = {place: examples[int(rows[place])] for place in places or [first]}
        batch = {k: np.zeros((len(rows), *np.shape(v)), np.asarray(v).dtype) for k, v in found[first].items()}
        for place in places:
            for name, value in found[place].items():
                batch[name][place] = value
        return batch

    return take


def _read_options(examples: Examples) -> grain.ReadOptions:
    if isinstance(examples, ArrayExamples):
        return grain.ReadOptions(num_threads=0, prefetch_buffer_size=0)
    return grain.ReadOptions(num_threads=READ_THREADS, prefetch_buffer_size=READ_AHEAD_BATCHES)
