"""What the audit of shortcuts says, and its sentences."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from fdx.inspect.levels import LOUDER
from fdx.inspect.single import Single

# False alarms in a collection without any shortcut: for all classes together and healthy against faulty, and for the
# other classes one by one.
ALPHA, ALPHA_OF_CLASS = 0.04, 0.01
ALL, HEALTHY = 'all classes', 'healthy'
SHORTCUT, EXPLAINED, CLEAR, SAME = 'shortcut', 'explained by faults', 'no', 'the same for all'
# No network sees dates and numbers of files, but what drifts while classes are recorded one after another.
IN_ORDER, ORDERS = 'recorded in order', ('order', 'date')


@dataclasses.dataclass(frozen=True)
class Test:
    """One nuisance against one question.

    Attributes:
      target: 'all classes', 'healthy', or the name of a class that is told from the rest.
      accuracy: balanced accuracy on recordings that were left out.
      chance: what guessing gives.
      p: probability that chance alone makes any test of the audit's family look as good.
      told: whether it tells the classes apart.
    """

    target: str
    accuracy: float
    chance: float
    p: float
    told: bool


@dataclasses.dataclass(frozen=True)
class Audited:
    """What the audit says of one nuisance.

    Attributes:
      nuisance: its name.
      words: what it is.
      verdict: shortcut, recorded in order, explained by faults, no, or the same for all.
      tests: the questions that it was asked, the best answers first.
      gap: factor between the levels of the healthy, or of another class, and the rest; None where they overlap.
      values: class -> what its recordings have, in words.
      remedy: what to do.
    """

    nuisance: str
    words: str
    verdict: str
    tests: tuple[Test, ...] = ()
    gap: float | None = None
    values: dict[str, str] = dataclasses.field(default_factory=dict)
    remedy: str = ''

    def told(self) -> tuple[Test, ...]:
        """The questions that it answers."""
        return tuple(t for t in self.tests if t.told)


@dataclasses.dataclass(frozen=True)
class Audit:
    """The audit of a collection.

    Attributes:
      nuisances: one per nuisance, shortcuts first.
      recordings: how many recordings were scored.
      left_out: what was left out together: bearings, domains or recordings.
      alpha: probability of a false alarm in a collection without shortcuts.
      skipped: classes with too few recordings.
      single: what tells a class of `skipped` from all others by its value alone.
      impossible: why nothing could be scored, '' where it could.
    """

    nuisances: tuple[Audited, ...] = ()
    recordings: int = 0
    left_out: str = ''
    alpha: float = ALPHA + ALPHA_OF_CLASS
    skipped: tuple[str, ...] = ()
    single: tuple[Single, ...] = ()
    impossible: str = ''

    def shortcuts(self) -> tuple[Audited, ...]:
        """Nuisances that are shortcuts."""
        return tuple(a for a in self.nuisances if a.verdict == SHORTCUT)

    def in_order(self) -> tuple[Audited, ...]:
        """Dates and numbers of files that follow the classes."""
        return tuple(a for a in self.nuisances if a.verdict == IN_ORDER)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        found = dataclasses.asdict(dataclasses.replace(self, single=()))
        return {**found, 'single': [{'nuisance': s.nuisance.name, 'class': s.label, 'gap': s.gap} for s in self.single]}


def shortcut_words(found: Audited, healthy_classes: Sequence[str]) -> str:
    """A sentence about a shortcut: what tells which classes, how well, and the values."""
    told = found.told() or found.tests[:1]
    best = told[0]
    percent = f'{100 * best.accuracy:.0f} %'
    if best.target == ALL:
        whom = f'tells the {len(found.values)} classes apart'
    elif best.target == HEALTHY:
        whom = f'tells {" and ".join(healthy_classes) or "the healthy class"} from the faults'
    else:
        whom = f'tells {best.target} from the other classes'
    others = [t.target for t in told[1:] if t.target not in (ALL, HEALTHY)]
    more = f', and {", ".join(others[:4])} from the rest' if best.target == ALL and others else ''
    text = f'{found.words} {whom}{more} with a balanced accuracy of {percent} (chance {100 * best.chance:.0f} %)'
    if any(found.values.values()):
        text += ': ' + '; '.join(f'{c} {v}' for c, v in list(found.values.items())[:6])
        text += '; ...' if len(found.values) > 6 else ''
    if found.gap is not None:
        text += (
            f'. At the same condition the groups lie {found.gap:.0f} times apart without overlap; a fault seldom '
            f'raises the level {LOUDER:.0f} times, so units, gains or sensors are probably mixed'
        )
    return text[0].upper() + text[1:]
