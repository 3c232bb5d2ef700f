"""A few dozen numbers that say what an input of a network looks like, whatever the network makes of it.

They are compared with those of the training windows (fdx.data.familiar). A network's own features may be blind for what
makes an input foreign, since it learned to tell its classes apart and nothing else.
"""

from __future__ import annotations

import numpy as np

from fdx.signal.patch import InputMaker
from fdx.signal.waveform import Waveform

MOST_NUMBERS = 128
BANDS_OF_WAVEFORMS = 64
# Of the power of a band of a waveform whose samples have a variance of 1: bands without any do not become infinite.
SMALLEST_POWER = 1e-2


def summarise_inputs(images: np.ndarray, front_end: InputMaker) -> np.ndarray:
    """The mean spectrum of each input.

    Images are averaged over time. Neighbouring bands are averaged until no more than MOST_NUMBERS are left. Of
    waveforms it is the logarithm of the power in BANDS_OF_WAVEFORMS equal bands.

    Args:
      images: float [N, T, F, C], or [N, F, T, C] where `front_end.axes` says so.
      front_end: which made them.

    Returns:
      float64 [N, D]. A row of an input that is not finite is not finite either.
    """
    images = np.asarray(images, np.float64)
    if isinstance(front_end, Waveform):
        spectrum = _band_powers(images[:, :, 0, :])
    else:
        spectrum = images.mean(axis=1 if front_end.axes == 'TF' else 2)
    bands = max(1, min(spectrum.shape[1], MOST_NUMBERS // spectrum.shape[2]))
    return _averaged(spectrum, bands).reshape(len(images), -1)


def _band_powers(windows: np.ndarray) -> np.ndarray:
    """Logarithms of the power of windows [N, T, C] in bands, [N, BANDS_OF_WAVEFORMS or fewer, C]."""
    taper = np.hanning(windows.shape[1])[:, None]
    power = np.square(np.abs(np.fft.rfft(windows * taper, axis=1)))
    bands = min(BANDS_OF_WAVEFORMS, power.shape[1])
    return np.log(_averaged(power, bands) + SMALLEST_POWER)


def _averaged(values: np.ndarray, bands: int) -> np.ndarray:
    """Means of neighbours along the second axis: [N, F, C] -> [N, bands, C], bands being at most F."""
    edges = np.linspace(0, values.shape[1], bands + 1).astype(int)
    widths = np.diff(edges)[:, None]
    return np.add.reduceat(values, edges[:-1], axis=1) / widths
