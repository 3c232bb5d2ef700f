"""What a whole recording shows at the orders of its bearing's faults, compared with orders that belong to no fault.

For each order the lines at its first harmonics are searched for within the slip, jointly: one deviation for all of
them. The harmonics are combined without the strongest, so that no single line carries a fault. The same search runs at
control orders and at twins (`fdx.signal.control_orders`), and shows how high it gets by chance and by everything else
in the machine. Lines beside multiples of the shaft's rate, of the mains, and of orders that the user knows are counted
once with and once without them.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from fdx.signal.control_orders import FAULTS, control_orders, fault_orders_of, twin_orders
from fdx.signal.order_spectra import LINE_BINS, OrderSpectra, order_spectra
from fdx.signal.speed_check import CheckedSpeed, check_speed
from fdx.types import BearingGeometry

HARMONICS = 6
# Relative deviations of an order that are searched, and around them the width of a line that jitters.
SLIP, STEPS, JITTER = 0.024, 48, 0.001
TARGETS = (*FAULTS, 'cage', 'shaft')
# Places around each harmonic, in turns of the shaft and of the cage; `apart` is the centre without explained lines.
POSITIONS = ('centre', 'apart', '-shaft', '+shaft', '-2 shaft', '+2 shaft', '-cage', '+cage')
MAINS_HZ = (50.0, 60.0)
# Relative width of the lines of other parts that the user knows.
KNOWN_SLIP = 0.006
# The strongest bands count beside the mean of all.
TOP_BANDS, TOP_WEIGHT = 6, 0.5
LOWEST, HIGHEST = -1.0, 3.0
# Half orders are only told from other lines where they are at least this many guards apart.
HALF_ORDERS_APART = 6.0
FEWEST = 2


@dataclasses.dataclass(frozen=True)
class Found:
    """The search at one order.

    Attributes:
      order: nominal, in turns of the shaft.
      deviation: relative, at which its lines stand out most.
      level: mean excess of its harmonics without the strongest, in nepers.
      profile, profile_apart: float64 [STEPS], the level at every deviation, with and without explained lines.
      cells: float64 [bands, HARMONICS, POSITIONS], excess at `deviation`; NaN where nothing is known.
    """

    order: float
    deviation: float
    level: float
    profile: np.ndarray
    profile_apart: np.ndarray
    cells: np.ndarray


@dataclasses.dataclass(frozen=True)
class FaultEvidence:
    """The searches of one recording.

    Attributes:
      geometry: of the bearing.
      speed: that was used, and what the recording said about it.
      spectra: of the recording.
      targets: one search per TARGETS.
      controls: at orders of no fault.
      twins: per fault, at orders that lie beside the shaft's multiples as the fault's does.
      explained: bool [F], bins of the spectra that something else explains.
      turns: of the shaft in the recording.
    """

    geometry: BearingGeometry
    speed: CheckedSpeed
    spectra: OrderSpectra
    targets: tuple[Found, ...]
    controls: tuple[Found, ...]
    twins: tuple[tuple[Found, ...], ...]
    explained: np.ndarray
    turns: float

    def z_scores(self, *, apart: bool = False) -> np.ndarray:
        """Levels of FAULTS above the controls' median, in robust standard deviations of the controls: float64 [3]."""
        levels = [_best(f, apart) for f in (*self.targets[: len(FAULTS)], *self.controls)]
        middle, spread = centre_and_spread(np.array(levels[len(FAULTS) :]))
        return (np.array(levels[: len(FAULTS)]) - middle) / spread


def _best(found: Found, apart: bool) -> float:
    return float((found.profile_apart if apart else found.profile).max())


def centre_and_spread(values: np.ndarray) -> tuple[float, float]:
    """Median and 1.4826 times the median absolute deviation, which is the standard deviation of a normal law."""
    middle = float(np.median(values))
    return middle, max(1.4826 * float(np.median(np.abs(values - middle))), 0.02)


def fault_evidence(
    samples: np.ndarray,
    rate_hz: float,
    speed_rpm: float,
    geometry: BearingGeometry,
    known_orders: Sequence[float] = (),
    *,
    fixed_speed: bool = False,
) -> FaultEvidence:
    """Searches a recording for the lines of its bearing's faults.

    Args:
      samples: float [T], one channel, at least ten turns of the shaft.
      rate_hz: sampling rate.
      speed_rpm: stated speed; it is checked and corrected (`fdx.signal.speed_check`).
      geometry: of the bearing.
      known_orders: of blades, vanes, gear meshes or other bearings, whose lines and harmonics are left out.
      fixed_speed: the stated speed is used as it is.
    """
    orders = fault_orders_of(geometry)
    controls = control_orders(geometry)
    # Sidebands and the corrected speed reach beyond the highest harmonic.
    highest = (max(*orders, controls.max()) * (1 + SLIP) * HARMONICS + 3) * 1.1
    spectra = order_spectra(samples, rate_hz, speed_rpm / 60, highest * speed_rpm / 60)
    speed = check_speed(samples, rate_hz, speed_rpm, geometry, spectra)
    if fixed_speed:
        speed = dataclasses.replace(speed, speed_rpm=speed_rpm, score=speed.stated_score)
    spectra = _without_known(spectra, speed.speed_rpm / 60, known_orders)
    return evidence_in(spectra, speed, geometry, len(samples) / rate_hz * speed.speed_rpm / 60)


def evidence_in(spectra: OrderSpectra, speed: CheckedSpeed, geometry: BearingGeometry, turns: float) -> FaultEvidence:
    """Searches spectra at a speed that is settled.

    Args:
      spectra: of the recording.
      speed: that is used.
      geometry: of the bearing.
      turns: of the shaft in the recording.
    """
    shaft_hz, orders, controls = speed.speed_rpm / 60, fault_orders_of(geometry), control_orders(geometry)
    search = _Search(spectra, shaft_hz, geometry.ftf, _explained(spectra, shaft_hz))
    twins = [twin_orders(geometry, order) for order in orders]
    found = search.at([*orders, geometry.ftf, 1.0, *controls, *itertools.chain.from_iterable(twins)])
    parts = [tuple(itertools.islice(found, count)) for count in (len(TARGETS), len(controls), *map(len, twins))]
    return FaultEvidence(
        geometry=geometry,
        speed=speed,
        spectra=spectra,
        targets=parts[0],
        controls=parts[1],
        twins=tuple(parts[2:]),
        explained=search.explained,
        turns=turns,
    )


def _without_known(spectra: OrderSpectra, shaft_hz: float, known_orders: Sequence[float]) -> OrderSpectra:
    """The spectra without what lies at harmonics of known orders, within the slip of other bearings."""
    if not len(known_orders):
        return spectra
    excess = spectra.excess.copy()
    for order in known_orders:
        fundamental_hz = order * shaft_hz
        gone = spectra.near_multiples(fundamental_hz, LINE_BINS / spectra.segment_s, KNOWN_SLIP)
        gone[: int(fundamental_hz / 2 / spectra.df_hz)] = False
        excess[:, gone] = np.nan
    return dataclasses.replace(spectra, excess=excess)


def _explained(spectra: OrderSpectra, shaft_hz: float) -> np.ndarray:
    """Bins that the shaft or the mains explain: bool [F]."""
    guard_hz = LINE_BINS / spectra.segment_s
    halves = shaft_hz / 2 > HALF_ORDERS_APART * guard_hz
    explained = spectra.near_multiples(shaft_hz / 2 if halves else shaft_hz, guard_hz, 5e-4)
    for mains_hz in MAINS_HZ:
        explained |= spectra.near_multiples(mains_hz, guard_hz)
    return explained


class _Search:
    """Looks up orders in one recording."""

    def __init__(self, spectra: OrderSpectra, shaft_hz: float, cage: float, explained: np.ndarray):
        self.explained = explained
        self._spectra, self._shaft_hz, self._cage = spectra, shaft_hz, cage
        known = np.where(np.isfinite(spectra.excess), np.clip(spectra.excess, LOWEST, HIGHEST), np.nan)
        strongest = np.sort(np.nan_to_num(known, nan=LOWEST), axis=0)[-TOP_BANDS:].mean(axis=0)
        with np.errstate(invalid='ignore'):
            counted = np.isfinite(known).sum(axis=0)
            mean = np.nansum(known, axis=0) / np.maximum(counted, 1)
        self._line = np.where(counted > 0, mean + TOP_WEIGHT * strongest, np.nan)
        self._grid = 1 + np.linspace(-SLIP, SLIP, STEPS)

    def at(self, orders: Sequence[float]) -> Iterator[Found]:
        """The searches at orders, all at once: one by one, NumPy's calls would take most of the time."""
        steps_hz = np.array(orders)[:, None] * self._shaft_hz * self._grid
        hz = steps_hz[..., None] * np.arange(1, HARMONICS + 1)
        with_all, apart = self._lines(hz)
        profiles, profiles_apart = _combined(with_all), _combined(apart)
        best = profiles.argmax(axis=1)
        cells = self._cells(hz[np.arange(len(hz)), best])
        for i, order in enumerate(orders):
            yield Found(
                order=order,
                deviation=float(self._grid[best[i]] - 1),
                level=float(profiles[i, best[i]]),
                profile=profiles[i],
                profile_apart=profiles_apart[i],
                cells=np.ascontiguousarray(cells[:, i]),
            )

    def _lines(self, hz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The combined line spectrum at frequencies, the largest value within the jitter; then without explained."""
        with_all, apart = np.full(hz.shape, np.nan), np.full(hz.shape, np.nan)
        for shift in (1 - JITTER, 1.0, 1 + JITTER):
            place = np.rint(hz * shift / self._spectra.df_hz).astype(np.int64)
            inside = place < len(self._line)
            place = np.where(inside, place, 0)
            value = np.where(inside, self._line[place], np.nan)
            with_all = np.fmax(with_all, value)
            apart = np.fmax(apart, np.where(self.explained[place], np.nan, value))
        return with_all, apart

    def _cells(self, harmonics_hz: np.ndarray) -> np.ndarray:
        """Excess of all bands around harmonics [N, H]: [bands, N, H, POSITIONS]."""
        shaft, cage = self._shaft_hz, self._cage * self._shaft_hz
        offsets_hz = np.array([0.0, 0.0, -shaft, shaft, -2 * shaft, 2 * shaft, -cage, cage])
        hz = harmonics_hz[..., None] + offsets_hz
        cells = np.full((len(self._spectra.excess), *hz.shape), np.nan)
        for shift in (1 - JITTER, 1.0, 1 + JITTER):
            value = self._spectra.nearest(hz * shift)
            place = np.clip(
                np.rint(hz[..., 1] * shift / self._spectra.df_hz).astype(np.int64), 0, len(self.explained) - 1
            )
            value[..., 1] = np.where(self.explained[place], np.nan, value[..., 1])
            cells = np.fmax(cells, value)
        return cells


def _combined(lines: np.ndarray) -> np.ndarray:
    """Mean over harmonics [..., H] without the strongest; LOWEST where fewer than FEWEST + 1 are known."""
    known = np.isfinite(lines)
    count = known.sum(axis=-1)
    values = np.where(known, lines, 0.0)
    strongest = np.where(known, lines, -np.inf).max(axis=-1)
    enough = count > FEWEST
    total = values.sum(axis=-1) - np.where(enough, strongest, 0.0)
    return np.where(enough, total / np.maximum(count - 1, 1), LOWEST)
