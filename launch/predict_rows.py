"""Writes the rows of a diagnosis, and the summary of all files at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fdx.predict.asking import Outcome

# Kinds of rows about a whole file, and the number of files that the summary names.
OF_FILES = ('recording', 'table', 'error')
SHOWN = 10


def worded(row: dict, words: Callable[[str], str]) -> dict:
    """A row with `words` applied to its sentences, which turns the library's parameters into flags."""
    changed = dict(row)
    if row.get('reason'):
        changed['reason'] = words(row['reason'])
    if row.get('notes'):
        changed['notes'] = [words(note) for note in row['notes']]
    return changed


def rows_of(outcome: Outcome, words: Callable[[str], str], windows: bool) -> list[dict]:
    """The rows of a file, or the one row of its error.

    Args:
      outcome: of the file.
      words: turns the library's parameters into flags.
      windows: whether rows of windows are among them.
    """
    if outcome.error:
        return [{'kind': 'error', 'file': outcome.file, 'error': words(outcome.error)}]
    return [worded(row, words) for row in outcome.rows if windows or row['kind'] in OF_FILES]


def closing_lines(rows: Sequence[dict]) -> list[str]:
    """Lines about files that should not be overlooked: those without a verdict, and those unlike the training data."""
    files = [row for row in rows if row['kind'] in OF_FILES]
    lines = []
    for words, key in (('have no verdict', 'reason'), ('are unlike the training data', 'outside_training')):
        found = [row for row in files if row.get(key)]
        if found:
            lines.append(f'{len(found)} of {len(files)} files {words}:')
            for row in found[:SHOWN]:
                value = row[key] if isinstance(row[key], str) else '; '.join(row[key])
                lines.append(f'  {row["file"]}: {value}')
            if len(found) > SHOWN:
                lines.append(f'  ... and {len(found) - SHOWN} more, see {key!r} in their rows')
    return lines
