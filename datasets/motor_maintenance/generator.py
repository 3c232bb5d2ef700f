"""Synthetic readings of a motor and whether it failed, as the motor maintenance study draws them.

rpm, temperature, vibration, current ~ independent normal distributions
condition = any reading beyond its threshold
failure ~ Bernoulli(p_failure_if_condition if condition else p_failure_otherwise)
"""

from __future__ import annotations

import dataclasses
import statistics

import numpy as np

from fdx.data.readings_csv import COLUMNS, Readings
from fdx.types import ConfigError

# A condition holds beyond these values, not at them.
MAX_TEMPERATURE_C = 30.0
MIN_RPM = 1500.0
MAX_VIBRATION_G = 0.60
MIN_CURRENT_A = 0.2
MAX_CURRENT_A = 10.8


@dataclasses.dataclass(frozen=True)
class Normal:
    """A normal distribution by mean and standard deviation.

    Raises:
      ConfigError: a standard deviation that is not above 0.
    """

    mean: float
    deviation: float

    def __post_init__(self):
        """Refuses a sensor that never varies."""
        if not self.deviation > 0:
            raise ConfigError(f'deviation is {self.deviation}; it must be above 0')

    def below(self, value: float) -> float:
        """Probability of less than `value`."""
        return statistics.NormalDist(self.mean, self.deviation).cdf(value)


@dataclasses.dataclass(frozen=True)
class Parameters:
    """Distributions of readings and failures; those of the readings are the study's.

    Nothing is clipped, because a negative vibration or current is 6 or more deviations from the mean. The thresholds of
    these two are 11 or more deviations away, so in practice conditions come from temperature and rpm only.

    The study says that a condition raises the chance of failure and its absence lowers it, but gives no numbers: 0.9
    and 0.05 are fdx's choice. They limit the accuracy of any classifier, see bayes_accuracy.

    Attributes:
      rpm: turns per minute.
      temperature_c: degrees Celsius.
      vibration_g: acceleration in g.
      current_a: amperes.
      p_failure_if_condition: chance of failure if a condition holds.
      p_failure_otherwise: chance of failure if none holds.

    Raises:
      ConfigError: a chance outside 0 to 1.
    """

    rpm: Normal = Normal(1600.0, 200.0)
    temperature_c: Normal = Normal(24.0, 5.0)
    vibration_g: Normal = Normal(0.12, 0.02)
    current_a: Normal = Normal(3.5, 0.3)
    p_failure_if_condition: float = 0.9
    p_failure_otherwise: float = 0.05

    def __post_init__(self):
        """Refuses a value outside of 0 to 1."""
        for name in ('p_failure_if_condition', 'p_failure_otherwise'):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f'{name} is {getattr(self, name)}; it must lie between 0 and 1')


STUDY = Parameters()


def generate(rows: int, seed: int, parameters: Parameters = STUDY) -> Readings:
    """Draws readings, values float64 [rows, 4] in the order of COLUMNS, and their labels; the same for the same seed.

    Raises:
      ConfigError: fewer rows than 1, or a negative seed.
    """
    for name, value, least in (('rows', rows, 1), ('seed', seed, 0)):
        if not isinstance(value, (int, np.integer)) or value < least:
            raise ConfigError(f'{name} is {value!r}; it must be a whole number, at least {least}')
    rng = np.random.default_rng(seed)
    sensors = [getattr(parameters, name) for name in COLUMNS]
    values = rng.normal([s.mean for s in sensors], [s.deviation for s in sensors], (rows, len(COLUMNS)))
    chance = np.where(conditions(values), parameters.p_failure_if_condition, parameters.p_failure_otherwise)
    # random() lies in [0, 1): a chance of 0 never fails, a chance of 1 always.
    return Readings(COLUMNS, values, (rng.random(rows) < chance).astype(np.int64), 'generator')


def conditions(values: np.ndarray) -> np.ndarray:
    """Where any reading is beyond its threshold, bool [N], of values [N, 4] in the order of COLUMNS."""
    rpm, temperature_c, vibration_g, current_a = np.asarray(values).T
    return (
        (temperature_c > MAX_TEMPERATURE_C)
        | (rpm < MIN_RPM)
        | (vibration_g > MAX_VIBRATION_G)
        | (current_a < MIN_CURRENT_A)
        | (current_a > MAX_CURRENT_A)
    )


def condition_share(parameters: Parameters = STUDY) -> float:
    """The chance that a condition holds (0.388 for the study), given that readings are independent."""
    none = (
        parameters.temperature_c.below(MAX_TEMPERATURE_C)
        * (1 - parameters.rpm.below(MIN_RPM))
        * parameters.vibration_g.below(MAX_VIBRATION_G)
        * (parameters.current_a.below(MAX_CURRENT_A) - parameters.current_a.below(MIN_CURRENT_A))
    )
    return 1 - none


def bayes_accuracy(parameters: Parameters = STUDY, values: np.ndarray | None = None) -> float:
    """The expected accuracy of the best possible classifier, which knows the law behind the labels.

    It predicts the likelier class with and without a condition: q max(p, 1-p) + (1-q) max(r, 1-r), with the share q of
      conditions and
    the chances of failure p with and r without one (Bayes decision rule: Duda, Hart, Stork, Pattern Classification,
    2001, section 2.2). It is 0.9306 for the study's readings and fdx's chances. The accuracy on a finite test set
    scatters around it.

    Args:
      parameters: what the readings were drawn from.
      values: [N, 4], to take q from these rows; None: from the distributions.
    """
    q = condition_share(parameters) if values is None else float(np.mean(conditions(values)))
    p, r = parameters.p_failure_if_condition, parameters.p_failure_otherwise
    return q * max(p, 1 - p) + (1 - q) * max(r, 1 - r)
