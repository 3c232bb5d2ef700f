"""How many recordings were diagnosed rightly at each speed, load and domain of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fdx.data.table import Table
from fdx.evaluate.words import in_order, spoken

# More values than these are not a table that anyone reads; they stand in results.json all the same.
MAX_SHOWN = 12
# (column of the table, what it is called, unit, digits that are kept of a number)
COLUMNS = (('domain', 'domain', '', None), ('speed_rpm', 'speed', ' rpm', 0), ('load', 'load', '', 3))


def by_condition(
    table: Table, verdicts: Sequence[Mapping[str, Any]], domain_kind: str = 'domain'
) -> list[dict[str, Any]]:
    """Right diagnoses at each value of what differs between the tested recordings.

    Args:
      table: of the dataset.
      verdicts: rows of `fdx.evaluate.recordings.per_recording`.
      domain_kind: what a domain is called (`fdx.evaluate.data_facts.data_facts`).

    Returns:
      For each of domain, speed and load with two or more known values: {'condition', 'values': [{'value' as text,
      'right', 'of'}]}. A condition that parts the recordings as an earlier one does is left out.
    """
    names, first = np.unique(table['recording'], return_index=True)
    row_of = dict(zip(names.tolist(), first.tolist()))
    rows = np.array([row_of[v['recording']] for v in verdicts])
    right = np.array([v['predicted_mean'] == v['label'] for v in verdicts])
    found, parts = [], set()
    for column, condition, unit, digits in COLUMNS:
        values = table[column][rows]
        values = values if digits is None else np.round(values.astype(np.float64), digits)
        known = values == values  # NaN is not equal to itself.
        different, number = np.unique(values, return_inverse=True)
        part = tuple(np.unique(number, return_index=True)[1][number].tolist())
        if not known.all() or len(different) < 2 or part in parts:
            continue
        parts.add(part)
        counts: list[dict[str, Any]] = [
            {
                'value': (str(value) if digits is None else spoken(float(value))) + unit,
                'right': int(right[number == i].sum()),
                'of': int((number == i).sum()),
            }
            for i, value in enumerate(different)
        ]
        if column == 'domain':
            order = in_order(c['value'] for c in counts)
            counts.sort(key=lambda c: order.index(c['value']))
            condition = domain_kind
        found.append({'condition': condition, 'values': counts})
    return found
