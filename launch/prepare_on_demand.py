"""Programs prepare the datasets that they need, and print a line about it."""

from __future__ import annotations

import pathlib

from fdx.data import prepare
from fdx.data.collection.built_root import built_folder
from fdx.data.collection.own import BUILT
from fdx.data.csv_tables import CsvTable
from fdx.data.source import prepared_folder
from fdx.types import DataError

from .own_recordings import prepare_own_recordings
from .recordings_flags import check_own_name, given_flags, recordings_of_flags


def prepare_if_missing(
    name: str, data_dir: str, manual_dir: str | None, csv: str | CsvTable | None = None, *, renew: bool = False
) -> str:
    """`fdx.data.prepare.prepare_if_missing`, with its lines and TFDS's progress bars on the terminal.

    A user's own recordings are those of the flag --recordings, where the program has it and it is given. A dataset of
    bearing-datasets is looked for unless it is prepared and no flag asks for anything else.

    Args:
      name: of the dataset.
      data_dir: folder of prepared datasets.
      manual_dir: folder of raw recordings, or of built datasets.
      csv: see `fdx.data.prepare.prepare_if_missing`.
      renew: whether the content of a dataset of bearing-datasets is compared even if it is prepared.

    Returns:
      The dataset's name; of own recordings with the version of their present content.
    """
    recordings = recordings_of_flags(built_source(name, data_dir, manual_dir, renew=renew))
    if recordings is not None:
        check_own_name(name)
        return prepare_own_recordings(name, data_dir, recordings)
    return prepare.prepare_if_missing(name, data_dir, manual_dir, csv, notify=_say, progress=True)


def built_source(name: str, data_dir: str, manual_dir: str | None, *, renew: bool = False) -> str:
    """The folder of the built dataset that a name means and that must be read; '' for all others."""
    given = given_flags()
    if name.partition('/')[0] != BUILT or 'recordings' in given:
        return ''
    if not renew and not given:
        try:
            prepared_folder(name, pathlib.Path(data_dir))
        except DataError:
            pass
        else:
            return ''
    return str(built_folder(name, manual_dir))


def _say(line: str) -> None:
    print(line, flush=True)
