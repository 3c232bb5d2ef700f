"""Tables that launch.compare prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fdx.evaluate.html import image_words, points
from fdx.evaluate.spread import spread_text as cell

from .display import table

COLUMNS = ('strategy', 'accuracy %', 'precision', 'recall', 'weighted F1', 'macro F1', 'recordings by vote %')
KEYS = ('weighted_precision', 'weighted_recall', 'weighted_f1', 'macro_f1')
SUMMARY_COLUMNS = (
    *('strategy', 'front end', 'image', 'windows', 'accuracy %', 'difference', 'recordings by vote %'),
    *('seconds', 's an epoch'),
)


def show(results: Mapping[str, Any]) -> None:
    """Prints a table a protocol.

    Args:
      results: of `benchmarks.compare_outcome.compare`.
    """
    trained = {s['name']: s['trained_values'] for s in results['strategies']}
    for part in results['protocols']:
        leak = f'LEAKS, {100 * part["leak_share"]:.0f}% of the scored windows' if part['leaks'] else 'does not leak'
        n = len(results['seeds'])
        print(f'\n{part["protocol"]} ({leak}); ' + (f'mean ± standard deviation of {n} seeds' if n > 1 else 'one seed'))
        rows = []
        for name, row in part['strategies'].items():
            vote, seconds = cell(row['recording_vote_accuracy'], percent=True), cell(row['seconds'], digits=1)
            middle = [cell(row[key]) for key in KEYS]
            rows.append((name, cell(row['accuracy'], percent=True), *middle, vote, seconds, f'{trained[name]:,}'))
        print(table((*COLUMNS, 'seconds', 'trained parameters'), rows))


def show_front_ends(results: Mapping[str, Any]) -> None:
    """Prints the tables of each front end, then one a protocol that compares them.

    Args:
      results: of `benchmarks.compare_front_ends.compare_front_ends`.
    """
    for part in results['front_ends']:
        window = f'windows of {part["window_samples"]:,} samples ({part["window_s"]:.3f} s)'
        print(f'\n== {part["front_end"]["name"]}: images of {image_words(part["image"])}, {window}')
        show(part)
    reference = results['front_ends'][0]['front_end']['name']
    for part in results['summary']:
        leak = 'LEAKS' if part['leaks'] else 'does not leak'
        print(
            f'\n== front ends, {part["protocol"]} ({leak}); difference in points of accuracy to {reference}, unpaired'
        )
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
        print(table(SUMMARY_COLUMNS, rows))
