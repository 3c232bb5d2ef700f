"""The fault type behind a user's class name: IR07 is an inner race, Gesund and good are normal."""

from __future__ import annotations

import re

# Fault type -> words that a class name may hold, whole or at its beginning. English, the benchmarks' short forms, and
# German, French, Spanish and Chinese pinyin as folders are often named.
_WORDS = {
    'normal': (
        'normal normals healthy health good ok baseline undamaged nofault no_fault fault_free faultless reference '
        'gesund sain sano zhengchang nor h'
    ),
    'inner_race': 'inner_race inner innerrace inner_ring innerring ir irf innenring ib bpfi',
    'outer_race': 'outer_race outer outerrace outer_ring outerring or orf aussenring ob bpfo',
    'ball': 'ball balls ball_fault rolling_element rolling roller b bf tb bsf kugel',
    'cage': 'cage train ftf kaefig',
    'combined': 'combined combo comb mixed compound',
    'imbalance': 'imbalance unbalance unbalanced imbalanced unwucht',
    'misalignment': 'misalignment misaligned misalign',
    'bent_shaft': 'bent_shaft bentshaft bent bowed_shaft',
    'looseness': 'looseness loose',
}
# The fault types that fdx knows.
KINDS = tuple(_WORDS)
_OF_WORD = {word: kind for kind, words in _WORDS.items() for word in words.split()}
# Long words first, so that inner_race is not read as "inner" of something else.
_BY_LENGTH = sorted(_OF_WORD, key=len, reverse=True)


def fault_type_of(label: str) -> str:
    """The coarse class of a label: one of fdx's fault types where the name says so, else the label itself.

        fault_type_of('IR007_1') == 'inner_race'
        fault_type_of('Healthy pump') == 'normal'
        fault_type_of('gear_chipped') == 'gear_chipped'

    Short words (`b`, `ir`, `ok`) count only as the first part of a name. A name with words of two different faults
    stays itself, because fdx does not guess.
    """
    name = re.sub(r'[^a-z0-9]+', '_', _separate(label).lower()).strip('_')
    parts = [part for part in name.split('_') if part and not part.isdigit()]
    found = set()
    if name in _OF_WORD:
        return _OF_WORD[name]
    rest = f'_{"_".join(parts)}_'
    for word in _BY_LENGTH:
        first = rest.startswith(f'_{word}_')
        if first or (len(word) > 3 and f'_{word}_' in rest):
            found.add(_OF_WORD[word])
            rest = rest.replace(f'_{word}_', '__', 1)
    return found.pop() if len(found) == 1 else label


def _separate(label: str) -> str:
    """Puts separators between small and capital letters and before numbers: InnerRace007 -> Inner_Race_007."""
    return re.sub(r'(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)', '_', label)
