"""A comparison as tables of text: title, header and rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fdx.evaluate.html import image_words, points
from fdx.evaluate.spread import spread_text as cell

COLUMNS = ('strategy', 'accuracy %', 'precision', 'recall', 'weighted F1', 'macro F1', 'recordings by vote %')
KEYS = ('weighted_precision', 'weighted_recall', 'weighted_f1', 'macro_f1')
SUMMARY_COLUMNS = (
    *('strategy', 'front end', 'image', 'windows', 'accuracy %', 'difference', 'recordings by vote %'),
    *('seconds', 's per epoch'),
)


# Title, header and rows.
Table = tuple[str, Sequence[str], list[tuple[str, ...]]]


def strategy_tables(results: Mapping[str, Any]) -> list[Table]:
    """A table for each protocol.

    Args:
      results: of `benchmarks.compare_outcome.compare`.
    """
    trained = {s['name']: s['trained_values'] for s in results['strategies']}
    n, tables = len(results['seeds']), []
    for part in results['protocols']:
        leak = f'LEAKS, {100 * part["leak_share"]:.0f}% of the scored windows' if part['leaks'] else 'does not leak'
        seeds = f'mean ± standard deviation of {n} seeds' if n > 1 else 'one seed'
        rows = []
        for name, row in part['strategies'].items():
            vote, seconds = cell(row['recording_vote_accuracy'], percent=True), cell(row['seconds'], digits=1)
            middle = [cell(row[key]) for key in KEYS]
            rows.append((name, cell(row['accuracy'], percent=True), *middle, vote, seconds, f'{trained[name]:,}'))
        title = f'{part["protocol"]} ({leak}); {seeds}'
        tables.append((title, (*COLUMNS, 'seconds', 'trained parameters'), rows))
    return tables


def front_end_title(part: Mapping[str, Any]) -> str:
    """The heading of the tables of one front end."""
    window = f'windows of {part["window_samples"]:,} samples ({part["window_s"]:.3f} s)'
    return f'== {part["front_end"]["name"]}: images of {image_words(part["image"])}, {window}'


def front_end_tables(results: Mapping[str, Any]) -> list[Table]:
    """A table for each protocol, which compares the front ends.

    Args:
      results: of `benchmarks.compare_front_ends.compare_front_ends`.
    """
    reference, tables = results['front_ends'][0]['front_end']['name'], []
    for part in results['summary']:
        leak = 'LEAKS' if part['leaks'] else 'does not leak'
        title = f'== front ends, {part["protocol"]} ({leak}); difference in points of accuracy to {reference}, unpaired'
        rows = [
            (
                row['strategy'],
                row['front_end'],
                image_words(row['image']),
                f'{row["windows"]:,}',
                cell(row['accuracy'], percent=True),
                points(row['difference']),
                cell(row['recording_vote_accuracy'], percent=True),
                cell(row['seconds'], digits=1),
                cell(row['seconds_an_epoch'], digits=2),
            )
            for row in part['rows']
        ]
        tables.append((title, SUMMARY_COLUMNS, rows))
    return tables
