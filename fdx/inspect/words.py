"""The tables of an inspection as texts, for the terminal and for its page."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

from fdx.inspect.audit import EXPLAINED, IN_ORDER, SAME, SHORTCUT
from fdx.inspect.conclusions import healthy_words
from fdx.inspect.facts import ChannelFacts, RecordingFacts
from fdx.inspect.inspection import Inspection

NOT_KNOWN = '-'
# More conditions than these are not shown as columns.
MAX_CONDITIONS = 8


@dataclasses.dataclass(frozen=True)
class TextTable:
    """A table of texts.

    Attributes:
      header: titles of the columns.
      rows: cells.
      numbers: which columns are numbers, to be aligned to the right.
    """

    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    numbers: tuple[bool, ...]


def number(value: float | None, digits: int = 3) -> str:
    """'0.0123', '-' where it is unknown."""
    return NOT_KNOWN if value is None or not math.isfinite(value) else f'{value:.{digits}g}'


def file_table(facts: Sequence[RecordingFacts]) -> TextTable:
    """One row per recording: its file."""
    header = (
        'recording',
        'class',
        'format',
        'rate (Hz)',
        'rate from',
        'seconds',
        'channels',
        'unit',
        'rpm',
        'dead',
        'wild',
    )
    rows = [
        (
            f.recording,
            f.label or NOT_KNOWN,
            f.format,
            number(f.sample_rate_hz, 7),
            f.rate_from,
            number(f.duration_s, 4),
            str(len(f.channels)),
            f.unit or NOT_KNOWN,
            _speed(f),
            f'{100 * f.dead_share:.0f} %' if f.dead_share else '',
            str(f.wild or ''),
        )
        for f in facts
        if not f.error
    ]
    return TextTable(header, rows, (False, False, False, True, False, True, True, False, True, True, True))


# Column -> what it shows of a channel.
_OF_CHANNEL: dict[str, Callable[[ChannelFacts, RecordingFacts], str]] = {
    'RMS': lambda c, f: number(c.rms),
    'peak': lambda c, f: number(c.peak),
    'crest': lambda c, f: number(c.crest),
    'kurtosis': lambda c, f: number(c.kurtosis),
    'bias': lambda c, f: number(c.bias),
    'clipped': lambda c, f: str(c.clipped or ''),
    'step': lambda c, f: NOT_KNOWN if c.step is None else number(c.step),
    'noise floor': lambda c, f: number(c.noise_floor, 2),
    'band (Hz)': lambda c, f: number(c.band_edge_hz, 5),
}


def channel_table(facts: Sequence[RecordingFacts]) -> TextTable:
    """One row per channel: its numbers."""
    rows = [
        (f.recording, c.name, *(show(c, f) for show in _OF_CHANNEL.values()))
        for f in facts
        if not f.error
        for c in f.channels
    ]
    return TextTable(('recording', 'channel', *_OF_CHANNEL), rows, (False, False, *[True] * len(_OF_CHANNEL)))


def count_table(counts: Sequence[dict[str, Any]]) -> TextTable:
    """Recordings of every class (and machine) by load and speed, as columns where these are few."""
    sides = [k for k in ('class', 'machine') if any(r[k] for r in counts)] or ['class']
    conditions = list(dict.fromkeys(_condition(r) for r in sorted(counts, key=_in_order)))
    several = 1 < len(conditions) <= MAX_CONDITIONS
    rows: dict[tuple, dict[str, float]] = {}
    for r in counts:
        row = rows.setdefault(tuple(r[k] or NOT_KNOWN for k in sides), dict.fromkeys((*conditions, 'n', 's', 'b'), 0))
        for key, value in ((_condition(r), 'recordings'), ('n', 'recordings'), ('s', 'seconds'), ('b', 'bearings')):
            row[key] += r[value]
    more = [(c, c) for c in conditions] if several else []
    more += [('bearings', 'b')] if any(r['b'] for r in rows.values()) else []
    texts = [
        (*side, *(str(int(row[key]) or '') for _, key in more), str(int(row['n'])), number(row['s'], 4))
        for side, row in rows.items()
    ]
    header = (*sides, *(title for title, _ in more), 'recordings', 'seconds')
    return TextTable(header, texts, (*[False] * len(sides), *[True] * (len(header) - len(sides))))


def _condition(row: dict[str, Any]) -> str:
    """'1800 rpm, load 11'."""
    speed = '' if row['speed_rpm'] is None else f'{row["speed_rpm"]:g} rpm'
    load = '' if row['load'] is None else f'load {row["load"]:g}'
    return ', '.join(part for part in (speed, load) if part) or 'any'


def _in_order(row: dict[str, Any]) -> tuple[float, float]:
    speed, load = (-math.inf if row[k] is None else float(row[k]) for k in ('speed_rpm', 'load'))
    return speed, load


def protocol_table(found: Inspection) -> TextTable:
    """The protocols, the right one first."""
    fits = () if found.protocols is None else found.protocols.fits
    right = '' if found.protocols is None else found.protocols.right
    ordered = sorted(fits, key=lambda f: (f.name != right, not f.possible))
    rows = [(f.name, 'use this' if f.name == right else 'possible' if f.possible else 'no', f.reason) for f in ordered]
    return TextTable(('protocol', 'fits', 'what its score answers, or why it does not fit'), rows, (False,) * 3)


def front_end_table(found: Inspection) -> TextTable:
    """The front ends, the one to begin with first."""
    first = found.advice.front_end
    ordered = sorted(found.front_ends, key=lambda f: (f.name != first, not f.fits))
    rows = [(f.name, 'begin here' if f.name == first else 'yes' if f.fits else 'no', f.reason) for f in ordered]
    return TextTable(('front end', 'fits', 'what it sees, or why it does not fit'), rows, (False,) * 3)


def audit_table(found: Inspection) -> TextTable:
    """What each nuisance tells, shortcuts first."""
    healthy = sorted({f.label for f in found.usable if f.fault_type == 'normal'})
    rows = []
    for a in found.audit.nuisances:
        if a.verdict == SAME:
            rows.append((a.nuisance, 'no', '', '', '', 'the same for all, as far as a network could see'))
            continue
        best = (a.told() or a.tests)[0]
        what = {SHORTCUT: 'SHORTCUT', EXPLAINED: 'explained', IN_ORDER: 'in order'}.get(a.verdict, 'no')
        why = 'a fault changes it, too, and the difference is no larger than that' if a.verdict == EXPLAINED else ''
        if a.gap is not None:
            why = f'groups {a.gap:.0f} times apart without overlap: more than a fault explains'
        target = healthy_words(best.target, healthy)
        rows.append((a.nuisance, what, target, f'{100 * best.accuracy:.0f} %', f'{best.p:.3f}', why))
    for s in found.audit.single:
        rows.insert(0, (s.nuisance.name, 'SHORTCUT', s.label, '', '', f'{s.mine} against {s.others}; not tested: '
                        'too few recordings'))  # fmt: skip
    header = ('nuisance', 'shortcut', 'best told', 'balanced accuracy', 'p', '')
    return TextTable(header, rows, (False, False, False, True, True, False))


def audit_words(found: Inspection) -> str:
    """How the audit was made, in words."""
    audit = found.audit
    if audit.impossible:
        return f'Nothing could be scored: {audit.impossible}.'
    skipped = f' Classes with one recording were not scored: {", ".join(audit.skipped)}.' if audit.skipped else ''
    return (
        f'A nearest-centroid classifier saw one nuisance at a time, scored on {audit.recordings} recordings with whole '
        f'{audit.left_out} left out; p compares it with 999 relabellings and is corrected for the number of nuisances '
        f'and classes. A collection without shortcuts raises a false alarm with a probability of '
        f'{100 * audit.alpha:.0f} %. Nuisances that the recorder gives all files alike cannot be seen here.{skipped}'
    )


def summary_words(found: Inspection) -> str:
    """The first line: how many recordings, classes, hours, rates."""
    usable = found.usable
    labels = {f.label for f in usable if f.label}
    seconds = sum(f.duration_s for f in usable)
    length = (
        f'{seconds / 3600:.3g} hours'
        if seconds >= 3600
        else f'{seconds / 60:.3g} minutes'
        if seconds >= 120
        else f'{seconds:.3g} s'
    )
    rates = sorted({f.sample_rate_hz for f in usable})
    rate = ' and '.join(f'{r:g}' for r in rates[:3]) + (f' and {len(rates) - 3} more' if len(rates) > 3 else '')
    channels = sorted({len(f.channels) for f in usable})
    return f'{len(found.recordings):,} recordings ({len(usable):,} can be used), {len(labels)} classes, {length}' + (
        f', {rate} Hz, {" or ".join(map(str, channels))} channel{"s" * (channels != [1])}' if usable else ''
    )


def _speed(f: RecordingFacts) -> str:
    if not f.speed_rpm > 0:
        return number(f.speed_rpm, 5)
    return f'{f.speed_rpm:.5g}' + (f' (seen {f.estimate_rpm:.0f})' if f.estimate_rpm > 0 else '')
