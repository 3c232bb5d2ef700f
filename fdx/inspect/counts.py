"""What a collection holds: recordings by class, machine, load and speed, and findings about them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from fdx.inspect.facts import RecordingFacts
from fdx.inspect.finding import ERROR, NOTE, WARNING, Finding, named, recordings_words

# A class that is so many times rarer than another is named.
IMBALANCE = 5
FEW = 3


def counts_of(facts: Sequence[RecordingFacts]) -> list[dict[str, Any]]:
    """Usable recordings by class, fault_type, machine, load and speed_rpm, with recordings, seconds, bearings."""
    rows: dict[tuple, dict[str, Any]] = {}
    for f in facts:
        if f.error:
            continue
        key = (f.label, f.fault_type, f.machine, _known(f.load), _known(f.speed_rpm))
        row = rows.setdefault(key, {'recordings': 0, 'seconds': 0.0, 'bearings': set()})
        row['recordings'] += 1
        row['seconds'] += f.duration_s
        row['bearings'] |= {f.bearing} - {''}
    names = ('class', 'fault_type', 'machine', 'load', 'speed_rpm')
    ordered = sorted(rows.items(), key=lambda item: (*item[0][:3], *map(_order, item[0][3:])))
    return [{**dict(zip(names, key)), **row, 'bearings': len(row['bearings'])} for key, row in ordered]


def class_findings(facts: Sequence[RecordingFacts]) -> list[Finding]:
    """Findings about the classes of recordings that can be used."""
    usable = [f for f in facts if not f.error]
    found = []
    unlabelled = [f for f in usable if not f.label]
    if unlabelled:
        where = 'none of the recordings has' if len(unlabelled) == len(usable) else f'{len(unlabelled)} recordings lack'
        remedy = (
            'put the files of each class into a folder of its own, name a `pattern` with {label}, or write a manifest '
            'with `fdx manifest`'
        )
        found.append(Finding('labels', f'{where} a class: {named([f.recording for f in unlabelled])}', ERROR, remedy))
    counts = Counter(f.label for f in usable if f.label)
    if len(counts) == 1:
        text = f'{next(iter(counts))} is the only class; a classifier needs two'
        found.append(Finding('classes', text, ERROR, 'add recordings of another state, healthy ones first'))
    if len(counts) > 1:
        found += _of_several(counts, usable)
    return found


def _of_several(counts: Counter, usable: Sequence[RecordingFacts]) -> list[Finding]:
    found = []
    few = [f'{c} ({n})' for c, n in counts.items() if n < FEW]
    if few:
        text = f'classes with fewer than {FEW} recordings: {named(few, 6)}; these can only be split by time'
        remedy = 'record at least three of each, after mounting the part anew'
        found.append(Finding('classes', text, WARNING, remedy))
    (most, n), (least, k) = counts.most_common()[0], counts.most_common()[-1]
    if n >= IMBALANCE * k:
        text = f'{most} has {recordings_words(n)} and {least} has {k}'
        found.append(Finding('balance', text, NOTE, 'record more of the rare classes, or train with class weights'))
    if not any(f.fault_type == 'normal' for f in usable):
        text = 'no class is the healthy machine, as far as names tell'
        remedy = (
            'record the healthy machine, too; if a class is it, write normal into the column fault_type of a manifest'
        )
        found.append(Finding('healthy', text, NOTE, remedy))
    domains = {f.domain for f in usable}
    held = {c: {f.domain for f in usable if f.label == c} for c in counts}
    partial = [f'{c} ({len(held[c])} of {len(domains)})' for c in counts if held[c] != domains]
    if len(domains) > 1 and partial:
        text = (
            f'not every class was recorded in every domain (machine or operating condition): {named(partial, 6)}; a '
            'network can take the condition for the class'
        )
        found.append(Finding('confounded', text, WARNING, 'record every class at the same speeds, loads and machines'))
    return found


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _order(value: float | None) -> float:
    return -math.inf if value is None else value
