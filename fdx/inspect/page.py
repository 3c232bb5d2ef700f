"""An inspection as one HTML page, without script and without other files."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable

import jinja2

from fdx.files import atomic_write_text
from fdx.html import page_environment
from fdx.inspect.inspection import Inspection
from fdx.inspect.words import (
    audit_table,
    audit_words,
    channel_table,
    count_table,
    file_table,
    front_end_table,
    protocol_table,
    summary_words,
)

# A page of 10,000 recordings would be slow on a phone; the JSON file has all.
MAX_ROWS = 500


def write_page(path: str | os.PathLike, found: Inspection, worded: Callable[[str], str] = str) -> None:
    """Writes the page.

    Args:
      path: of the .html file.
      found: what was found.
      worded: turns parameters in backticks into flags.

    Raises:
      FileWriteError: the file cannot be written; what was there stays.
    """
    atomic_write_text(path, inspection_page(found, worded))


def inspection_page(found: Inspection, worded: Callable[[str], str] = str) -> str:
    """The text of the page."""
    tables = {
        'Classes': count_table(found.counts),
        'Protocols': protocol_table(found),
        'Front ends': front_end_table(found),
        'Shortcuts': audit_table(found),
        'Recordings': file_table(found.recordings),
        'Channels': channel_table(found.recordings),
    }
    words = {
        'Protocols': ''
        if found.protocols is None
        else f'{found.protocols.right or "None fits"}: {found.protocols.reason}.',
        'Shortcuts': audit_words(found),
    }
    return (
        _environment()
        .get_template('inspection.html.j2')
        .render(
            found=found,
            summary=summary_words(found),
            tables={title: t for title, t in tables.items() if t.rows},
            words=words,
            most=MAX_ROWS,
            worded=worded,
            numbered=False,
        )
    )


@functools.cache
def _environment() -> jinja2.Environment:
    return page_environment('fdx.inspect')
