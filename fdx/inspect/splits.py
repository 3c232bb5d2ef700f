"""Which protocols can split a collection, and which one answers the question that its owner has."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

import numpy as np

from fdx.data.blocks import DEFAULT_GUARD_S, NUM_BLOCKS, Windowing, cut_windows
from fdx.data.protocols.splits import PROTOCOLS, folds_of, split_rows
from fdx.data.table import GIVEN_SPLIT, Table
from fdx.inspect.facts import RecordingFacts
from fdx.types import SplitError

# Of a table of readings, and of comparisons between domains, no one is recommended.
BLOCKS = ('time_blocks', 'domain_pairs', 'within_domain')
CANDIDATES = (
    'given_split',
    'by_domain',
    'by_speed',
    'by_load',
    'by_bearing',
    'by_recording',
    'time_blocks',
    'domain_pairs',
    'within_domain',
)
# Rows of one recording that a split is tried with: where blocks and recordings lie does not depend on their number.
MAX_ROWS = 60
MAX_FOLDS = 12


@dataclasses.dataclass(frozen=True)
class ProtocolFit:
    """Whether a protocol can split a collection.

    Attributes:
      name: of the protocol.
      possible: whether every fold has rows of all that it needs.
      reason: why not; or what its score would say.
    """

    name: str
    possible: bool
    reason: str


@dataclasses.dataclass(frozen=True)
class Protocols:
    """The protocols of a collection.

    Attributes:
      fits: all that were tried.
      right: name of the one to use, '' where none is possible.
      reason: why that one, in words.
    """

    fits: tuple[ProtocolFit, ...]
    right: str
    reason: str


def protocols_of(facts: Sequence[RecordingFacts], window_s: float, label_key: str = 'label') -> Protocols:
    """Tries every protocol on windows of a length, and chooses.

    Args:
      facts: of recordings with labels that can be used, of two classes or more.
      window_s: seconds of a window.
      label_key: label or fault_type.
    """
    table, names = _table(facts, window_s)
    return protocols_of_table(table, names[label_key], facts, window_s, label_key)


def protocols_of_table(
    table: Table, names: Sequence[str], facts: Sequence[RecordingFacts], window_s: float, label_key: str = 'label'
) -> Protocols:
    """The same of a prepared dataset's table.

    Args:
      table: of windows.
      names: of the classes of `label_key`, in the order of their numbers.
      facts: of its recordings.
      window_s: seconds of a window.
      label_key: label or fault_type.
    """
    asks = _questions(facts)
    fits = []
    for name in (c for c in CANDIDATES if c in PROTOCOLS):
        why = _refusal(table, name, label_key, names)
        if name in BLOCKS and why:
            why = _too_short(facts, window_s) or why
        fits.append(ProtocolFit(name, not why, why or asks[name]))
    right = _right([f for f in fits if f.possible], domain_words(facts))
    if right is None:
        reason = (
            'no protocol can split these recordings into training, validation and test: at least three recordings of '
            f'each class are needed, or recordings of {_blocks_s(window_s):.3g} s for windows of {window_s:.3g} s'
        )
        return Protocols(tuple(fits), '', reason)
    return Protocols(tuple(fits), right.name, right.reason)


def _blocks_s(window_s: float) -> float:
    return NUM_BLOCKS * window_s + (NUM_BLOCKS - 1) * DEFAULT_GUARD_S


def _too_short(facts: Sequence[RecordingFacts], window_s: float) -> str:
    """How many recordings hold no five blocks, and which windows they would hold; '' where all do."""
    short = [f for f in facts if f.duration_s < _blocks_s(window_s)]
    if not short:
        return ''
    shortest = min(f.duration_s for f in short)
    most_s = (shortest - (NUM_BLOCKS - 1) * DEFAULT_GUARD_S) / NUM_BLOCKS
    remedy = f'; windows of {most_s:.2g} s or less would fit' if most_s > 0 else ''
    return (
        f'{len(short)} of {len(facts)} recordings are too short: five blocks with windows of {window_s:.3g} s need '
        f'{_blocks_s(window_s):.3g} s, the shortest has {shortest:.3g} s{remedy}'
    )


def domain_words(facts: Sequence[RecordingFacts]) -> str:
    """What the domains of a collection are: machine, speed, load, operating condition or domain."""
    machines, speeds, loads = ({repr(getattr(f, k)) for f in facts} for k in ('machine', 'speed_rpm', 'load'))
    if len(machines) > 1:
        return 'machine'
    if len(speeds) > 1 and len(loads) > 1:
        return 'operating condition'
    return 'speed' if len(speeds) > 1 else 'load' if len(loads) > 1 else 'domain'


def _right(possible: Sequence[ProtocolFit], domain: str) -> ProtocolFit | None:
    """The first of the most telling ones: a new machine, a new bearing, a new condition, a new recording, a new moment.

    Comparisons of domains (domain_pairs, within_domain) are studies and are not recommended.
    """
    order = ['given_split', 'by_bearing', 'by_domain', 'by_speed', 'by_load', 'by_recording', 'time_blocks']
    if domain == 'machine':
        order.insert(1, order.pop(2))
    return min((f for f in possible if f.name in order), key=lambda f: order.index(f.name), default=None)


def _questions(facts: Sequence[RecordingFacts]) -> dict[str, str]:
    domain = domain_words(facts)
    article = 'an' if domain.startswith('o') else 'a'
    again = '' if domain == 'machine' else ' The bearings and mountings are those that it has learned from.'
    return {
        'given_split': 'the manifest says itself what is trained on and what is tested',
        'by_domain': f'it answers whether the network works at {article} {domain} that it has not seen.{again}',
        'by_speed': f'it answers whether the network works at a speed that it has not seen, at any load.{again}',
        'by_load': f'it answers whether the network works at a load that it has not seen, at any speed.{again}',
        'by_bearing': 'it answers whether the network knows the fault in a bearing that it has not seen',
        'by_recording': 'it answers whether the network works on a new recording of the same machine and bearings, '
        'which it knows',
        'time_blocks': 'it answers only whether the network works at another moment of the same recordings: it knows '
        'the machine, the bearing and the mounting',
        'domain_pairs': f'a study: it learns at one {domain} and is tested at another one',
        'within_domain': f'a study: it learns and is tested at one {domain}, by time blocks',
    }


def _table(facts: Sequence[RecordingFacts], window_s: float) -> tuple[Table, dict[str, list[str]]]:
    """A table of windows as a dataset of these recordings would have, at one rate; long recordings are thinned."""
    rate = 1000.0
    length = max(1, round(window_s * rate))
    names = {k: sorted({getattr(f, k) for f in facts}) for k in ('label', 'fault_type')}
    keys = ('recording', 'label', 'fault_type', 'domain', 'bearing', 'speed_rpm', 'load')
    columns: dict[str, list] = {k: [] for k in (*keys, 'block', 'window_start', 'acquisition')}
    for f in facts:
        windowing = Windowing(length, length, round(DEFAULT_GUARD_S * rate))
        starts, blocks = cut_windows(int(f.duration_s * rate), windowing, f.recording)
        keep = (
            np.unique(np.linspace(0, len(starts) - 1, MAX_ROWS).astype(int)) if len(starts) > MAX_ROWS else slice(None)
        )
        bearing = f.bearing or '-'.join(p for p in (f.machine, f.label) if p)
        classes = (names[k].index(getattr(f, k)) for k in names)
        row = (f.recording, *classes, f.domain, bearing, f.speed_rpm, f.load)
        for start, block in zip(starts[keep], blocks[keep]):
            for key, value in zip(columns, (*row, block, start, f.recording)):
                columns[key].append(value)
        columns.setdefault(GIVEN_SPLIT, []).extend([f.split] * len(starts[keep]))
    return Table({k: np.array(v) for k, v in columns.items()}, length), names


def _refusal(table: Table, protocol: str, label_key: str, names: Sequence[str]) -> str:
    """Why a protocol cannot split a table, '' where it can."""
    marks = table.columns.get(GIVEN_SPLIT)
    if protocol == 'given_split' and (marks is None or not (marks != '').any()):
        return 'the manifest has no column split'
    if not len(table):
        return 'no recording is as long as one window'
    try:
        folds = folds_of(protocol, table, label_key)
        for fold in folds[:MAX_FOLDS]:
            split_rows(table, protocol, fold=fold, label_key=label_key)
    except SplitError as e:

        def name(match: re.Match) -> str:
            return ', '.join(names[int(n)] for n in match[1].split(', '))

        # What else would fit is said by the other rows.
        rest = r'; protocols that fit|: too few windows|; state |[;:] use (?:by_domain or )?time_blocks'
        text = re.split(rest, str(e))[0]
        return re.sub(rf'class number (\d+(?:, \d+)*)(?: of {label_key})?', name, text)
    return ''
