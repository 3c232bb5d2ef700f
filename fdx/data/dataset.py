"""The interface of a prepared dataset, whether it holds recordings or a table of readings."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from fdx.data.table import Table
from fdx.data.training_range import TrainingRange
from fdx.signal.patch import InputMaker


class PreparedDataset:
    """A prepared dataset that has been opened.

    The defaults of this class are those for recordings that were cut into windows (fdx.data.source.Dataset). A table of
    readings (fdx.data.readings.ReadingsDataset) overrides them, so that callers need not know which of the two they
    have.

    Attributes:
      name: `builder/config:version`.
      data_dir: its folder.
      front_end: the front end that makes inputs of networks from it.
      metadata: what the builder stored: common_rate_hz, window_length, hop_length, guard_length and more.
      table: everything but the arrays, one row per record.
      has_images: whether an input is an image, which can be synthesised.
      has_recordings: whether rows are windows of recordings, which share one verdict.
    """

    name: str
    data_dir: pathlib.Path
    front_end: InputMaker
    metadata: dict[str, Any]
    table: Table
    has_images = True
    has_recordings = True

    def class_names(self, label_key: str = 'label') -> list[str]:
        """Names of the classes of `label` or `fault_type`."""
        raise NotImplementedError

    @property
    def has_waveform(self) -> bool:
        """Whether records keep their waveform."""
        return False

    @property
    def channels(self) -> int:
        """Channels of the recordings, or columns of the table."""
        raise NotImplementedError

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input, as a network takes it."""
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def inputs(self, row: int) -> np.ndarray:
        """The network's input from one record, before the run's gain; DataError for a row that does not exist."""
        raise NotImplementedError

    def read(self, rows: Sequence[int], field: str) -> np.ndarray:
        """One field of many records, stacked: [N, ...]; DataError for a field that does not exist."""
        raise NotImplementedError

    def training_range(self, rows: np.ndarray) -> TrainingRange:
        """Ranges of the records of `rows` (fdx.data.training_range), for the checkpoint of a run on them."""
        raise NotImplementedError

    @property
    def default_protocol(self) -> str:
        """The protocol that splits the rows if none is named."""
        return 'time_blocks'

    @property
    def csv_sha256(self) -> str | None:
        """SHA-256 of the CSV file that it was made from, '' for a table without a file, None for recordings."""
        return None

    def in_memory(self, rows: np.ndarray) -> np.ndarray | None:
        """The inputs of `rows` as one array [N, ...] if they are in memory anyway, else None."""
        return None

    def plots(self) -> tuple[str, ...]:
        """Names of the figures that show its data in a report, in order (fdx.evaluate.data_figures)."""
        return (*(('samples',) if self.has_waveform else ()), 'embedding')

    def scored_as(self, rows: np.ndarray) -> list[str]:
        """The name under which each of `rows` is scored: its recording."""
        return list(self.table['recording'][rows])

    def units(self, rows: np.ndarray, protocol: str) -> tuple[list[str], str] | None:
        """The units that count once in a confidence interval, where these are not the recordings.

        Args:
          rows: int [N], the scored rows.
          protocol: the protocol that split the rows.

        Returns:
          (name of the unit of each row [N], what such a unit is called), or None.
        """
        return None

    def scoring_note(self, leaks: bool) -> str:
        """A sentence for the report about what was scored, or ''."""
        return '' if leaks else 'Scored windows do not overlap each other: each second of a recording counts once.'
