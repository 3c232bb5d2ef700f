"""Inspects a collection: what its recordings are, what they can show, and what would tell their classes by accident."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from fdx.data.collection.collect import open_collection
from fdx.data.collection.entry import Collection
from fdx.data.collection.spec import CollectionSpec
from fdx.inspect.audit import Audit
from fdx.inspect.commands import Advice, commands_of
from fdx.inspect.conclusions import coarser_findings, short_findings, shortcut_findings
from fdx.inspect.copies import find_copies
from fdx.inspect.counts import class_findings, counts_of
from fdx.inspect.facts import RecordingFacts
from fdx.inspect.finding import SEVERITIES, Finding
from fdx.inspect.inputs import FrontEndFit, front_ends_of, recommended, too_short
from fdx.inspect.look import Look, Progress, look_at_all
from fdx.inspect.quality import quality_findings
from fdx.inspect.shortcuts import audit_shortcuts
from fdx.inspect.splits import Protocols, protocols_of
from fdx.signal.front_ends import DEFAULT_FRONT_END, DEFAULT_TRIAXIAL
from fdx.types import DataError


@dataclasses.dataclass(frozen=True)
class Inspection:
    """What was found.

    Attributes:
      source: the folder, manifest or dataset.
      recordings: facts of every recording, in the collection's order.
      counts: rows of class, machine, load and speed with their numbers of recordings.
      audit: the audit of shortcuts.
      protocols: how the recordings can be split; None where there are not two classes.
      front_ends: which front ends fit.
      advice: what to begin with.
      commands: ready to paste.
      found: findings, the worst first.
      ignored: files that are no recordings, as (path, why).
      unused_columns: of a manifest.
    """

    source: str
    recordings: tuple[RecordingFacts, ...]
    counts: tuple[dict[str, Any], ...]
    audit: Audit
    protocols: Protocols | None
    front_ends: tuple[FrontEndFit, ...]
    advice: Advice
    commands: tuple[str, ...]
    found: tuple[Finding, ...]
    ignored: tuple[tuple[str, str], ...] = ()
    unused_columns: tuple[str, ...] = ()

    @property
    def findings(self) -> list[dict[str, str]]:
        """JSON-able: {kind, text, severity, remedy}, the worst first."""
        return [f.to_dict() for f in self.found]

    @property
    def usable(self) -> list[RecordingFacts]:
        """Facts of the recordings that can be used."""
        return [f for f in self.recordings if not f.error]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            'source': self.source,
            'findings': self.findings,
            'recordings': [f.to_dict() for f in self.recordings],
            'counts': list(self.counts),
            'shortcut_audit': self.audit.to_dict(),
            'protocols': None if self.protocols is None else dataclasses.asdict(self.protocols),
            'front_ends': [
                {**dataclasses.asdict(f), 'window_s': f.window_s if f.window_s == f.window_s else None}
                for f in self.front_ends
            ],
            'advice': self.advice.to_dict(),
            'commands': list(self.commands),
            'ignored': [list(pair) for pair in self.ignored],
            'unused_columns': list(self.unused_columns),
        }

    def __repr__(self) -> str:
        kinds = ', '.join(dict.fromkeys(f.kind for f in self.found)) or 'nothing'
        return f'<Inspection of {self.source}: {len(self.recordings)} recordings, findings: {kinds}>'


def inspect_source(
    source: CollectionSpec | str, *, progress: Progress = lambda entries: entries, seed: int = 0
) -> Inspection:
    """Opens a folder or manifest and inspects it.

    Raises:
      DataError, ConfigError: the folder or manifest itself cannot be used (`open_collection`).
    """
    spec = source if isinstance(source, CollectionSpec) else CollectionSpec(str(source))
    return inspect_collection(open_collection(spec), spec, progress=progress, seed=seed)


def inspect_collection(
    collection: Collection,
    spec: CollectionSpec | None = None,
    *,
    progress: Progress = lambda entries: entries,
    seed: int = 0,
) -> Inspection:
    """Reads every recording once and says what they are and what they can show.

    Args:
      collection: the recordings; files that cannot be read are findings, and the others go on.
      spec: as the user described them, for the commands; None: by their source alone.
      progress: wraps the entries, to show how far it is.
      seed: of the audit's folds and relabellings.
    """
    looks = list(look_at_all(collection, progress))
    found = inspect_looks(
        looks,
        str(collection.source),
        spec or CollectionSpec(str(collection.source), shared=collection.shared),
        seed=seed,
    )
    return dataclasses.replace(found, ignored=collection.ignored, unused_columns=collection.extra)


def inspect_looks(
    looks: Sequence[Look], source: str, spec: CollectionSpec | None = None, *, seed: int = 0
) -> Inspection:
    """The same of recordings that have been looked at.

    Args:
      looks: one per recording.
      source: what they are of, for the title.
      spec: as the user described them; None: no commands are suggested.
      seed: of the audit's folds and relabellings.

    Raises:
      DataError: there is no recording.
    """
    if not looks:
        raise DataError(f'{source} holds no recordings to inspect')
    facts = [look.facts for look in looks]
    usable = [f for f in facts if not f.error]
    labelled = [f for f in usable if f.label]
    audit = audit_shortcuts(facts, seed=seed)
    front_ends = tuple(front_ends_of(usable)) if usable else ()
    front_end = recommended(front_ends)
    window_s = next((f.window_s for f in front_ends if f.name == front_end), 1.0)
    short = too_short(usable, window_s) if front_end else []
    left_out = {f.recording for f in short}
    long = [f for f in labelled if f.recording not in left_out]
    protocols = protocols_of(long, window_s) if len({f.label for f in long}) > 1 else None
    advice = _advice(audit, front_ends, front_end, window_s, protocols)
    channels = len(usable[0].channels) if usable else 1
    default = DEFAULT_FRONT_END if channels == 1 else DEFAULT_TRIAXIAL
    copies = find_copies(looks)
    found = [
        *quality_findings(facts, copies),
        *class_findings(facts),
        *short_findings(short, window_s),
        *coarser_findings(long, window_s, protocols),
        *shortcut_findings(audit, labelled, front_end),
    ]
    return Inspection(
        source=source,
        recordings=tuple(facts),
        counts=tuple(counts_of(facts)),
        audit=audit,
        protocols=protocols,
        front_ends=front_ends,
        advice=advice,
        commands=tuple(commands_of(spec, advice, default, labelled=any(f.label for f in facts))) if spec else (),
        found=tuple(sorted(found, key=lambda f: SEVERITIES.index(f.severity))),
    )


def _advice(
    audit: Audit, front_ends: Sequence[FrontEndFit], front_end: str, window_s: float, protocols: Protocols | None
) -> Advice:
    level = any(a.nuisance == 'level' for a in audit.shortcuts())
    level = level or any(s.nuisance.name == 'level' for s in audit.single)
    reasons = []
    if front_end:
        reason = next(f.reason for f in front_ends if f.name == front_end)
        reasons.append(f'front end {front_end}: {reason}')
    if protocols is not None:
        reasons.append(f'protocol {protocols.right or "none"}: {protocols.reason}')
    if level:
        reasons.append('match_level: the level tells classes apart by more than faults explain')
    protocol = protocols.right if protocols else ''
    return Advice(front_end, window_s, protocol, match_level=level, reasons=tuple(reasons))
