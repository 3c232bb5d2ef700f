"""What the draws of confounders and defects know of the machine, and the ingredients that they share."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from fdx.simulate.dice import Dice
from fdx.simulate.ingredients import Lines, Modulation, Pulse, Train
from fdx.types import BearingGeometry

# Orders of other parts are drawn again until they lie this far from every harmonic of this bearing's defects.
APART = 0.03
HARMONICS_APART = (1, 2, 3)


@dataclasses.dataclass(frozen=True)
class Scene:
    """The machine so far.

    Attributes:
      dice: the stream of this confounder or defect.
      geometry: of this bearing, by its catalogue.
      orders: true orders of its defects (`SimulatedMachine.true_orders`).
      shaft_hz, second_hz: turns per second of both shafts.
      sample_rate_hz, duration_s: of the recording.
      roller: whether the rolling elements are rollers.
    """

    dice: Dice
    geometry: BearingGeometry
    orders: Mapping[str, float]
    shaft_hz: float
    second_hz: float
    sample_rate_hz: float
    duration_s: float
    roller: bool

    def is_apart(self, order: float, harmonics: Sequence[int] = HARMONICS_APART) -> bool:
        """Whether an order and its harmonics are further than APART from those of this bearing's defects."""
        own = [h * self.orders[name] for name in ('outer_race', 'inner_race', 'ball') for h in HARMONICS_APART]
        return all(abs(h * order - line) > APART * line for h in harmonics for line in own)


def tones(
    dice: Dice, clock: str, order: float, harmonics: Sequence[int], falloff: float, level_db: float, spread: float = 0.5
) -> Lines:
    """Lines whose amplitudes fall by a factor from harmonic to harmonic, with a log-normal spread."""
    amplitudes = tuple(falloff**i * dice.log_normal(spread) for i in range(len(harmonics)))
    return Lines(clock, order, tuple(harmonics), amplitudes, dice.phases(len(harmonics)), level_db)


def knocks(dice: Dice, clock: str, order: float, snr_db: float, **options) -> Train:
    """A train of single knocks of a random duration, 0.05 to 1 ms, through a random path."""
    pulse = Pulse(0.0, 1.0, dice.log_uniform(5e-5, 1e-3))
    return Train(dice.whole(0, 1), clock, order, (pulse,), snr_db, phase=dice.phase(), **options)


def swell(dice: Dice, order: float, depth: float, harmonics: int = 2, clock: str = 'shaft') -> Modulation:
    """A periodic modulation of the rolling noise, each harmonic weaker than the one before."""
    depths = tuple(depth * dice.uniform(0.2, 0.7) ** h for h in range(harmonics))
    return Modulation(clock, order, depths, dice.phases(harmonics))
