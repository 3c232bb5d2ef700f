"""Findings about files: unreadable ones, bad sensors, mixed settings, stated speeds, copies."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from fdx.inspect.copies import Copy
from fdx.inspect.facts import RecordingFacts
from fdx.inspect.finding import ERROR, NOTE, WARNING, Finding, named, recordings_words

# Shares of samples from which a recording is named.
MUCH_CLIPPED, MUCH_DEAD = 1e-4, 0.01
# Estimates on real recordings lie within 3 % of a nominal speed that machines do not keep exactly.
SPEED_TOLERANCE = 0.04
# So many recordings that are off by the same factor point to their rate.
ONE_FACTOR = 3


def quality_findings(facts: Sequence[RecordingFacts], copies: Sequence[Copy]) -> list[Finding]:
    """What the user should know of the files themselves, the worst first."""
    usable = [f for f in facts if not f.error]
    return [*_unreadable(facts), *_copies(copies), *_mixed(usable), *_sensor(usable), *_speeds(usable), *_notes(usable)]


def _unreadable(facts: Sequence[RecordingFacts]) -> list[Finding]:
    bad = [f for f in facts if f.error]
    if not bad:
        return []
    kinds = Counter(f.label for f in bad if f.label)
    of = f' ({", ".join(f"{n} of {c}" for c, n in kinds.most_common(4))})' if kinds else ''
    text = f'{recordings_words(len(bad))} of {len(facts)} cannot be used{of}: {"; ".join(f.error for f in bad[:2])}'
    text += f'; and {len(bad) - 2} more' if len(bad) > 2 else ''
    return [Finding('unreadable', text, ERROR, 'repair or replace these files, or take them out of the folder')]


def _copies(copies: Sequence[Copy]) -> list[Finding]:
    found = []
    for kinds, what in (
        ([c for c in copies if c.exact], 'are the same, sample for sample'),
        ([c for c in copies if not c.exact], 'overlap, or are copies with another gain or rounding'),
    ):
        if not kinds:
            continue
        pairs = named([f'{c.first} and {c.second}' for c in kinds], 3)
        text = f'{len(kinds)} pair{"s" * (len(kinds) > 1)} of recordings {what}: {pairs}'
        contradict = [c for c in kinds if c.labels[0] != c.labels[1]]
        severity = WARNING
        if contradict:
            severity, (one, other) = ERROR, contradict[0].labels
            text += f'; {len(contradict)} of them have two different labels ({one or "none"} and {other or "none"})'
        found.append(
            Finding('copies', text, severity, 'keep one of each pair: fdx refuses to test on what it has learned')
        )
    return found


def _mixed(facts: Sequence[RecordingFacts]) -> list[Finding]:
    found = []
    units = Counter(f.unit for f in facts)
    if len(units) > 1:
        found.append(
            Finding(
                'units',
                f'files state different units: {_counted({u or "none": n for u, n in units.items()})}',
                WARNING,
                'convert all to one unit, or use `match_level`',
            )
        )
    channels = Counter(len(f.channels) for f in facts)
    if len(channels) > 1:
        text = f'files have different numbers of channels: {_counted(channels)}'
        found.append(Finding('channels', text, WARNING, 'choose the same channel of all files with `channel`'))
    rates = Counter(f'{f.sample_rate_hz:g} Hz' for f in facts)
    if len(rates) > 1:
        text = f'files have different rates: {_counted(rates)}'
        remedy = 'fdx brings all to the lowest rate and its band; check that the rates are right'
        found.append(Finding('rates', text, NOTE, remedy))
    return found


def _sensor(facts: Sequence[RecordingFacts]) -> list[Finding]:
    found = []
    for kind, bad, words, remedy in (
        (
            'clipped',
            [f for f in facts if f.clipped > MUCH_CLIPPED * f.samples * len(f.channels)],
            'peaks are clipped at the limits of the converter',
            'record with less gain: clipping changes the spectrum and hides how strong a fault is',
        ),
        (
            'dead',
            [f for f in facts if f.dead_share > MUCH_DEAD],
            'the sensor is silent or held at one value for a while',
            'check the sensor and its cable; fdx leaves out the windows that such stretches touch',
        ),
        (
            'wild',
            [f for f in facts if f.wild],
            'there are wild samples (single values that no vibration makes)',
            'check converter and transmission; fdx replaces such samples by lines between their neighbours',
        ),
        (
            'lost_time',
            [f for f in facts if f.breaks],
            'time is missing between samples',
            'no window spans such a place; record without interruption where you can',
        ),
    ):
        if bad:
            text = f'{words} in {recordings_words(len(bad))} of {len(facts)}: {named([f.recording for f in bad])}'
            severity = WARNING if kind in ('clipped', 'dead') else NOTE
            found.append(Finding(kind, text, severity, remedy))
    return found


def _speeds(facts: Sequence[RecordingFacts]) -> list[Finding]:
    estimated = [f for f in facts if f.estimate_rpm > 0 and f.speed_rpm > 0]
    off = [f for f in estimated if abs(f.estimate_rpm / f.speed_rpm - 1) > SPEED_TOLERANCE]
    if not off:
        return []
    examples = [f'{f.recording} states {f.speed_rpm:g} rpm, its harmonics say {f.estimate_rpm:.0f}' for f in off]
    text = (
        f'the stated speed disagrees with the vibration in {len(off)} of {recordings_words(len(estimated))} whose '
        f'speed stands out: {"; ".join(examples[:3])}'
    )
    text += f'; and {len(off) - 3} more' if len(off) > 3 else ''
    ratios = np.array([f.estimate_rpm / f.speed_rpm for f in estimated])
    factor = float(np.median(ratios))
    if len(off) >= ONE_FACTOR and (np.abs(ratios / factor - 1) < SPEED_TOLERANCE / 2).mean() >= 0.8:
        rates = sorted({f.sample_rate_hz for f in off})
        text += f'. All lie off by one factor, {factor:.3f}, as with a wrong sampling rate'
        text += f': about {round(rates[0] / factor, -2):g} Hz instead of {rates[0]:g} Hz' if len(rates) == 1 else ''
    remedy = 'check speeds and sampling rate: a wrong rate shifts all speeds by one factor'
    return [Finding('speed', text, WARNING, remedy)]


def _notes(facts: Sequence[RecordingFacts]) -> list[Finding]:
    """What the readers noticed, each kind of note once."""
    kinds: dict[str, list[str]] = {}
    for f in facts:
        for note in f.notes:
            # Clipped and wild samples have findings of their own; numbers differ from file to file.
            if 'clipped' not in note and 'wild samples' not in note:
                kinds.setdefault(re.sub(r'-?\d+(\.\d+)?', '#', note), []).append(f'{f.recording}: {note}')
    return [
        Finding('note', f'{rows[0]}' + (f' ({len(rows) - 1} more like it)' if len(rows) > 1 else ''), NOTE)
        for rows in list(kinds.values())[:5]
    ]


def _counted(counts: dict) -> str:
    rows = sorted(counts.items(), key=lambda item: -item[1])
    return ', '.join(f'{value} ({n})' for value, n in rows[:6]) + (
        f' and {len(rows) - 6} more' if len(rows) > 6 else ''
    )
