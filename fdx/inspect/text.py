"""An inspection as text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from fdx.inspect.inspection import Inspection
from fdx.inspect.words import (
    TextTable,
    audit_table,
    audit_words,
    channel_table,
    count_table,
    file_table,
    front_end_table,
    protocol_table,
    summary_words,
)

MAX_ROWS = 40
WIDTH = 120


def inspection_text(found: Inspection, *, rows: int = MAX_ROWS, worded: Callable[[str], str] = str) -> str:
    """The whole inspection.

    Args:
      found: what was found.
      rows: most rows of a table of files; the JSON file has all.
      worded: turns parameters in backticks into flags.
    """
    parts = [f'{found.source}: {summary_words(found)}']
    parts += _section('Recordings', _table(file_table(found.recordings), rows))
    parts += _section('Channels', _table(channel_table(found.recordings), rows))
    if found.ignored:
        names = ', '.join(f'{path} ({why})' for path, why in found.ignored[:5])
        more = f' and {len(found.ignored) - 5} more' if len(found.ignored) > 5 else ''
        parts.append(f'Passed over: {names}{more}')
    if found.unused_columns:
        parts.append(f'Columns that fdx does not use: {", ".join(found.unused_columns)}')
    parts += _section('Classes', _table(count_table(found.counts)))
    parts += _section('Protocols', _table(protocol_table(found)))
    parts += _section('Front ends', _table(front_end_table(found)))
    parts += _section('Shortcuts', f'{_table(audit_table(found))}\n{_wrapped(audit_words(found))}')
    parts += _section('Findings', _findings(found))
    parts += _section('Next', '\n'.join(found.commands))
    return worded('\n'.join(parts)) + '\n'


def _section(title: str, body: str) -> list[str]:
    return ['', title, '-' * len(title), body] if body else []


def _findings(found: Inspection) -> str:
    if not found.found:
        return 'Nothing.'
    lines = []
    for f in found.found:
        lines.append(_wrapped(f'{f.severity.upper()} ({f.kind}): {f.text}.'))
        if f.remedy:
            lines.append(_wrapped(f'To do: {f.remedy}.', '    '))
    return '\n'.join(lines)


def _wrapped(text: str, indent: str = '') -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent or '  ',
        break_long_words=False,
        break_on_hyphens=False,
    )


def _table(table: TextTable, most: int = 1000) -> str:
    """Aligned columns; the last one may be long, and is wrapped below itself."""
    if not table.rows:
        return ''
    rows = [table.header, *table.rows[:most]]
    widths = [max(len(r[i]) for r in rows) for i in range(len(table.header))]
    lines = []
    for row in rows:
        cells = [c.rjust(w) if right else c.ljust(w) for c, w, right in zip(row, widths, table.numbers)]
        line = '  '.join(cells).rstrip()
        if len(line) > WIDTH:
            start = sum(widths[:-1]) + 2 * (len(widths) - 1)
            if start < WIDTH - 30:
                line = textwrap.fill(
                    row[-1],
                    WIDTH,
                    initial_indent='  '.join([*cells[:-1], '']),
                    subsequent_indent=' ' * start,
                    break_on_hyphens=False,
                )
        lines.append(line)
    if len(table.rows) > most:
        lines.append(f'... and {len(table.rows) - most} more rows')
    return '\n'.join(lines)
