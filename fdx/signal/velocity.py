"""The velocity of a vibration in mm/s, as the limits of the standards are stated, from a recording of acceleration."""

from __future__ import annotations

import math

import numpy as np
import scipy  # its parts are imported at first use, which saves a second

from fdx.signal.slow_part import without_slow_part
from fdx.types import ConfigError, DataError

STANDARD_GRAVITY = 9.80665
# Unit -> (what it makes of one unit in m/s2 or mm/s, how often a spectrum must be divided by 2 pi f).
UNITS = {
    'g': (1000 * STANDARD_GRAVITY, 1),
    'mg': (STANDARD_GRAVITY, 1),
    'm/s2': (1000.0, 1),
    'mm/s2': (1.0, 1),
    'm/s': (1000.0, 0),
    'mm/s': (1.0, 0),
    'in/s': (25.4, 0),
}
# Other spellings that files use.
SPELLINGS = {'m/s^2': 'm/s2', 'm/s²': 'm/s2', 'm/s**2': 'm/s2', 'm.s-2': 'm/s2', 'mm/s^2': 'mm/s2', 'ips': 'in/s'}
LOW_HZ, HIGH_HZ = 10.0, 1000.0
# Segments of the spectrum: so many periods of the lowest frequency, so that its bin is far from the window's main lobe
# around 0 Hz, where dividing by the frequency makes the largest errors.
PERIODS = 40
# A shorter recording holds too few periods of the lowest frequency for its level to mean anything.
FEWEST_PERIODS = 5
# Share of the Nyquist frequency up to which a recorder's anti-alias filter leaves the level alone.
USED_BAND = 0.9


def known_unit(unit: str) -> str:
    """The unit as UNITS spells it; '' where it is none of them.

    Args:
      unit: as a file or a user writes it: 'g', 'G', 'm/s^2', 'mm/s' ...
    """
    text = unit.strip().lower()
    text = SPELLINGS.get(text, text)
    return text if text in UNITS else ''


def velocity_rms(
    samples: np.ndarray, rate_hz: float, unit: str, *, low_hz: float = LOW_HZ, high_hz: float = HIGH_HZ
) -> np.ndarray:
    """RMS value of the velocity between two frequencies, 10 and 1000 Hz as in ISO 20816-3, unless others are given.

    The power spectral density (Welch's method: Hann's window, half overlap; IEEE Trans. Audio Electroacoustics
    15(2):70-73, 1967) is divided by (2 pi f)^2 where the samples are an acceleration, and summed over the band. The
    drift and the offset of the sensor are removed first (`fdx.signal.slow_part`).

    Args:
      samples: float [T] or [T, C], finite.
      rate_hz: their rate.
      unit: of the samples, one of UNITS or its other spellings.
      low_hz: lower end of the band.
      high_hz: upper end of the band.

    Returns:
      float64 [C], in mm/s.

    Raises:
      ConfigError: a unit that is neither an acceleration nor a velocity.
      DataError: a rate that does not reach `high_hz`, or a recording of fewer than five periods of `low_hz`.
    """
    name = known_unit(unit)
    if not name:
        raise ConfigError(
            f'`unit`={unit!r}: a velocity follows from {", ".join(UNITS)}; state in what the samples are measured'
        )
    if USED_BAND * rate_hz / 2 < high_hz:
        raise DataError(
            f'{rate_hz:g} Hz are too few for the velocity up to {high_hz:g} Hz: record at '
            f'{2 * high_hz / USED_BAND:.0f} Hz or more'
        )
    x = np.asarray(samples, np.float64).reshape(len(samples), -1)
    if len(x) / rate_hz < FEWEST_PERIODS / low_hz:
        raise DataError(
            f'{len(x) / rate_hz:.3g} s are too short for the velocity from {low_hz:g} Hz on: record '
            f'{FEWEST_PERIODS / low_hz:g} s or more'
        )
    factor, integrations = UNITS[name]
    length = min(len(x), math.ceil(PERIODS / low_hz * rate_hz))
    f, power = scipy.signal.welch(without_slow_part(x, rate_hz), rate_hz, nperseg=length, axis=0)
    # Bins at the edges of the band count with the part of their width that lies inside.
    width = np.clip(np.minimum(f + f[1] / 2, high_hz) - np.maximum(f - f[1] / 2, low_hz), 0.0, None)
    inside = width > 0
    weight = width[inside] / (2 * np.pi * f[inside]) ** (2 * integrations)
    return factor * np.sqrt(weight @ power[inside])
