"""Whether healthy recordings drift while a baseline is recorded: a machine that runs in is not yet as it will be."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import scipy  # its parts are imported at first use, which saves a second

from fdx.health.feature_plan import Feature
from fdx.health.operating import Layout, fit_centre
from fdx.health.sample import Sample

# Of fewer recordings nobody can say that they drift.
FEWEST = 8
# So improbable must it be that recordings in any order look like that, by so many orders that are drawn.
SURPRISE, DRAWS, SEED = 0.01, 999, 0
NAMED = 3


@dataclasses.dataclass(frozen=True)
class Drift:
    """How the numbers of healthy recordings follow their order in time.

    Attributes:
      p_value: how often recordings in a random order show as much.
      most: the numbers that follow time most closely, with their rank correlation.
    """

    p_value: float
    most: tuple[tuple[Feature, float], ...]

    @property
    def is_clear(self) -> bool:
        """Whether chance seldom does as much."""
        return self.p_value <= SURPRISE

    def words(self) -> str:
        """What a user should know, as a sentence without its end."""
        named = ', '.join(f'{f.what} ({"rises" if r > 0 else "falls"})' for f, r in self.most)
        return (
            f'the healthy recordings drift from first to last ({named}; chance does as much in {self.p_value:.1%} of '
            'orders): a machine that warms up, runs in or has just been serviced is not yet as it will be, and what it '
            'settles at may be called unusual. Record until the numbers stay, or learn anew from the history once they '
            'do'
        )


def drift_of(sample: Sample, layout: Layout, features: Sequence[Feature]) -> Drift | None:
    """A test of all numbers together against their order in time; None for fewer than FEWEST recordings.

    The mean square of the rank correlations with time (Spearman), against those of recordings in random order: a
    permutation test, which holds however the numbers depend on each other. Within operating states, so that states that
    follow each other are no drift.

    Args:
      sample: healthy rows, in the order of time.
      layout: the operating states.
      features: what the D numbers are.
    """
    count = len(sample.names)
    if count < FEWEST:
        return None
    rest = sample.values - fit_centre(layout, sample).of(sample)
    values = np.stack([np.median(rest[sample.recording == i], axis=0) for i in range(count)])
    first = np.searchsorted(sample.recording, np.arange(count))
    state = layout.state_of(sample.speed_rpm, sample.load)[first]
    ranks, times = np.zeros_like(values), np.zeros(count)
    for s in np.unique(state):
        mine = np.flatnonzero(state == s)
        ranks[mine] = _standard(scipy.stats.rankdata(values[mine], axis=0))
        times[mine] = _standard(np.arange(len(mine), dtype=np.float64))
    rng = np.random.default_rng(SEED)
    orders = [times]
    for _ in range(DRAWS):
        order = times.copy()
        for s in np.unique(state):
            mine = np.flatnonzero(state == s)
            order[mine] = rng.permutation(times[mine])
        orders.append(order)
    correlations = np.array(orders) @ ranks / count
    strength = np.mean(correlations**2, axis=1)
    largest = np.argsort(-np.abs(correlations[0]), kind='stable')[:NAMED]
    most = tuple((features[j], float(correlations[0, j])) for j in largest)
    return Drift(float(np.mean(strength >= strength[0] - 1e-12)), most)


def _standard(values: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and mean square 1; 0 where all are equal."""
    rest = values - values.mean(axis=0)
    spread = rest.std(axis=0)
    return rest / np.where(spread > 0, spread, 1.0)
