"""Makes musicnn_mel.npz: what librosa itself gives for the settings of musicnn's front end.

librosa is no dependency of fdx; in an environment of its own with librosa 0.11.0, and with CWRU's 105.mat in FOLDER:

    python tests/golden/make_musicnn_mel.py --recordings=FOLDER

The padding by reflection, librosa's default when the weights were made, is asked for; 0.10 and later have zeros. The
signals are not stored: the tests draw or read them again.
"""

from __future__ import annotations

import argparse
import pathlib

import numpy as np

RATE_HZ, FFT_LENGTH, HOP_LENGTH, N_MELS = 16000, 512, 256, 96


def chunk() -> np.ndarray:
    """float32 [15600]: lines, a sweep, noise and impacts at both ends, of machine-like loudness."""
    rng = np.random.default_rng(12)
    t = np.arange(15600) / RATE_HZ
    x = sum(a * np.sin(2 * np.pi * f * t + p) for f, a, p in rng.uniform((20, 0.01, 0), (7800, 0.3, 6), (6, 3)))
    x = x + 0.2 * np.sin(2 * np.pi * (100 * t + 2000 * t**2)) + 1e-3 * rng.standard_normal(len(t))
    x[[3, 40, 15590]] += (2.0, -1.0, 1.5)
    x[6000:9000] *= 1e-4
    return x.astype(np.float32)


def long_signal() -> np.ndarray:
    """float32 [48000], 3 s: decaying resonances hit 97 times a second, as of a damaged bearing."""
    rng = np.random.default_rng(13)
    t = np.arange(48000) / RATE_HZ
    since_hit = t % (1 / 97)
    x = np.exp(-since_hit * 800) * np.sin(2 * np.pi * 3100 * since_hit) + 0.05 * np.sin(2 * np.pi * 29.5 * t)
    return (x + 0.02 * rng.standard_normal(len(t))).astype(np.float32)


def real_signal(folder: pathlib.Path) -> np.ndarray:
    """float32 [48000]: the first samples of a damaged inner race, taken as 3 s at 16 kHz (they were 4 s at 12 kHz)."""
    import scipy.io

    return scipy.io.loadmat(folder / '105.mat')['X105_DE_time'][:48000, 0].astype(np.float32)


def image(x: np.ndarray, pad_mode: str = 'reflect') -> np.ndarray:
    """musicnn's image of x [T] without its float16: float32 [frames, 96]."""
    import librosa

    power = librosa.feature.melspectrogram(
        y=x, sr=RATE_HZ, n_fft=FFT_LENGTH, hop_length=HOP_LENGTH, n_mels=N_MELS, pad_mode=pad_mode
    )
    return np.log10(10000 * power + 1).T


def main() -> None:
    """Writes the arrays beside this script."""
    import librosa

    parser = argparse.ArgumentParser()
    parser.add_argument('--recordings', type=pathlib.Path, required=True)
    args = parser.parse_args()
    target = pathlib.Path(__file__).with_name('musicnn_mel.npz')
    np.savez_compressed(
        target,
        image=image(chunk()),
        image_zeros=image(chunk(), 'constant')[[0, 1, 30, 60]],
        image_3s=image(long_signal())[::8],
        image_real=image(real_signal(args.recordings))[::8],
        bank=librosa.filters.mel(sr=RATE_HZ, n_fft=FFT_LENGTH, n_mels=N_MELS).T,
        centres_hz=librosa.mel_frequencies(N_MELS + 2, fmin=0.0, fmax=RATE_HZ / 2)[1:-1],
        version=librosa.__version__,
    )
    print(target.stat().st_size)


if __name__ == '__main__':
    main()
