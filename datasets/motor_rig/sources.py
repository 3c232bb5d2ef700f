"""Excitations of the bench: imbalance, torque ripple, tones and broadband noise, as acceleration at the sensor."""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy  # its parts are imported at first use, which saves a second
import scipy.fft

from .electric import Operation
from .measured import Tone
from .motors import Motor
from .structure import accelerance

# The broadband part is made on an even grid of this rate and interpolated between its points: 4 times the band.
NOISE_RATE_HZ = 2200.0
NOISE_BAND_HZ = 275.0


@dataclasses.dataclass(frozen=True)
class Wander:
    """A slow random function of time, w(t) = sum_k a_k cos(2 pi f_k t + p_k); |w| <= sum_k a_k.

    Attributes:
      amplitudes: a_k; frequencies_hz: f_k; phases: p_k in radians.
    """

    amplitudes: np.ndarray
    frequencies_hz: np.ndarray
    phases: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator, bound: float, terms: int = 4) -> Wander:
        """Draws one with frequencies from 0.02 to 0.5 Hz and |w| <= `bound`."""
        amplitudes = rng.uniform(0.5, 1.0, terms)
        frequencies_hz = np.exp(rng.uniform(np.log(0.02), np.log(0.5), terms))
        return cls(amplitudes * (bound / amplitudes.sum()), frequencies_hz, rng.uniform(0, 2 * np.pi, terms))

    def value(self, t_s: np.ndarray) -> np.ndarray:
        """The value w at the times [T]."""
        return np.cos(2 * np.pi * self.frequencies_hz * t_s[:, None] + self.phases) @ self.amplitudes

    def integral(self, t_s: np.ndarray) -> np.ndarray:
        """Integral of w from 0 to the times [T]."""
        angle = 2 * np.pi * self.frequencies_hz * t_s[:, None] + self.phases
        return (np.sin(angle) - np.sin(self.phases)) @ (self.amplitudes / (2 * np.pi * self.frequencies_hz))


@dataclasses.dataclass(frozen=True)
class Shaft:
    """A turning shaft: turns(t) = rate (t + integral of w).

    Attributes:
      rate_hz: mean turns per second.
      wander: relative deviation of the speed.
    """

    rate_hz: float
    wander: Wander

    def turns(self, t_s: np.ndarray) -> np.ndarray:
        """Turns made until the times [T]."""
        return self.rate_hz * (t_s + self.wander.integral(t_s))


def vibration(amplitude: np.ndarray, cycles: np.ndarray) -> np.ndarray:
    """Real vibration float64 [T, 3] of a complex amplitude [3] after so many cycles [T]: Re(A exp(2 pi j c))."""
    angle = 2 * np.pi * cycles
    return np.cos(angle)[:, None] * amplitude.real - np.sin(angle)[:, None] * amplitude.imag


def imbalance(modes, force: complex, rate_hz: float, reference_hz: float, detune: float = 1.0) -> np.ndarray:
    """Acceleration, complex128 [3], at 1x of a rotating force: m e w^2, its parts across and up 90 degrees apart.

    Args:
      modes: the path from the bearings to the sensor.
      force: in counts at the reference speed; its angle is that of the heavy spot on the rotor.
      rate_hz: turns per second.
      reference_hz: reference speed.
      detune: factor on the natural frequencies.
    """
    now = force * (rate_hz / reference_hz) ** 2
    return accelerance(modes, rate_hz, detune) @ np.array([now, -1j * now, 0.0])


def ripple_lines(motor: Motor, operation: Operation, detune: float = 1.0) -> list[tuple[float, float, np.ndarray]]:
    """Lines of the electrical side: (multiple of the supply, multiple of the shaft, complex128 [3]).

    The product of the two sequence currents pulsates the torque at twice the supply frequency f (Fortescue 1918; as the
    sign of unbalanced supply or windings in IEC 60034-26); an eccentric rotor modulates it once per turn, which gives
    the sidebands 2f -+ 1x. The magnetic pull of an uneven gap is also at 2f, even in a healthy motor.
    """
    twice_hz = 2 * motor.circuit.supply_hz
    ripple = motor.ripple * operation.positive_a * operation.negative_a
    pull = motor.pull * operation.positive_a**2
    side = motor.eccentric_share * ripple
    return [
        (2, 0, accelerance(motor.modes, twice_hz, detune) @ np.array([pull, 0.3 * pull, ripple])),
        (2, -1, accelerance(motor.modes, twice_hz - operation.shaft_hz, detune) @ np.array([side, -0.5j * side, side])),
        (2, 1, accelerance(motor.modes, twice_hz + operation.shaft_hz, detune) @ np.array([side, 0.5j * side, side])),
    ]


def tone_amplitude(tone: Tone, gain: np.ndarray, phase: float) -> np.ndarray:
    """Complex amplitude [3] of a tone with a gain for each axis and a phase (radians) for all."""
    behind_z = np.radians([*tone.phase_deg, 0.0])
    return np.asarray(tone.amplitude) * gain * np.exp(1j * (phase - behind_z))


def broadband(floor, t_s: np.ndarray, gain: np.ndarray, detune: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise, float64 [T, 3], of a given density at uneven times.

    Args:
      floor: rows (Hz, density along x, y and z in counts per root hertz), joined by straight lines.
      t_s: times [T] from 0 on.
      gain: [3], factor on the density.
      detune: factor on the frequencies of the table.
      rng: random numbers.
    """
    table = np.asarray(floor, np.float64)
    total = scipy.fft.next_fast_len(int(np.ceil((t_s[-1] + 0.1) * NOISE_RATE_HZ)), real=True)
    frequency_hz = scipy.fft.rfftfreq(total, 1 / NOISE_RATE_HZ)
    used = (frequency_hz > 0.3) & (frequency_hz < NOISE_BAND_HZ)
    grid_s = np.arange(total) / NOISE_RATE_HZ
    found = np.empty((t_s.size, 3))
    for axis in range(3):
        density = gain[axis] * np.interp(frequency_hz, detune * table[:, 0], table[:, axis + 1])
        white = rng.standard_normal(2 * frequency_hz.size).view(np.complex128)
        spectrum = np.where(used, white * density * np.sqrt(total * NOISE_RATE_HZ) / 2, 0)
        found[:, axis] = scipy.interpolate.CubicSpline(grid_s, scipy.fft.irfft(spectrum, total))(t_s)
    return found
