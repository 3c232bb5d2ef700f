"""Shortcuts of classes with too few recordings for a test: what they alone have."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from fdx.inspect.facts import RecordingFacts
from fdx.inspect.levels import beyond_faults, level_gap
from fdx.inspect.nuisances import Nuisance, nuisances

# These are settings of a recorder or converter: where one class alone has a value, no chance is involved.
SETTINGS = ('rate', 'format')


@dataclasses.dataclass(frozen=True)
class Single:
    """A class that one nuisance tells from all others.

    Attributes:
      nuisance: which.
      label: of the class.
      recordings: how many the class has.
      mine: what its recordings have, in words.
      others: what all others have.
      gap: of levels, the factor between them; None for settings.
    """

    nuisance: Nuisance
    label: str
    recordings: int
    mine: str
    others: str
    gap: float | None = None

    def words(self) -> str:
        """One sentence."""
        count = f'{self.recordings} recording{"" if self.recordings == 1 else "s"}'
        text = (
            f'{self.nuisance.words} tells {self.label} ({count}) from all other recordings: {self.mine} against '
            f'{self.others}'
        )
        if self.gap is not None:
            text += f', {self.gap:.0f} times apart at the same condition, which is more than a fault explains'
        return text[0].upper() + text[1:]


def single_classes(facts: Sequence[RecordingFacts], classes: Sequence[str]) -> list[Single]:
    """What tells the named classes from all others, by its value alone.

    Args:
      facts: usable recordings with labels, of all classes.
      classes: those that the audit could not score.
    """
    if len({f.label for f in facts}) < 2:
        return []
    found = []
    for nuisance in nuisances(facts):
        for label in classes:
            mine = np.array([f.label == label for f in facts])
            if nuisance.name in SETTINGS:
                values = [{nuisance.shown[i] for i in np.flatnonzero(m)} for m in (mine, ~mine)]
                if not values[0] & values[1] and nuisance.varies:
                    found.append(Single(nuisance, label, int(mine.sum()), _some(values[0]), _some(values[1])))
            elif nuisance.name == 'level':
                domains = np.unique([f.domain for f in facts], return_inverse=True)[1]
                gap = level_gap(nuisance.values, mine, domains)
                healthy = all(f.fault_type == 'normal' for f in facts if f.label == label)
                if gap is not None and beyond_faults(gap, healthy):
                    shown = [_ends([nuisance.shown[i] for i in np.flatnonzero(m)]) for m in (mine, ~mine)]
                    found.append(Single(nuisance, label, int(mine.sum()), shown[0], shown[1], gap.factor))
    return found


def _some(values: set[str]) -> str:
    names = sorted(values)
    return ' or '.join(names) if len(names) <= 3 else f'{names[0]} and {len(names) - 1} others'


def _ends(texts: list[str]) -> str:
    ordered = sorted(texts, key=lambda t: float(t.split('/')[0]))
    return ordered[0] if len(texts) == 1 else f'{ordered[0]} to {ordered[-1]}'
