"""A picture of envelope spectra around the harmonics of one frequency."""

from __future__ import annotations

import numpy as np

from fdx.signal.envelope import EnvelopeSpectra


def picture(
    spectra: EnvelopeSpectra,
    fault_hz: float,
    harmonics: int = 3,
    cells: int = 2,
    slip: float = 0.02,
    avoid: tuple[float, float] | None = None,
) -> np.ndarray:
    """Bands by cells around the harmonics of one frequency: float64 [bands, harmonics * cells], see FaultOrders.

    With `avoid` (fundamental_hz, guard_hz), points within the guard of a multiple of the fundamental are skipped; a
    cell without any other point is 0.
    """
    columns = []
    for h in range(1, harmonics + 1):
        background = spectra.background((h - 0.5) * fault_hz, (h + 0.5) * fault_hz)
        edges = h * fault_hz * (1 + np.linspace(-slip, slip, cells + 1))
        for low, high in zip(edges[:-1], edges[1:]):
            # About one point per bin, including both edges; the lines of a zero-padded spectrum are wider than a bin.
            points = np.linspace(low, high, max(2, int((high - low) / spectra.df_hz) + 2))
            if avoid is not None:
                points = points[np.abs(points - avoid[0] * np.round(points / avoid[0])) > avoid[1]]
                if not len(points):
                    columns.append(np.zeros(len(background)))
                    continue
            columns.append(spectra.at(points).max(axis=1) - background)
    return np.nan_to_num(np.stack(columns, axis=1))
