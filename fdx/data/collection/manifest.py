"""Manifests: a table with one row per recording (.csv, or .xlsx with openpyxl), read and written."""

from __future__ import annotations

import csv
import io
import os
import pathlib
from collections.abc import Iterable, Mapping, Sequence

from fdx.data.collection.columns import FIELDS, field_of_column
from fdx.files import atomic_write_text, boundary
from fdx.types import DataError

SUFFIXES = ('.csv', '.tsv', '.xlsx')
_DELIMITERS = ',;\t'
REMEDY = 'save it as a table with a header row, e.g. CSV in UTF-8'


def read_manifest(path: pathlib.Path) -> tuple[list[tuple[str, dict[str, str]]], list[str]]:
    """The rows of a manifest.

    The first row names the columns (FIELDS, and what users call them: class, rpm, fs, ...). Empty rows and rows that
    begin with # are passed over. CSV is separated by comma, semicolon or tab, in UTF-8 or Windows' Latin-1.

    Returns:
      ([(place for messages, field -> text)], names of the columns that fdx does not use).

    Raises:
      DataError: the file cannot be read, has no column `file`, names a column twice, or has a row of another length.
    """
    if not path.is_file():
        raise DataError(f'{path} is not a file; check the path of the manifest')
    with boundary('cannot read the manifest', path, REMEDY, DataError):
        table = _of_workbook(path) if path.suffix.lower() == '.xlsx' else _of_text(path)
    rows = [(number, row) for number, row in table if any(row) and not row[0].startswith('#')]
    if not rows:
        raise DataError(f'{path} is empty; its first row names the columns: file, label, ...')
    fields, extra = _fields(path, rows[0][1])
    found = []
    for number, row in rows[1:]:
        place = f'{path}, row {number}'
        if len(row) > len(fields) and any(row[len(fields) :]):
            raise DataError(
                f'{place} has {len(row)} cells under {len(fields)} columns; put cells that hold a separator into quotes'
            )
        cells = {f: text for f, text in zip(fields, row) if f is not None and text}
        if 'file' not in cells:
            raise DataError(f'{place} names no file; fill the cell, or begin the row with #')
        found.append((place, cells))
    if not found:
        raise DataError(f'{path} has no row below its header; list one recording per row')
    return found, extra


def write_manifest(path: str | os.PathLike, rows: Iterable[Mapping[str, str]]) -> None:
    """Writes a manifest as CSV, with the columns that any row fills, in the order of FIELDS.

    Raises:
      FileWriteError: the file cannot be written; what was there stays.
    """
    rows = list(rows)
    columns = [f for f in FIELDS if f in ('file', 'label') or any(row.get(f) for row in rows)]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction='ignore', restval='', lineterminator='\n')
    writer.writeheader()
    writer.writerows(rows)
    atomic_write_text(path, text.getvalue())


def _fields(path: pathlib.Path, header: Sequence[str]) -> tuple[list[str | None], list[str]]:
    fields = [field_of_column(name) for name in header]
    if 'file' not in fields:
        raise DataError(
            f'{path} has no column file; it has {", ".join(filter(None, header))}. The first row names the columns, '
            f'of which fdx knows {", ".join(FIELDS)}'
        )
    for field in FIELDS:
        if fields.count(field) > 1:
            both = [name for name, f in zip(header, fields) if f == field]
            raise DataError(f'{path}: the columns {" and ".join(both)} both mean {field}; remove one')
    return fields, [name for name, field in zip(header, fields) if field is None and name]


def _of_text(path: pathlib.Path) -> list[tuple[int, list[str]]]:
    """(row number from 1, cells) of a text file."""
    data = path.read_bytes()
    if b'\0' in data and not data.startswith((b'\xff\xfe', b'\xfe\xff')):
        raise DataError(f'{path} is not a text file; {REMEDY}')
    text = _decoded(data)
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith('#')), '')
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    return [(reader.line_num, [cell.strip() for cell in row]) for row in reader]


def _decoded(data: bytes) -> str:
    if data.startswith((b'\xff\xfe', b'\xfe\xff')):  # Excel's "Unicode text".
        return data.decode('utf-16')
    try:
        return data.decode('utf-8-sig')
    except UnicodeDecodeError:
        return data.decode('cp1252', errors='replace')


def _of_workbook(path: pathlib.Path) -> list[tuple[int, list[str]]]:
    """The same of the first sheet of an Excel workbook."""
    try:
        import openpyxl  # noqa: PLC0415  (optional: only users of .xlsx need it)
    except ImportError as e:
        raise DataError(f'{path}: reading .xlsx needs openpyxl: pip install openpyxl, or save the table as CSV') from e
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        sheet = book.worksheets[0]
        return [(i, [_cell(v) for v in row]) for i, row in enumerate(sheet.iter_rows(values_only=True), start=1)]
    finally:
        book.close()


def _cell(value: object) -> str:
    if value is None:
        return ''
    # Excel keeps whole numbers as floats.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
