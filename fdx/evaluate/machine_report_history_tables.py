"""The tables of a report about a machine's history, and its times in words."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from fdx.evaluate.machine_report_against import sentence, state_words
from fdx.health.history_rows import short_name
from fdx.health.states import JUDGED
from fdx.health.trend import DAY_S

# Healthy standard deviations from which on a number has moved.
MOVED = 3.0


def moved_rows(row: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(what, channel, by how much) of the numbers that moved most."""
    return [
        (f'{m["set"]}: {m["what"]}', str(m['channel']), f'{m["deviations"]:+.1f}')
        for m in row.get('moved') or ()
        if abs(m['deviations']) >= MOVED
    ]


def verdict_rows(rows: Sequence[Mapping[str, Any]], most: int = 5) -> list[tuple[str, str, str]]:
    """(date, recording, what the judge said) of the last recordings that it was asked about."""
    asked = [row for row in rows if row.get('verdict')][-most:]
    found = []
    for row in reversed(asked):
        verdict = row['verdict']
        if verdict.get('state') is None:
            said = sentence(str(verdict.get('reason') or 'no verdict'))
        else:
            probability = verdict.get('probability')
            said = state_words(verdict['state']) + ('' if probability is None else f', {probability:.0%} probable')
        found.append((date(time_of(row)), short_name(row), said))
    return found


def not_judged(rows: Sequence[Mapping[str, Any]], most: int = 5) -> list[tuple[str, str, str]]:
    """(date, recording, why) of the last recordings that were not judged."""
    left = [row for row in rows if row['state'] not in JUDGED][-most:]
    return [
        (date(time_of(row)), short_name(row), f'{row["state"]}: {row.get("reason") or ""}') for row in reversed(left)
    ]


def time_of(row: Mapping[str, Any]) -> float:
    """When a row was recorded, or judged where that is not known."""
    return float(row['scored_at'] if row['recorded_at'] is None else row['recorded_at'])


def date(seconds: float) -> str:
    """'2026-01-31 14:30', by the clock of this computer."""
    return time.strftime('%Y-%m-%d %H:%M', time.localtime(seconds))


def one_in(p_value: float) -> str:
    """'1 of 40 recordings'."""
    if p_value < 1e-9:
        return 'fewer than 1 of 1,000,000,000 recordings'
    return f'{100 * p_value:.0f} of 100 recordings' if p_value > 0.1 else f'1 of {1 / p_value:,.0f} recordings'


def span(days: float) -> str:
    """'3.1 hours', '12 days'."""
    seconds = days * DAY_S
    for unit, length in (('years', 365.25 * DAY_S), ('days', DAY_S), ('hours', 3600.0), ('minutes', 60.0)):
        if seconds >= 2 * length:
            return f'{seconds / length:.2g} {unit}' if seconds < 100 * length else f'{seconds / length:,.0f} {unit}'
    return f'{seconds:.0f} seconds'
