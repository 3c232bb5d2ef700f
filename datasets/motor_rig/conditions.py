"""States of the bench: m1's fault and load, what m2 does in the background, and how the sensor is turned."""

from __future__ import annotations

import dataclasses

from fdx.types import ConfigError

FAULT_TYPES = ('healthy', 'mechanical', 'electrical', 'combined')
STATES = ('healthy', 'imbalance', 'electrical', 'both')
BACKGROUNDS = ('none', 'normal', 'imbalanced')
RESISTANCES_OHM = (0, 50, 100, 150)
LOADS_NM = (0.0, 0.5)


@dataclasses.dataclass(frozen=True)
class Condition:
    """One state of the bench.

    Attributes:
      imbalanced: whether m1 carries the extra mass.
      resistance_ohm: resistor in series with one phase of m1; 0: none.
      load_nm: torque of the brake on m1.
      background: what the second motor, m2, does: none (off), normal, imbalanced.
      rotated: whether the sensor is turned by 90 degrees about the shaft.

    Raises:
      ConfigError: the bench does not have this state.
    """

    imbalanced: bool = False
    resistance_ohm: int = 0
    load_nm: float = 0.0
    background: str = 'none'
    rotated: bool = False

    def __post_init__(self):
        """Refuses states that the bench does not have."""
        if self.resistance_ohm not in RESISTANCES_OHM:
            raise ConfigError(f'resistance_ohm is {self.resistance_ohm}; the bench has {RESISTANCES_OHM}')
        if self.load_nm not in LOADS_NM:
            raise ConfigError(f'load_nm is {self.load_nm}; the brake is off (0.0) or gives 0.5 Nm')
        if self.background not in BACKGROUNDS:
            raise ConfigError(f'background is {self.background!r}; m2 can be: {", ".join(BACKGROUNDS)}')

    @property
    def state(self) -> str:
        """State of m1, one of STATES: resistances pooled, load and background ignored."""
        return STATES[2 * (self.resistance_ohm > 0) + self.imbalanced]

    @property
    def fault_type(self) -> str:
        """The state of m1 in the words of the real data, one of FAULT_TYPES."""
        return FAULT_TYPES[2 * (self.resistance_ohm > 0) + self.imbalanced]

    @property
    def domain(self) -> str:
        """Everything except m1's state: load, background, and the turned sensor."""
        return f'load{self.load_nm:g}_m2{self.background}' + '_rotated' * self.rotated

    @property
    def name(self) -> str:
        """m1's state and its surroundings in words, unique: 'healthy', 'imbalanced_electrical50_load0.5'."""
        parts = [
            'imbalanced' if self.imbalanced else '',
            f'electrical{self.resistance_ohm}' if self.resistance_ohm else '',
            'healthy' if self.state == 'healthy' else '',
            f'load{self.load_nm:g}' if self.load_nm else '',
            f'm2{self.background}' if self.background != 'none' else '',
            'rotated' if self.rotated else '',
        ]
        return '_'.join(part for part in parts if part)


def _c(imbalanced: bool, resistance_ohm: int, load_nm: float = 0.0, background: str = 'none') -> Condition:
    return Condition(imbalanced, resistance_ohm, load_nm, background)


# The conditions of the 30 files of the real data in their order (Iantovics, Gligor et al., doi 10.5281/zenodo.6473455):
# file number n is SOON_CONDITIONS[n - 1]; 3 and 4 are two recordings of one condition.
SOON_CONDITIONS: tuple[Condition, ...] = (
    _c(False, 0),
    _c(False, 0, 0.5),
    _c(True, 0),
    _c(True, 0),
    _c(True, 0, 0.5),
    _c(False, 50),
    _c(False, 100),
    _c(False, 150),
    _c(False, 50, 0.5),
    _c(False, 100, 0.5),
    _c(True, 50),
    _c(True, 100),
    _c(True, 150),
    _c(True, 50, 0.5),
    _c(False, 0, 0.0, 'imbalanced'),
    _c(True, 0, 0.0, 'normal'),
    _c(True, 0, 0.0, 'imbalanced'),
    _c(False, 0, 0.5, 'imbalanced'),
    _c(True, 0, 0.5, 'imbalanced'),
    _c(False, 50, 0.0, 'imbalanced'),
    _c(False, 50, 0.5, 'imbalanced'),
    _c(False, 100, 0.0, 'imbalanced'),
    _c(False, 100, 0.5, 'imbalanced'),
    _c(False, 150, 0.0, 'imbalanced'),
    _c(True, 50, 0.0, 'imbalanced'),
    _c(True, 50, 0.5, 'imbalanced'),
    _c(True, 100, 0.0, 'imbalanced'),
    _c(True, 100, 0.5, 'imbalanced'),
    _c(True, 150, 0.0, 'imbalanced'),
    Condition(True, 150, 0.0, 'imbalanced', rotated=True),
)

# For the four-state datasets: every state under the same five combinations of load and background, so that neither
# tells the class. As in the real data, 150 ohm never meets the load.
_SURROUNDINGS = ((0.0, 'none'), (0.5, 'none'), (0.0, 'normal'), (0.0, 'imbalanced'), (0.5, 'imbalanced'))
_RESISTANCES = {'electrical': (50, 100, 150, 100, 50), 'both': (100, 50, 50, 150, 100)}


def state_conditions() -> list[Condition]:
    """Twenty conditions, five of each of STATES, in the order of the states."""
    found = []
    for state in STATES:
        resistances = _RESISTANCES.get(state, (0,) * len(_SURROUNDINGS))
        for (load_nm, background), resistance in zip(_SURROUNDINGS, resistances, strict=True):
            found.append(Condition(state in ('imbalance', 'both'), resistance, load_nm, background))
    return found


def scenario_names() -> list[str]:
    """Names of the 30 scenarios by file number, as the dataset of the real files calls them: '01_healthy' and so on."""
    return [f'{number:02d}_{condition.name}' for number, condition in enumerate(SOON_CONDITIONS, 1)]
