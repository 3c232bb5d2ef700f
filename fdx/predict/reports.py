"""Writes the rows of many files: as JSON lines, as CSV, as one HTML page; each completely or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from typing import Any

from fdx.files import atomic_write_text, to_jsonable
from fdx.predict.listing import csv_text
from fdx.predict.overview import lines_of
from fdx.predict.page import render_page


def json_line(row: dict[str, Any]) -> str:
    """A row as strict JSON, with null for NaN and infinity."""
    return json.dumps(to_jsonable(row), allow_nan=False)


def write_json_lines(path: str | os.PathLike, rows: Iterable[dict[str, Any]]) -> None:
    """All rows, windows too. FileWriteError: the file cannot be written; likewise the functions below."""
    atomic_write_text(path, ''.join(json_line(row) + '\n' for row in rows))


def write_csv(path: str | os.PathLike, rows: Sequence[dict[str, Any]]) -> None:
    """A line per file, or per reading of a table (fdx.predict.listing.CSV_COLUMNS)."""
    atomic_write_text(path, csv_text(lines_of(rows)))


def write_page(path: str | os.PathLike, rows: Sequence[dict[str, Any]], model: str) -> None:
    """The page of fdx.predict.page; `model` says in words who diagnosed."""
    atomic_write_text(path, render_page(rows, model))
