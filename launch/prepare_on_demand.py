"""Programs prepare the datasets that they need, and print a line about it."""

from __future__ import annotations

from fdx.data import prepare
from fdx.data.csv_tables import CsvTable

from .own_recordings import prepare_own_recordings
from .recordings_flags import check_own_name, recordings_of_flags


def prepare_if_missing(name: str, data_dir: str, manual_dir: str | None, csv: str | CsvTable | None = None) -> str:
    """`fdx.data.prepare.prepare_if_missing`, with its lines and TFDS's progress bars on the terminal.

    A user's own recordings are those of the flag --recordings, where the program has it and it is given.

    Returns:
      The dataset's name; of own recordings with the version of their present content.
    """
    recordings = recordings_of_flags()
    if recordings is not None:
        check_own_name(name)
        return prepare_own_recordings(name, data_dir, recordings)
    return prepare.prepare_if_missing(name, data_dir, manual_dir, csv, notify=_say, progress=True)


def _say(line: str) -> None:
    print(line, flush=True)
