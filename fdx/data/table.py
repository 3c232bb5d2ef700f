"""The table of a dataset: everything but the arrays, one row per record."""

from __future__ import annotations

import dataclasses

import numpy as np

SPLITS = ('train', 'validation', 'test')
# Column of tables that hold generated records: True for these. Tables of recordings have none.
SYNTHETIC = 'synthetic'
# Columns that datasets prepared before there were fingerprints lack.
ACQUISITION, FINGERPRINT = 'acquisition', 'fingerprint'
# Columns of tables of readings alone: the place of a row in the user's file, and the group that the file names.
ROW, GROUP = 'row', 'group'


@dataclasses.dataclass(frozen=True)
class Table:
    """One row per record over the union of the splits, in the order train, validation, test.

    Attributes:
      columns: name -> array [N]; texts are arrays of str; `peak` is [N, C] where recordings have several channels,
        `fingerprint` int64 [N, 32] (fdx.data.fingerprint) and `acquisition` are there where the records have them.
      window_length: samples of every window, at the common rate.
    """

    columns: dict[str, np.ndarray]
    window_length: int

    def __len__(self) -> int:
        return len(self.columns['label'])

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def acquisitions(self) -> np.ndarray:
        """Ids of the physical runs [N]; those of the recordings where the records do not tell."""
        return self.columns.get(ACQUISITION, self.columns['recording'])

    def fingerprints(self) -> np.ndarray | None:
        """int64 [N, 32], or None where the records have none."""
        return self.columns.get(FINGERPRINT)
