"""What a user should know of a baseline, one sentence each."""

from __future__ import annotations

import numpy as np

from fdx.health.drift import Drift
from fdx.health.promise import Promise, units_for
from fdx.health.units import FEW_RECORDINGS, Units
from fdx.health.wish import Rule, Wish


def notes_of(units: Units, promise: Promise, worth: float, drift: Drift | None, wish: Wish, rule: Rule) -> list[str]:
    """The notes.

    Args:
      units: recordings or pieces.
      promise: what their held-out scores allow.
      worth: how many independent units they are worth.
      drift: of the recordings over time; None for too few.
      wish: how often a false alarm may come.
      rule: of alarms.
    """
    sample, notes = units.sample, []
    of_pieces = units.by_pieces and len(sample) > len(sample.names)
    what = 'pieces of recordings' if of_pieces else 'recordings'
    count, total = len(sample.names), len(units.clusters)
    if of_pieces:
        notes.append(
            f'only {count} healthy recording{"s" if count > 1 else ""}: {len(sample)} pieces stand for recordings, so '
            'that what differs from one recording to the next (mounting, temperature, load) is not known, and other '
            f'healthy recordings may alarm; {FEW_RECORDINGS} or more, at each speed and load, would tell'
        )
    if promise.inflation > 1:
        notes.append(
            f'the healthy {what} change over time: blocks that are left out pass the limits {promise.inflation:.1f} '
            'times as often as promised, which the promise takes into account; recordings of a longer time would do '
            'better'
        )
    if drift is not None and drift.is_clear:
        notes.append(drift.words())
    if promise.rate > wish.rate * (1 + 1e-9) and not of_pieces:
        more = int(np.ceil((units_for(wish.rate / promise.inflation, rule) - worth) * total / worth))
        notes.append(
            f'{total} healthy {what} cannot promise {wish.words()}; promised is {wish.words(promise.rate)}. '
            f'{max(more, 1)} more would do'
        )
    return notes
