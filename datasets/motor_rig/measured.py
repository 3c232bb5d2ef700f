"""Measurements on file 01 of the real data, a healthy m1 without load; motor_a's bench is modelled on them.

Measured on `01 - m1_half_shaft_speed_no_mechanical_load.csv` (doi 10.5281/zenodo.6473455), 201 s, brought to an even
time grid: Welch spectra with segments of 4096 to 16,384 samples. Amplitudes are peak values in counts (g / 16,384).
"""

from __future__ import annotations

import dataclasses

SHAFT_HZ = 22.82


@dataclasses.dataclass(frozen=True)
class Tone:
    """A line of the spectrum at the sensor's place.

    Attributes:
      order: its frequency over that of the shaft; 0 for a tone with a constant frequency.
      frequency_hz: frequency of a tone with a constant frequency; 0 otherwise.
      amplitude: peak along x, y and z, in counts at the reference speed.
      phase_deg: of z before x and before y.
      slip: bound of the relative wander of its frequency around its order, as of a rolling bearing's.
    """

    order: float
    frequency_hz: float
    amplitude: tuple[float, float, float]
    phase_deg: tuple[float, float]
    slip: float = 0.0


# The shaft's harmonics from the second on (the first is the imbalance: see simulator.py).
HARMONICS = (
    Tone(2, 0, (124, 238, 141), (96, -57)),
    Tone(3, 0, (137, 167, 105), (-141, -103)),
    Tone(4, 0, (98, 209, 87), (122, 59)),
    Tone(5, 0, (151, 225, 123), (103, 64)),
    Tone(8, 0, (27, 152, 127), (-142, -9)),
)

# Tones that are not harmonics of the shaft. The strongest is constant within 0.02 Hz and belongs to another clock (the
# drive or another machine). The others wander by 0.1% around an order; their orders suggest bearings or the belt.
TONES = (
    Tone(0, 44.882, (1252, 176, 1313), (96, -57)),
    Tone(4.823, 0, (1187, 132, 1254), (-166, -173), 0.001),
    Tone(5.453, 0, (245, 27, 265), (-147, 19), 0.001),
    Tone(5.864, 0, (229, 21, 254), (-143, 22), 0.001),
    Tone(5.937, 0, (193, 60, 214), (0, 83), 0.001),
    Tone(6.346, 0, (206, 23, 220), (3, 93), 0.001),
    Tone(7.683, 0, (268, 32, 289), (-68, 46), 0.001),
    Tone(9.835, 0, (147, 17, 197), (126, 125), 0.001),
    Tone(10.706, 0, (257, 29, 259), (-143, -162), 0.001),
    Tone(10.91, 0, (679, 79, 708), (-147, -162), 0.002),
    Tone(11.116, 0, (286, 36, 400), (-151, -167), 0.001),
)

# (Hz, density along x, y and z in counts per root hertz): the rest of the spectrum without those lines.
FLOOR = (
    (1.5, 31, 15, 82), (6, 41, 18, 92), (14, 45, 20, 95), (23, 53, 23, 98), (29, 84, 20, 119), (36, 41, 19, 82),
    (45, 45, 30, 84), (55, 52, 23, 96), (65, 60, 27, 106), (75, 66, 25, 117), (85, 69, 23, 115), (95, 44, 35, 89),
    (104, 43, 26, 79), (112, 59, 35, 96), (120, 42, 22, 92), (133, 42, 20, 90), (146, 53, 20, 85), (155, 64, 22, 99),
    (165, 36, 21, 77), (185, 64, 22, 98), (195, 93, 19, 118), (205, 41, 17, 74), (215, 38, 15, 58), (235, 33, 13, 70),
    (249, 43, 14, 85), (254, 51, 16, 144), (258, 43, 17, 188), (265, 36, 15, 140),
)  # fmt: skip
