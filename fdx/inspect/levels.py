"""Whether a difference in level is more than a fault explains."""

from __future__ import annotations

import dataclasses

import numpy as np

# A fault raises the level: vibration is called dangerous at about 5 to 8 times that of a new machine (ISO 20816-3, zone
# A to zone D), and in CWRU's recordings the loudest seeded fault is 33 times as loud as the healthy machine while the
# quietest is 1.1 times. So the quietest recording of one side must exceed the loudest of the other side by this factor.
LOUDER = 10.0
# A healthy machine may not be louder than all faulty ones; a different mounting changes the level less than this.
HEALTHY_LOUDER = 3.0


@dataclasses.dataclass(frozen=True)
class LevelGap:
    """Two groups of recordings whose levels do not overlap.

    Attributes:
      factor: the smallest ratio, over the domains that hold both groups, of the quietest recording of the louder group
        to the loudest one of the quieter group.
      louder: whether the first group is the louder one.
    """

    factor: float
    louder: bool


def level_gap(log_levels: np.ndarray, members: np.ndarray, domains: np.ndarray) -> LevelGap | None:
    """The gap between the levels of some recordings and the others, within each domain.

    Args:
      log_levels: float64 [N, C], decadic logarithms; the smallest gap of the channels counts.
      members: bool [N], the first group.
      domains: int [N], machines or operating conditions.

    Returns:
      None where the groups overlap in a domain, are ordered differently in two, or are never in the same one: a speed
      or a machine can change the level by any factor.
    """
    both = [d for d in np.unique(domains) if len(np.unique(members[domains == d])) == 2]
    if not both:
        return None
    groups = [domains == d for d in both]
    ways: set[bool] = set()
    least = np.inf
    for here in groups:
        for c in range(log_levels.shape[1]):
            mine, others = log_levels[here & members, c], log_levels[here & ~members, c]
            if not mine.size or not others.size:
                return None
            above, below = mine.min() - others.max(), others.min() - mine.max()
            if max(above, below) <= 0:
                return None
            ways.add(bool(above > 0))
            least = min(least, max(above, below))
    return LevelGap(float(10**least), ways.pop()) if len(ways) == 1 else None


def beyond_faults(gap: LevelGap | None, healthy: bool) -> bool:
    """Whether no fault explains the gap.

    Args:
      gap: of a group and the others.
      healthy: whether the group is that of the healthy recordings.
    """
    if gap is None:
        return False
    return gap.factor > (HEALTHY_LOUDER if healthy and gap.louder else LOUDER)
