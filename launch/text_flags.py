"""Flags that describe the format of a text file, for files that are ambiguous."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

from absl import flags

from fdx.data.raw.files import TEXT_SUFFIXES
from fdx.data.raw.format import NO_TIME, TIME_UNITS_S
from fdx.data.raw.text import TextFormat
from fdx.types import ConfigError

TEXT_FLAGS = ('delimiter', 'decimal', 'header', 'time_column', 'time_unit', 'columns')
FLAGS = flags.FLAGS
# The flags belong to the program that defines them by calling this module.
flags.disclaim_key_flags()


def define_text_flags() -> None:
    """--delimiter, --decimal, --header, --time_column, --time_unit and --columns."""
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


def text_format_of_flags() -> TextFormat:
    """The format that the flags describe.

    Raises:
      ConfigError: a value is impossible for any file.
    """
    values = {name: FLAGS[name].value for name in TEXT_FLAGS}
    if values['columns'] is not None:
        values['columns'] = tuple(values['columns'])
        if not values['columns']:
            raise ConfigError('--columns=: name the columns of samples to keep')
    return TextFormat(**values)


def text_format_for(path: str, text_format: TextFormat, named: Sequence[str]) -> TextFormat | None:
    """The format for one file. In a folder, the flags apply to text files only; a file that is named must be one.

    Args:
      path: the file.
      text_format: the format that the flags describe.
      named: the arguments of the command line; `path` is one of them, or is in one of these folders.

    Returns:
      None if the flags say nothing about this file.
    """
    is_text = pathlib.PurePath(path).suffix.lower() in TEXT_SUFFIXES
    return text_format if text_format.given and (is_text or path in named) else None


def check_text_flags(paths: Sequence[str], text_format: TextFormat) -> None:
    """Refuses flags of text files if there is no text file.

    Raises:
      ConfigError: names the flags.
    """
    if text_format.given and not any(pathlib.PurePath(p).suffix.lower() in TEXT_SUFFIXES for p in paths):
        raise ConfigError(
            f'{" ".join(text_format.given)}: said of text files ({", ".join(TEXT_SUFFIXES)}), but there is none; leave '
            'it out'
        )
