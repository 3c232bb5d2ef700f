"""Programs prepare the datasets that they need, and print a line about it."""

from __future__ import annotations

from fdx.data import prepare
from fdx.data.csv_tables import CsvTable


def prepare_if_missing(name: str, data_dir: str, manual_dir: str | None, csv: str | CsvTable | None = None) -> None:
    """`fdx.data.prepare.prepare_if_missing`, with its lines and TFDS's progress bars on the terminal."""
    prepare.prepare_if_missing(name, data_dir, manual_dir, csv, notify=_say, progress=True)


def _say(line: str) -> None:
    print(line, flush=True)
