"""Cells of a benchmark on the disk: what was asked stands beside what was found, so that no cell is computed twice."""

from __future__ import annotations

import json
import pathlib
from typing import Any

from fdx.files import parse_json, write_json


def read_cell(path: pathlib.Path, asked: dict[str, Any]) -> dict[str, Any] | None:
    """What an earlier call left at `path`; None where there is nothing, or the answer to another question.

    Args:
      path: of the cell.
      asked: everything that decides it, JSON-able (tuples compare as lists).
    """
    if not path.exists():
        return None
    stored = parse_json(path.read_text(encoding='utf-8'))
    return stored if stored['asked'] == json.loads(json.dumps(asked)) else None


def write_cell(path: pathlib.Path, asked: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Writes a cell and returns it as the next call will find it.

    Raises:
      FileWriteError: it cannot be written.
    """
    write_json(path, {**found, 'asked': asked})
    return json.loads(path.read_text(encoding='utf-8'))
