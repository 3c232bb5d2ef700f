"""The nearest form of each front end in another library: librosa, PyWavelets or SciPy, with the front end's settings.

A form takes one window, channels first [C, T], and returns its image. What does not depend on the window is made once.
Values agree with fdx's up to conventions (padding, normalisation of filters, float32 instead of float64), which do not
change the amount of work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Form = Callable[[np.ndarray], np.ndarray]


def form_of(name: str, front_end: Any, condition: Any) -> Form:
    """The form of the front end `name` of fdx.signal.front_ends; it reads the settings of `front_end`."""
    return FORMS[name](front_end, condition)


def log_mel_of_librosa(
    rate_hz: float, window: int, hop: int, fft_length: int, n_mels: int, low: float, high: float, offset: float
) -> Form:
    """log(mel magnitude + offset) of uncentred frames by librosa."""
    import librosa

    bank = librosa.filters.mel(sr=rate_hz, n_fft=fft_length, n_mels=n_mels, fmin=low, fmax=high, htk=True, norm=None)

    def form(x: np.ndarray) -> np.ndarray:
        spectrum = librosa.stft(x, n_fft=fft_length, hop_length=hop, win_length=window, center=False)
        return np.log(bank @ np.abs(spectrum) + offset)

    return form


def _log_mel(front_end: Any, condition: Any) -> Form:
    del condition
    f = front_end
    return log_mel_of_librosa(
        f.rate_hz, f.window_length, f.hop_length, f.fft_length, f.n_mels, f.f_min_hz, f.f_max_hz, f.log_offset
    )


def _multi_resolution(front_end: Any, condition: Any) -> Form:
    from scipy.interpolate import interp1d

    del condition
    f = front_end
    settings = zip(f.window_lengths, f.hop_lengths, f.fft_lengths)
    forms = [log_mel_of_librosa(f.rate_hz, w, h, n, f.n_mels, f.f_min_hz, f.f_max_hz, f.log_offset)
             for w, h, n in settings]  # fmt: skip

    def form(x: np.ndarray) -> np.ndarray:
        images = [form(x)[0] for form in forms]
        places = [np.linspace(0, 1, image.shape[1]) for image in images]
        at = np.linspace(0, 1, f.columns)
        return np.stack([interp1d(p, image, axis=1)(at) for p, image in zip(places, images)], -1)

    return form


def _musicnn(front_end: Any, condition: Any) -> Form:
    import librosa

    del condition
    f = front_end
    bank = librosa.filters.mel(sr=f.rate_hz, n_fft=f.fft_length, n_mels=f.n_mels)

    def form(x: np.ndarray) -> np.ndarray:
        spectrum = librosa.stft(x, n_fft=f.fft_length, hop_length=f.hop_length, pad_mode='reflect')
        return np.log10(1 + f.compression * (bank @ np.abs(spectrum) ** 2))

    return form


def _decibel_mel(front_end: Any, condition: Any) -> Form:
    import librosa

    del condition
    f = front_end
    bank = librosa.filters.mel(sr=f.nominal_rate_hz, n_fft=f.fft_length, n_mels=f.n_mels)

    def form(x: np.ndarray) -> np.ndarray:
        power = bank @ np.abs(librosa.stft(x, n_fft=f.fft_length, hop_length=f.hop_length)) ** 2
        return np.stack([librosa.power_to_db(p, ref=np.max, amin=f.amin, top_db=f.top_db) for p in power])

    return form


def _scalogram(front_end: Any, condition: Any) -> Form:
    import pywt

    del condition
    f = front_end
    # As in fdx.signal.scalogram_morlet: B = 2 and C = omega0 / (2 pi).
    centre = f.omega0 / (2 * np.pi)
    scales = centre * f.rate_hz / f.centre_frequencies_hz()

    def form(x: np.ndarray) -> np.ndarray:
        found, _ = pywt.cwt(x[0], scales, f'cmor2.0-{centre:.6f}', method='fft')
        columns = np.abs(found).reshape(f.rows, f.columns, f.hop_length).mean(2)
        return np.repeat(np.log1p(columns / f.floor)[..., None], 3, axis=2)

    return form


def _envelope_spectrum(front_end: Any, condition: Any) -> Form:
    from scipy import signal

    f = front_end
    shaft_hz = condition.speed_rpm / 60
    wanted = f.hop_s * np.arange(1, f.points + 1) * shaft_hz

    def form(x: np.ndarray) -> np.ndarray:
        x = signal.detrend(x[0], type='constant') * signal.windows.tukey(x.shape[1], f.taper)
        envelope = np.abs(signal.hilbert(x)) ** 2
        frequencies, values = _log_spectrum(envelope, f.rate_hz)
        return np.interp(wanted, frequencies, values) - np.median(values[frequencies <= wanted[-1]])

    return form


def _fault_orders(front_end: Any, condition: Any) -> Form:
    from scipy import fft, signal

    f, g = front_end, condition.geometry
    shaft_hz = condition.speed_rpm / 60
    lines = [order * shaft_hz for order in (g.bpfi, g.bpfo, 2 * g.bsf)]
    edges = 0.9 * f.rate_hz / 2 * f._edges()

    def form(x: np.ndarray) -> np.ndarray:
        x = signal.detrend(x[0], type='constant') * signal.windows.tukey(x.shape[1], f.taper)
        spectrum = fft.rfft(x)
        spectrum /= np.maximum(np.abs(spectrum), 1e-12)
        bins = fft.rfftfreq(len(x), 1 / f.rate_hz)
        rows = []
        for low, high in edges:
            # The analytic signal of the band, as scipy.signal.hilbert computes it from a filtered signal.
            analytic = fft.ifft(np.where((bins >= low) & (bins < high), spectrum, 0), len(x))
            frequencies, values = _log_spectrum(np.abs(analytic) ** 2, f.rate_hz)
            rows.append([_cells(frequencies, values, line, f) for line in lines])
        return np.array(rows)

    return form


def _cells(frequencies: np.ndarray, values: np.ndarray, line_hz: float, f: Any) -> np.ndarray:
    """The largest values of the cells of a line's harmonics over their local background."""
    found = []
    for h in range(1, f.harmonics + 1):
        first, end = np.searchsorted(frequencies, [(h - 0.5) * line_hz, (h + 0.5) * line_hz])
        edges = h * line_hz * (1 + np.linspace(-f.slip, f.slip, f.cells + 1))
        for low, high in zip(edges[:-1], edges[1:]):
            points = np.linspace(low, high, max(2, int((high - low) / frequencies[1]) + 2))
            found.append(np.interp(points, frequencies, values).max() - np.median(values[first:end]))
    return np.array(found)


def _log_spectrum(envelope: np.ndarray, rate_hz: float) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies in Hz and the logarithm of an envelope's spectrum, zero-padded to twice its length."""
    from scipy import fft, signal

    envelope = (envelope - envelope.mean()) * signal.windows.hann(len(envelope), sym=False)
    length = 2 * len(envelope)
    return fft.rfftfreq(length, 1 / rate_hz), np.log(np.abs(fft.rfft(envelope, length)) + 1e-12)


def _waveform(front_end: Any, condition: Any) -> Form:
    from scipy import stats

    del front_end, condition
    return lambda x: stats.zscore(x, axis=1)


FORMS: dict[str, Callable[[Any, Any], Form]] = {
    **dict.fromkeys(('vggish', 'yamnet', 'band_mel', 'snippet_mel', 'triaxial_mel'), _log_mel),
    'musicnn': _musicnn,
    'triaxial_mel_paper': _decibel_mel,
    'multi_resolution_mel': _multi_resolution,
    **dict.fromkeys(('scalogram', 'scalogram_small'), _scalogram),
    'envelope_spectrum': _envelope_spectrum,
    'fault_orders': _fault_orders,
    'waveform': _waveform,
}
