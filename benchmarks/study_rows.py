"""The study as tables of text, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fdx.evaluate.spread import spread_text

from .study_figures import PUBLISHED
from .study_suite import RANDOM, RIG

Table = tuple[str, tuple[str, ...], list[tuple[str, ...]]]
COLUMNS = ('network', 'starts from', 'training %', 'validation %', 'test %', 'macro F1 %', 'seconds')


def table_of(data: Mapping[str, Any], dataset: str) -> list[Table]:
    """A table for each question to a dataset: title, header and rows.

    Args:
      data: of the page.
      dataset: whose section.
    """
    section = next(s for s in data['sections'] if s['dataset'] == dataset)
    titles, tables = {m['name']: m['title'] for m in data['models']}, []
    for task in section['tasks']:
        beside = dataset.startswith(RIG) and task['name'] == RANDOM.name
        rows = []
        for row in data['rows']:
            if (row['dataset'], row['protocol']) != (dataset, task['name']):
                continue
            shares = [spread_text(row[k], percent=True) for k in ('train', 'validation', 'test', 'macro_f1')]
            seconds = f'{sum(row["seconds"]) / len(row["seconds"]):.0f}'
            own = (titles[row['model']], row['init'], *shares, seconds)
            rows.append((*own, *((f'{PUBLISHED[row["model"]].test:.2f}',) if beside else ())))
        leak = ' (LEAKS)' if task['leaks'] else ''
        header = (*COLUMNS, *(('the study: test %',) if beside else ()))
        tables.append((f'{task["name"]}{leak}: {task["words"]}', header, rows))
    return tables
