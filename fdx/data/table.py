"""The table of a dataset: everything but the arrays, one row a record."""

from __future__ import annotations

import dataclasses

import numpy as np

SPLITS = ('train', 'validation', 'test')
# Column of tables that hold generated records: True for these. Tables of recordings have none.
SYNTHETIC = 'synthetic'


@dataclasses.dataclass(frozen=True)
class Table:
    """One row a record over the union of the splits, in the order train, validation, test.

    Attributes:
      columns: name -> array [N]; texts are arrays of str; `peak` is [N, C] where recordings have several channels.
      window_length: samples of every window, at the common rate.
    """

    columns: dict[str, np.ndarray]
    window_length: int

    def __len__(self) -> int:
        return len(self.columns['label'])

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]
