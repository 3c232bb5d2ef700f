"""The table of a dataset: everything but the arrays, one row per record."""

from __future__ import annotations

import dataclasses

import numpy as np

SPLITS = ('train', 'validation', 'test')
# This column is True for generated records; tables that only hold recordings lack it.
SYNTHETIC = 'synthetic'
# Older datasets lack these columns.
ACQUISITION, FINGERPRINT = 'acquisition', 'fingerprint'
# Only tables of readings have these: the place of a row in the user's file, and the group that the file names.
ROW, GROUP = 'row', 'group'
# The split that a user's manifest gives to the recording, '' for none; only tables of such recordings have it.
GIVEN_SPLIT = 'given_split'


@dataclasses.dataclass(frozen=True)
class Table:
    """One row per record over the union of the splits, in the order train, validation, test.

    Attributes:
      columns: name -> array [N]; texts are arrays of str; `peak` is [N, C] if recordings have several channels.
        `fingerprint`, int64 [N, 32] (fdx.data.fingerprint), and `acquisition` exist if the records have them.
      window_length: samples of every window, at the common rate.
    """

    columns: dict[str, np.ndarray]
    window_length: int

    def __len__(self) -> int:
        return len(self.columns['label'])

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def acquisitions(self) -> np.ndarray:
        """Ids of the physical runs [N]; if the records do not state them, those of the recordings."""
        return self.columns.get(ACQUISITION, self.columns['recording'])

    def fingerprints(self) -> np.ndarray | None:
        """int64 [N, 32], or None if the records have no fingerprints."""
        return self.columns.get(FINGERPRINT)
