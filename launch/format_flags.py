"""Flags that say how a file is written: a text file that is ambiguous, or one of bare numbers without a header."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

from absl import flags

from fdx.data.raw.binary import BYTE_ORDERS, DTYPES, BinaryFormat
from fdx.data.raw.format import NO_TIME, TIME_UNITS_S, TextFormat
from fdx.data.raw.request import BINARY_SUFFIXES, TABLE_SUFFIXES
from fdx.types import ConfigError

TEXT_FLAGS = ('delimiter', 'decimal', 'header', 'time_column', 'time_unit', 'columns')
# Flag -> field of BinaryFormat.
BINARY_FLAGS = {
    'dtype': 'dtype',
    'channels': 'num_channels',
    'byte_order': 'byte_order',
    'offset_bytes': 'offset_bytes',
}
FORMAT_FLAGS = (*TEXT_FLAGS, *BINARY_FLAGS)
FLAGS = flags.FLAGS
# The flags belong to the program that defines them by calling this module.
flags.disclaim_key_flags()


@dataclasses.dataclass(frozen=True)
class Formats:
    """What the flags say: of text files, and of files without header (None where nothing is said)."""

    text: TextFormat
    binary: BinaryFormat | None

    def of(self, path: str, named: Sequence[str]) -> dict[str, Any]:
        """The options `text_format` and `binary_format` for one file.

        In a folder, the flags apply to files of their kind only; a file that is named must be one.

        Args:
          path: the file.
          named: the arguments of the command line; `path` is one of them, or is in one of these folders.
        """
        suffix = pathlib.PurePath(path).suffix.lower()
        text = self.text
        if suffix == '.parquet' and path not in named:  # only of text files beside it
            text = dataclasses.replace(text, delimiter=None, decimal=None, header=None)
        applies = text.given and (suffix in TABLE_SUFFIXES or path in named)
        binary = suffix in BINARY_SUFFIXES or path in named
        return {'text_format': text if applies else None, 'binary_format': self.binary if binary else None}


def define_format_flags() -> None:
    """The flags of text files, and those of files without header."""
    _define_text_flags()
    flags.DEFINE_enum(
        'dtype', None, DTYPES, f'of files without header ({", ".join(BINARY_SUFFIXES)}): the type of their numbers'
    )
    flags.DEFINE_integer('channels', 1, 'of files without header: numbers per sample, one of each channel in turn')
    flags.DEFINE_enum('byte_order', 'little', BYTE_ORDERS, 'of files without header: their byte order')
    flags.DEFINE_integer('offset_bytes', 0, 'of files without header: bytes to skip before the first sample')


def _define_text_flags() -> None:
    flags.DEFINE_string(
        'delimiter', None, 'of text files: what separates cells: one character, or comma, semicolon, tab, pipe, space'
    )
    flags.DEFINE_string('decimal', None, 'of text files: the decimal sign, . or , (the other one groups thousands)')
    flags.DEFINE_string(
        'header',
        None,
        'of text files: yes (the first row holds names, even if they are numbers), no, or the row of the header in the '
        'file, from 1',
    )
    flags.DEFINE_string(
        'time_column',
        None,
        f'of text files: the column of times, by name, or by number from 1 where there is no header; {NO_TIME} where '
        'there is none',
    )
    flags.DEFINE_string('time_unit', None, f'of text files: the unit of the times: {", ".join(TIME_UNITS_S)}')
    flags.DEFINE_list(
        'columns',
        None,
        'of text files: the columns of samples to keep in this order, by name, or by number from 1 where there is no '
        'header; the others may hold anything',
    )


def formats_of_flags() -> Formats:
    """What the flags say.

    Raises:
      ConfigError: a value is impossible for any file, or --dtype is missing beside the flags that go with it.
    """
    values = {name: FLAGS[name].value for name in TEXT_FLAGS}
    if values['columns'] is not None:
        values['columns'] = tuple(values['columns'])
        if not values['columns']:
            raise ConfigError('--columns=: name the columns of samples to keep')
    given = [f'--{name}' for name in BINARY_FLAGS if FLAGS[name].present]
    if given and FLAGS['dtype'].value is None:
        raise ConfigError(f'{" and ".join(given)}: goes with --dtype, the type of the numbers of a file without header')
    binary = {field: FLAGS[name].value for name, field in BINARY_FLAGS.items()}
    return Formats(TextFormat(**values), BinaryFormat(**binary) if given else None)


def check_formats(paths: Sequence[str], formats: Formats) -> None:
    """Refuses flags of a kind of files if there is none.

    Raises:
      ConfigError: names the flags.
    """
    suffixes = {pathlib.PurePath(path).suffix.lower() for path in paths}
    if formats.text.given and not suffixes & set(TABLE_SUFFIXES):
        raise ConfigError(
            f'{" ".join(formats.text.given)}: said of text files ({", ".join(TABLE_SUFFIXES)}), but there is none; '
            'leave it out'
        )
    if formats.binary is not None and not suffixes & set(BINARY_SUFFIXES):
        raise ConfigError(
            f'--dtype={formats.binary.dtype}: said of files without header ({", ".join(BINARY_SUFFIXES)}), but there '
            'is none; leave it out'
        )
