"""Findings that follow from the audit, the protocols and the front end together."""

from __future__ import annotations

from collections.abc import Sequence

from fdx.inspect.audit import HEALTHY, Audit, shortcut_words
from fdx.inspect.facts import RecordingFacts
from fdx.inspect.finding import ERROR, NOTE, WARNING, Finding, named, recordings_words
from fdx.inspect.splits import Protocols, protocols_of
from fdx.signal.front_ends import keeps_slow_part

# Shortcuts that preparation takes away, or that networks cannot see.
HARMLESS = ('bias', 'duration')


def short_findings(short: Sequence[RecordingFacts], window_s: float) -> list[Finding]:
    """Recordings that hold no window of the front end to begin with."""
    if not short:
        return []
    text = (
        f'one window lasts {window_s:.3g} s, longer than {recordings_words(len(short))}: '
        f'{named([f.recording for f in short])}'
    )
    return [Finding('short', text, ERROR, 'take them out of the folder: preparation refuses them')]


def coarser_findings(facts: Sequence[RecordingFacts], window_s: float, protocols: Protocols | None) -> list[Finding]:
    """A note where fault types can be tested on bearings that were not seen, and finer classes cannot."""
    kinds = sorted({f.fault_type for f in facts})
    if protocols is None or not 2 <= len(kinds) < len({f.label for f in facts}):
        return []
    coarse = protocols_of(facts, window_s, 'fault_type')
    if protocols.right == 'by_bearing' or coarse.right != 'by_bearing':
        return []
    text = f'the fault types ({named(kinds, 6)}) can be tested by bearing, the classes themselves cannot'
    remedy = 'train and evaluate with `label_key=fault_type` and `protocol=by_bearing`, too: ' + coarse.reason
    return [Finding('label_key', text, NOTE, remedy)]


def shortcut_findings(audit: Audit, labelled: Sequence[RecordingFacts], front_end: str) -> list[Finding]:
    """What the audit found; a shortcut that the front end cannot see is a note."""
    healthy = sorted({f.label for f in labelled if f.fault_type == 'normal'})
    found = []
    for a in audit.shortcuts():
        # Preparation takes different rates away, too, but not what else differs between such files.
        seen = a.nuisance not in HARMLESS or (a.nuisance == 'bias' and bool(front_end) and keeps_slow_part(front_end))
        severity = WARNING if seen else NOTE
        found.append(Finding('shortcut', shortcut_words(a, healthy), severity, a.remedy))
    for a in audit.in_order():
        found.append(Finding('order', shortcut_words(a, healthy), NOTE, a.remedy))
    for single in audit.single:
        found.append(Finding('shortcut', single.words(), WARNING, single.nuisance.remedy))
    return found


def healthy_words(target: str, healthy: Sequence[str]) -> str:
    """The name of a test's target for people."""
    return ' and '.join(healthy) if target == HEALTHY and healthy else target
