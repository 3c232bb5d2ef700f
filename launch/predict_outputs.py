"""Where rows of predictions go: --format on standard output, --out into files."""

from __future__ import annotations

import logging
import os
import pathlib
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import Any

from absl import flags

from fdx.predict.listing import TextTable, common_folder, csv_text, printable
from fdx.predict.overview import Line, lines_of, shared_warnings, verdict_counts
from fdx.predict.reports import json_line, write_csv, write_json_lines, write_page
from fdx.types import ConfigError, FdxError

FLAGS = flags.FLAGS
flags.disclaim_key_flags()

JSON, TABLE, CSV = 'json', 'table', 'csv'
NO_OUTPUT = {'.xlsx', '.xls', '.ods', '.tsv', '.pdf', '.md', '.parquet', '.png'}
# Where the width of the terminal is not known.
WIDTH = 120
Row = dict[str, Any]


def define_output_flags() -> None:
    """--format, --windows and --out."""
    flags.DEFINE_enum(
        'format', None, [TABLE, JSON, CSV], 'of standard output; by default a table on a terminal, else JSON lines'
    )
    flags.DEFINE_bool('windows', True, 'whether JSON lines have one for every window, or for recordings only')
    flags.DEFINE_multi_string(
        'out',
        None,
        'files for the results, by suffix: FILE.csv, FILE.html (a page), anything else JSON lines; may be given '
        'several times, or as a list with commas',
    )


def out_files() -> list[str]:
    """The files of --out.

    Raises:
      ConfigError: a file that cannot be written in the format of its suffix, or is named twice.
    """
    files = [os.path.expanduser(name) for value in FLAGS.out or () for name in value.split(',') if name]
    for name in files:
        if pathlib.PurePath(name).suffix.lower() in NO_OUTPUT:
            raise ConfigError(f'--out={name}: results are written as .jsonl, .csv or .html')
        if files.count(name) > 1:
            raise ConfigError(f'--out={name}: named twice')
    return files


def write_files(files: Sequence[str], rows: Sequence[Row], model: str) -> None:
    """Writes the rows into each file; raises the first error when all were tried."""
    errors = []
    for name in files:
        suffix = pathlib.PurePath(name).suffix.lower()
        try:
            if suffix == '.csv':
                write_csv(name, rows)
            elif suffix in ('.html', '.htm'):
                write_page(name, rows, model)
            else:
                write_json_lines(name, rows)
        except FdxError as e:
            errors.append(e)
    if errors:
        raise errors[0]


def format_of_flags() -> str:
    """--format, or what suits standard output."""
    return FLAGS.format or (TABLE if sys.stdout.isatty() else JSON)


class Printer:
    """Prints rows to standard output.

    JSON lines come at once. A table or CSV comes at the end, or, `as_they_come`, line by line.
    """

    def __init__(self, form: str, *, as_they_come: bool = False):
        """Args: one of JSON, TABLE and CSV."""
        self._form, self._as_they_come = form, as_they_come
        if form == TABLE:
            # The notes of a file stand in its line; as warnings they would stand above the table once more.
            logging.getLogger('fdx.data.raw.files').setLevel(logging.ERROR)
        self._rows: list[Row] = []
        self._table: TextTable | None = None
        self._began = False

    def show(self, rows: Sequence[Row]) -> None:
        """Prints the rows of one file, or keeps them for the end."""
        if self._form == JSON:
            for row in rows:
                print(json_line(row), flush=True)
        elif self._as_they_come:
            self._print(lines_of(rows))
        else:
            self._rows += [row for row in rows if row['kind'] != 'window']

    def end(self) -> None:
        """Prints what was kept, and below a table how many files have which verdict."""
        if self._form == JSON or self._as_they_come:
            return
        lines, shared = lines_of(self._rows), []
        if self._form == TABLE:
            lines, shared = shared_warnings(lines)
        self._print(lines)
        if self._form == TABLE:
            counts = ', '.join(f'{n} {words}' for words, n in verdict_counts(lines).items())
            say(f'\n{len({line.file for line in lines})} files: {counts}')
            for text in shared:
                say(printable(text))

    def _print(self, lines: Sequence[Line]) -> None:
        if self._form == CSV:
            say(csv_text(lines, header=not self._began), end='')
        else:
            if self._table is None:
                self._table = self._new_table([line.file for line in lines], [line.said for line in lines])
                say(self._table.head(next((line.score_kind for line in lines if line.scores), 'probability')))
            for line in lines:
                say(self._table.lines(line))
        self._began = True

    def _new_table(self, files: Sequence[str], verdicts: Sequence[str]) -> TextTable:
        width = shutil.get_terminal_size((WIDTH, 24)).columns
        if self._as_they_come:  # Names and verdicts to come may be longer.
            return TextTable(['x' * width], width, [*verdicts, 'x' * 16])
        return TextTable(files, width, verdicts, common_folder(files))


def say(text: str, end: str = '\n', out: Callable[..., None] = print) -> None:
    """Prints text of which the terminal's encoding may lack characters; these become escapes."""
    encoding = getattr(sys.stdout, 'encoding', None) or 'utf-8'
    out(text.encode(encoding, 'backslashreplace').decode(encoding), end=end, flush=True)
