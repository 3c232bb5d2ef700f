"""Reference magnitudes of the Morlet transform by PyWavelets.

Run with PyWavelets 1.9.0 in an environment of its own (fdx does not depend on it):

    python tests/golden/make_scalogram.py    # rewrites tests/golden/scalogram.npz

PyWavelets tabulates the integral of the wavelet and takes differences from sample to sample, so it averages the wavelet
over a sample. At 0.27 of the rate that costs a tenth of the magnitude. The signal is therefore interpolated FINER times
(by FFT, after zeros on both sides) before PyWavelets gets it, where the average costs FINER squared times less.
tests/signal/test_scalogram.py compares with the file, and again with PyWavelets itself where it is installed.
"""

from __future__ import annotations

import pathlib

import numpy as np

TARGET = pathlib.Path(__file__).resolve().parent / 'scalogram.npz'
OMEGA0 = 6.0
SAMPLES = 1200
# Cycles per sample, from ten periods per signal to 0.42, in no particular steps.
FREQUENCIES = np.array([10 / SAMPLES, 0.0137, 0.031, 0.0718, 0.15, 0.271, 0.36, 0.42])
# PyWavelets tabulates the wavelet's integral at 2 ** PRECISION points.
PRECISION = 16
FINER = 32
MARGIN = 600


def signal() -> np.ndarray:
    """float64 [SAMPLES]: noise, a chirp, and two impacts of a resonance, the second near the end."""
    rng = np.random.default_rng(8)
    t = np.arange(SAMPLES)
    x = 0.1 * rng.standard_normal(SAMPLES) + 0.5 * np.sin(2 * np.pi * (0.01 + 0.08 * t / SAMPLES) * t)
    for at in (400, 1180):
        ring = t[at:] - at
        x[at:] += np.exp(-ring / 25) * np.sin(2 * np.pi * 0.27 * ring)
    return x


def pywavelets_magnitudes() -> np.ndarray:
    """float64 [F, SAMPLES]: magnitudes that are a for a sine of amplitude a."""
    import pywt

    padded = np.pad(signal(), MARGIN)
    spectrum = np.fft.rfft(padded)
    spectrum[-1] = 0  # Between the samples, the line at Nyquist has no meaning.
    finer = np.fft.irfft(spectrum, FINER * len(padded)) * FINER
    wavelet = pywt.ContinuousWavelet(f'cmor2.0-{OMEGA0 / (2 * np.pi)}')
    scales = FINER * OMEGA0 / (2 * np.pi) / FREQUENCIES
    coefficients, _ = pywt.cwt(finer, scales, wavelet, method='fft', precision=PRECISION)
    return (np.abs(coefficients) * 2 / np.sqrt(scales)[:, None])[:, FINER * MARGIN : -FINER * MARGIN : FINER]


def main() -> None:
    """Writes the file."""
    magnitudes = pywavelets_magnitudes()
    np.savez_compressed(TARGET, magnitudes=magnitudes.astype(np.float32))
    print(magnitudes.shape, f'max {magnitudes.max():.6f}', f'{TARGET.stat().st_size} bytes')


if __name__ == '__main__':
    main()
