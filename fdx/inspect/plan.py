"""Which recordings the audit of shortcuts scores, and what it leaves out together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fdx.inspect.apart import Plan
from fdx.inspect.facts import RecordingFacts

# More recordings than these say nothing new about a shortcut; they are drawn class by class.
MAX_AUDITED = 600
FOLDS = 5
MIN_OF_CLASS, MIN_RECORDINGS = 2, 6
MIN_DOMAINS, MIN_BEARINGS = 3, 3


def audited(facts: Sequence[RecordingFacts], seed: int) -> list[RecordingFacts]:
    """The recordings of classes that have two or more, at most MAX_AUDITED; [] where an audit is impossible."""
    usable = [f for f in facts if f.label and not f.error and f.channels]
    counts = {label: sum(f.label == label for f in usable) for label in {f.label for f in usable}}
    kept = [f for f in usable if counts[f.label] >= MIN_OF_CLASS]
    if len({f.label for f in kept}) < 2 or len(kept) < MIN_RECORDINGS:
        return []
    if len(kept) <= MAX_AUDITED:
        return kept
    order = np.random.default_rng(seed).permutation(len(kept))
    classes = sorted({f.label for f in kept})
    per_class = max(MIN_OF_CLASS, MAX_AUDITED // len(classes))
    chosen: list[int] = []
    for label in classes:
        chosen += [int(i) for i in order if kept[i].label == label][:per_class]
    return [kept[i] for i in sorted(chosen)]


def make_plan(facts: Sequence[RecordingFacts], seed: int) -> tuple[Plan, str]:
    """(how the recordings are left out and relabelled, what is left out in words).

    Whole bearings are left out where every class has three; else domains (speeds, machines), where every class occurs
    in two or more of three or more; else recordings. Labels are permuted among bearings, within domains that hold
    several classes, or freely.
    """
    classes = sorted({f.label for f in facts})
    labels = np.array([classes.index(f.label) for f in facts])
    own = np.arange(len(facts))
    bearings = np.unique([f.bearing for f in facts], return_inverse=True)[1]
    per_class = [len(np.unique(bearings[labels == k])) for k in range(len(classes))]
    one_label = all(len(np.unique(labels[bearings == b])) == 1 for b in np.unique(bearings))
    if all(f.bearing for f in facts) and min(per_class) >= MIN_BEARINGS and one_label:
        return Plan(labels, _dealt(labels, bearings, seed), np.zeros(len(facts), int), bearings), 'bearings'
    domains = np.unique([f.domain for f in facts], return_inverse=True)[1]
    held = np.array([[((labels == k) & (domains == d)).any() for d in np.unique(domains)] for k in range(len(classes))])
    crossed = len(held[0]) > 1 and bool((held.sum(axis=0) >= 2).all())
    strata = domains if crossed else np.zeros(len(facts), int)
    if crossed and len(held[0]) >= MIN_DOMAINS and (held.sum(axis=1) >= 2).all():
        # More domains than folds are left out several at a time.
        return Plan(labels, domains % max(FOLDS, MIN_DOMAINS), strata, own), 'domains'
    return Plan(labels, _dealt(labels, own, seed), strata, own), 'recordings'


def _dealt(labels: np.ndarray, units: np.ndarray, seed: int) -> np.ndarray:
    """Folds that units are dealt to, class by class: int [N]."""
    folds = np.zeros(len(labels), int)
    for k in np.unique(labels):
        mine = np.random.default_rng([seed, int(k)]).permutation(np.unique(units[labels == k]))
        for i, unit in enumerate(mine):
            folds[units == unit] = i % FOLDS
    return folds
