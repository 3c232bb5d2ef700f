"""Makes triaxial.npz: what librosa itself gives for the settings of the tri-axial study.

librosa is no dependency of fdx:

    python3 -m venv /tmp/librosavenv && /tmp/librosavenv/bin/pip install librosa==0.11.0
    /tmp/librosavenv/bin/python tests/golden/make_triaxial.py
"""

from __future__ import annotations

import pathlib

import librosa
import numpy as np

NOMINAL_RATE_HZ = 1000


def chunk() -> np.ndarray:
    """Three axes, float32 [1000, 3]: counts of lines, noise and an impact; a burst before near-silence; gravity."""
    rng = np.random.default_rng(20)
    t = np.arange(1000) / 533.05
    lines = [sum(a * np.sin(2 * np.pi * f * t + p) for f, a, p in rng.uniform((5, 50, 0), (260, 900, 6), (4, 3)))] * 3
    x = np.stack(lines, axis=1) * (1.0, 0.4, 0.1) + rng.standard_normal((1000, 3)) * (300, 40, 500)
    x[700, 0] += 9000
    x = np.rint(x + (-150, 600, 16300))
    x[300:, 1] *= 1e-7
    return x.astype(np.float32)


def decibels(x: np.ndarray) -> np.ndarray:
    """The study's image of x [T, 3]: float32 [128, frames, 3]."""
    images = []
    for axis in x.T:
        power = librosa.feature.melspectrogram(y=np.ascontiguousarray(axis), sr=NOMINAL_RATE_HZ, n_fft=256, n_mels=128)
        images.append(librosa.power_to_db(power, ref=np.max))
    return np.stack(images, axis=-1)


def main() -> None:
    """Writes the arrays beside this script."""
    x = chunk()
    # As the study: each axis by its global largest magnitude; here of a recording whose other parts are twice as loud.
    scale = 0.5 / np.abs(x).max(axis=0)
    np.savez_compressed(
        pathlib.Path(__file__).with_name('triaxial.npz'),
        chunk=x,
        gain=scale,
        image=decibels(x),
        image_scaled=decibels((x * scale).astype(np.float32)),
        bank=librosa.filters.mel(sr=NOMINAL_RATE_HZ, n_fft=256, n_mels=128).T,
        bank_22050=librosa.filters.mel(sr=22050, n_fft=256, n_mels=128).T,
        edges_hz=librosa.mel_frequencies(130, fmin=0.0, fmax=11025.0),
        version=librosa.__version__,
    )


if __name__ == '__main__':
    main()
