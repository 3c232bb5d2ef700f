"""Orders of a machine on the axes of an input: where they lie, and which share of an attribution lies at them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fdx.explain.spectral import frequencies_hz
from fdx.signal.control_orders import FAULTS, control_orders, fault_orders_of
from fdx.signal.envelope_orders import EnvelopeOrders
from fdx.signal.evidence_front_end import Evidence
from fdx.signal.fault_orders import STACKED_COLUMNS, FaultOrders
from fdx.signal.patch import Condition, InputMaker
from fdx.signal.readings import reads_tables
from fdx.signal.waveform import Waveform

HARMONICS = 3
# Half width of what counts as "at an order": rolling elements slip by 1 to 2 %.
SLIP = 0.02
# Bands that are wider than this share of the lowest fault order hold fault and control orders alike.
WIDEST_BAND = 0.1
NO_MACHINE = 'the speed of the shaft and the bearing are not both known'
TOO_WIDE = (
    'the bands of this input are wider than the distance of fault orders from others: at {hz:.0f} Hz, where the lowest '
    'fault order lies, they are {width:.0f} Hz apart'
)
NO_ORDERS = 'the axes of this input are neither frequencies nor orders'


@dataclasses.dataclass(frozen=True)
class Line:
    """A frequency that a part of the machine has.

    Attributes:
      name: of the part.
      order: events per turn of the shaft.
    """

    name: str
    order: float


def lines_of(condition: Condition, known_orders: Sequence[float] = ()) -> list[Line]:
    """The lines that can be marked: the shaft, gear meshes, and the bearing where it is known.

    Args:
      condition: of the recording; without a speed there are no lines.
      known_orders: orders of gear meshes, vanes and so on, as their user knows them.
    """
    if not (math.isfinite(condition.speed_rpm) and condition.speed_rpm > 0):
        return []
    lines = [Line('shaft', 1.0), *(Line(f'mesh {order:g}', float(order)) for order in known_orders)]
    if condition.geometry is None:
        return lines
    faults = [Line(name, order) for name, order in zip(FAULTS, fault_orders_of(condition.geometry))]
    return [*lines, Line('cage', condition.geometry.ftf), *faults]


def axis_in_orders(front_end: InputMaker, shape: tuple[int, ...], condition: Condition) -> np.ndarray | None:
    """Orders of the bins of an input's frequency axis: float64 [F]; None where it has no such axis.

    Waveforms have one by `fdx.explain.spectral`. Images of fault orders have cells in place of an axis.
    """
    if isinstance(front_end, (FaultOrders, Evidence)) or reads_tables(front_end):
        return None
    if isinstance(front_end, EnvelopeOrders):
        return front_end.hop_s * np.arange(1, front_end.points + 1)
    if not (math.isfinite(condition.speed_rpm) and condition.speed_rpm > 0):
        return None
    if isinstance(front_end, Waveform):
        hz = frequencies_hz(shape[0], front_end.rate_hz)
    else:
        hz = front_end.centre_frequencies_hz()  # type: ignore[attr-defined]
    return hz / (condition.speed_rpm / 60)


def profile_of(front_end: InputMaker, values: np.ndarray) -> np.ndarray:
    """What speaks for the class, per bin of the frequency axis: the positive part, summed over time and channels.

    Args:
      front_end: of the run.
      values: float [T, F, C] as `front_end.axes` orders it; of waveforms [F, 1, C], see `fdx.explain.spectral`.
    """
    positive = np.maximum(values, 0.0)
    along_first = front_end.axes == 'FT' or isinstance(front_end, (EnvelopeOrders, Waveform))
    return positive.sum(axis=(1, 2) if along_first else (0, 2))


def near(centres: np.ndarray, order: float, harmonics: int = HARMONICS) -> np.ndarray:
    """Bins of an axis in orders, float [F], at the harmonics of an order: bool [F].

    A bin is at a harmonic if it lies within the slip, or is the nearest one.
    """
    widths = np.abs(np.gradient(centres)) / 2
    found = np.zeros(len(centres), bool)
    for h in range(1, harmonics + 1):
        found |= np.abs(centres - h * order) <= np.maximum(SLIP * h * order, widths)
    return found


def order_shares(front_end: InputMaker, values: np.ndarray, condition: Condition) -> dict[str, Any]:
    """Which share of what speaks for a class lies at fault orders, and how much lies at orders of no fault.

    Args:
      front_end: of the run.
      values: attributions of one input; of a waveform those of its frequencies (fdx.explain.spectral).
      condition: speed and bearing.

    Returns:
      JSON-able: `at`, {name: {'share' of the positive attribution, 'area' as share of the axis, 'density' share over
      area}}, for the three faults (images of fault orders: for each of their channels), and `control`, the mean density
      at orders of no fault. Or `reason`, why there are none. A density of 1 is what chance gives.
    """
    if isinstance(front_end, (FaultOrders, Evidence)):
        return {'at': _shares_of_channels(front_end, values), 'control': None}
    centres = axis_in_orders(front_end, values.shape, condition)
    if centres is None:
        known = reads_tables(front_end)
        return {'reason': NO_ORDERS if known else NO_MACHINE}
    if condition.geometry is None:
        return {'reason': NO_MACHINE}
    profile = profile_of(front_end, values)
    if isinstance(front_end, Waveform):
        centres = centres[: len(profile)]
    orders = fault_orders_of(condition.geometry)
    lowest = min(orders)
    width = float(np.interp(lowest, centres, np.gradient(centres)))
    if width > WIDEST_BAND * lowest:
        hz = condition.speed_rpm / 60
        return {'reason': TOO_WIDE.format(hz=lowest * hz, width=width * hz)}
    at = {name: _share(profile, near(centres, order)) for name, order in zip(FAULTS, orders)}
    faulty = np.any([near(centres, order) for order in orders], axis=0)
    control = [
        _share(profile, near(centres, float(order)) & ~faulty)['density']
        for order in control_orders(condition.geometry)
    ]
    densities = [density for density in control if density is not None]
    return {'at': at, 'control': float(np.mean(densities)) if densities else None}


def _share(profile: np.ndarray, where: np.ndarray) -> dict[str, float | None]:
    total, area = float(profile.sum()), float(where.mean())
    share = float(profile[where].sum()) / total if total > 0 else 0.0
    return {'share': share, 'area': area, 'density': share / area if area > 0 else None}


def _shares_of_channels(front_end: FaultOrders | Evidence, values: np.ndarray) -> dict[str, dict[str, float | None]]:
    """Shares of the characteristic frequencies of an image of fault orders, each of which has the same area."""
    positive = np.maximum(values, 0.0)
    if isinstance(front_end, FaultOrders) and front_end.layout == 'stacked':
        names = list(front_end.channels)
        width = front_end.harmonics * front_end.cells * STACKED_COLUMNS
        sums = [float(positive[:, i * width : (i + 1) * width].sum()) for i in range(len(names))]
    else:
        names = front_end.panels(1)
        sums = positive.sum(axis=(0, 1)).tolist()
    total = float(sum(sums))
    shares = [s / total if total > 0 else 0.0 for s in sums]
    return {n: {'share': s, 'area': 1 / len(names), 'density': s * len(names)} for n, s in zip(names, shares)}
