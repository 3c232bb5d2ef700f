"""The audit of shortcuts: whether something that no fault explains tells the classes apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fdx.inspect.apart import Plan, adjusted, balanced_accuracy, one_against_rest, predicted, standardised
from fdx.inspect.audit import (
    ALL,
    ALPHA,
    ALPHA_OF_CLASS,
    CLEAR,
    EXPLAINED,
    HEALTHY,
    IN_ORDER,
    ORDERS,
    SAME,
    SHORTCUT,
    Audit,
    Audited,
    Test,
)
from fdx.inspect.facts import RecordingFacts
from fdx.inspect.levels import LevelGap, beyond_faults, level_gap
from fdx.inspect.nuisances import Nuisance, nuisances
from fdx.inspect.plan import audited, make_plan
from fdx.inspect.single import single_classes

RELABELLINGS = 1000
# Skill that matters: 0 is chance, 1 is perfect.
LEAST_SKILL = 0.4
# Nuisances of how a file was made, tried together in case none of them suffices alone.
RECORDER = ('rate', 'duration', 'step', 'band_edge', 'format')


def audit_shortcuts(facts: Sequence[RecordingFacts], *, seed: int = 0) -> Audit:
    """Asks each nuisance for the classes, and holds the answers against relabelled recordings.

    Args:
      facts: of the recordings; those without a label or with an error are passed over.
      seed: of folds and relabellings.
    """
    chosen = audited(facts, seed)
    usable = [f for f in facts if f.label and not f.error]
    classes = sorted({f.label for f in chosen})
    skipped = tuple(sorted({f.label for f in usable} - set(classes)))
    single = tuple(single_classes(usable, skipped))
    if not chosen:
        why = 'a test needs two classes with two recordings each, and six recordings in all'
        return Audit(impossible=why, skipped=skipped, single=single)
    plan, left_out = make_plan(chosen, seed)
    found = nuisances(chosen)
    asked = [n for n in found if n.varies]
    together = [n for n in asked if n.name in RECORDER]
    if len(together) > 1:
        values = np.concatenate([standardised(n.values) for n in together], axis=1)
        words = 'how the files were made (' + ', '.join(n.name for n in together) + ' together)'
        remedy = 'record and save all classes in the same way'
        asked.append(Nuisance('recorder', words, values, ('',) * len(chosen), remedy=remedy))
    tests = _tests(asked, plan, classes, chosen, seed)
    domains = np.unique([f.domain for f in chosen], return_inverse=True)[1]
    judged = [_judged(n, tests[n.name], chosen, domains) for n in asked]
    if any(a.verdict == SHORTCUT for a in judged if a.nuisance in RECORDER):
        judged = [a for a in judged if a.nuisance != 'recorder']
    same = [Audited(n.name, n.words, SAME, values={'all': n.shown[0]}) for n in found if not n.varies]
    order = (SHORTCUT, IN_ORDER, EXPLAINED, CLEAR, SAME)
    return Audit(
        tuple(sorted((*judged, *same), key=lambda a: order.index(a.verdict))),
        len(chosen),
        left_out,
        skipped=skipped,
        single=single,
    )


def _tests(
    asked: Sequence[Nuisance], plan: Plan, classes: list[str], chosen: Sequence[RecordingFacts], seed: int
) -> dict[str, list[Test]]:
    """Nuisance -> its tests, with p-values that are adjusted for the number of nuisances and questions."""
    labels = plan.relabelled(RELABELLINGS, seed)
    normal = [k for k, c in enumerate(classes) if any(f.label == c and f.fault_type == 'normal' for f in chosen)]
    # With two classes all questions are the same one.
    groups = {} if len(classes) == 2 else {classes[k]: [k] for k in range(len(classes)) if [k] != normal}
    if normal and len(normal) < len(classes) > 2:
        groups = {HEALTHY: normal, **groups}
    targets = [ALL, *groups]
    scores = np.empty((len(asked), len(targets), len(labels)))
    for i, nuisance in enumerate(asked):
        answers = predicted(standardised(nuisance.values), labels, plan.folds, len(classes))
        scores[i, 0] = balanced_accuracy(labels, answers, len(classes))
        for j, members in enumerate(groups.values(), start=1):
            scores[i, j] = one_against_rest(labels, answers, np.array(members))
    first = [j for j, t in enumerate(targets) if t in (ALL, HEALTHY)]
    p = np.ones((len(asked), len(targets)))
    for columns in (first, [j for j in range(len(targets)) if j not in first]):
        family = scores[:, columns].reshape(-1, len(labels)).T
        p[:, columns] = adjusted(family).reshape(len(asked), len(columns))
    found: dict[str, list[Test]] = {}
    for i, nuisance in enumerate(asked):
        rows = []
        for j, target in enumerate(targets):
            chance = 1 / len(classes) if target == ALL else 0.5
            accuracy, alpha = float(scores[i, j, 0]), ALPHA if j in first else ALPHA_OF_CLASS
            told = p[i, j] <= alpha and (accuracy - chance) / (1 - chance) >= LEAST_SKILL
            rows.append(Test(target, accuracy, chance, float(p[i, j]), bool(told)))
        found[nuisance.name] = sorted(rows, key=lambda t: (not t.told, -(t.accuracy - t.chance) / (1 - t.chance)))
    return found


def _judged(nuisance: Nuisance, tests: list[Test], chosen: Sequence[RecordingFacts], domains: np.ndarray) -> Audited:
    told = [t for t in tests if t.told]
    gap: LevelGap | None = None
    if nuisance.physical and told:
        # Every class and the healthy ones are compared: all classes may be told by the level of one of them.
        sides = {HEALTHY: np.array([f.fault_type == 'normal' for f in chosen])}
        sides |= {c: np.array([f.label == c for f in chosen]) for c in sorted({f.label for f in chosen})}
        gaps = {t: level_gap(nuisance.values, m, domains) for t, m in sides.items() if 0 < m.sum() < len(m)}
        beyond = {t: g for t, g in gaps.items() if g is not None and beyond_faults(g, _healthy(t, chosen))}
        gap = max(beyond.values(), key=lambda g: g.factor, default=None)
        if gap is not None and not any(t.target in beyond for t in told):
            # The audit's tests found that levels differ; the gap says for which class.
            told = [t for t in tests if t.target in beyond or t.target == ALL][:1]
    if not told:
        verdict = CLEAR
    elif nuisance.name in ORDERS:
        verdict = IN_ORDER
    else:
        verdict = EXPLAINED if nuisance.physical and gap is None else SHORTCUT
    values = {
        c: _range([nuisance.shown[i] for i, f in enumerate(chosen) if f.label == c])
        for c in sorted({f.label for f in chosen})
    }
    return Audited(
        nuisance.name,
        nuisance.words,
        verdict,
        tuple(tests),
        None if gap is None else gap.factor,
        values,
        nuisance.remedy,
    )


def _healthy(target: str, chosen: Sequence[RecordingFacts]) -> bool:
    return target == HEALTHY or all(f.fault_type == 'normal' for f in chosen if f.label == target)


def _range(texts: list[str]) -> str:
    """'0.1 to 0.3', of texts that begin with numbers; else the different texts."""
    kinds = list(dict.fromkeys(texts))
    if len(kinds) <= 2:
        return ' or '.join(kinds)
    try:
        numbers = sorted(kinds, key=lambda t: float(t.split()[0].split('/')[0]))
    except (ValueError, IndexError):
        return f'{kinds[0]} and {len(kinds) - 1} others'
    return f'{numbers[0]} to {numbers[-1]}'
