"""Front ends beside the nearest form of another library, on one core, and resampling with log-mel of a long recording.

`hour`: one hour at 20,480 Hz, resampled to 16 kHz, then the log-mel spectrum of VGGish. librosa resamples with soxr_hq.
`windows`: window by window, as builders and predictions call a front end, at the rate that needs no resampling. The
other side gets everything that does not depend on the window made beforehand (filters, wavelets, orders).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .speed_clock import Found, repeated

HOUR_S, HOUR_RATE_HZ, RATE_HZ = 3600, 20480, 16000
WINDOWS = 20
SPEED_RPM = 1772.0
CHANNELS = {'triaxial_mel': 3, 'triaxial_mel_paper': 3}


def measure(parts: Sequence[str], side: str, folder: str, group: str) -> dict[str, Found]:
    """Seconds for the hour, or for a window."""
    del folder
    found = {}
    for part in parts:
        if group == 'hour':
            samples = np.random.default_rng(0).standard_normal(HOUR_S * HOUR_RATE_HZ, dtype=np.float32)
            run = _hour(part, side, samples)
            found[part] = repeated(run, least=1, most=1, warm_up=1) if side == 'fdx' else repeated(run, least=1, most=1)
            continue
        timed = repeated(_windows(part, side), least=5)
        found[part] = Found(*([s / WINDOWS for s in values] for values in (timed.seconds, timed.cpu_seconds)))
    return found


def _hour(part: str, side: str, samples: np.ndarray) -> Callable[[], object]:
    if side == 'fdx':
        from fdx.signal.front_ends import create_front_end
        from fdx.signal.resample import resample

        front_end = create_front_end('vggish')
        if part == 'resample':
            return lambda: resample(samples, HOUR_RATE_HZ, RATE_HZ)
        return lambda: front_end.spectrogram(resample(samples, HOUR_RATE_HZ, RATE_HZ)[:, None])
    import librosa

    from .speed_library_forms import log_mel_of_librosa

    def resampled() -> np.ndarray:
        return librosa.resample(samples, orig_sr=HOUR_RATE_HZ, target_sr=RATE_HZ, res_type='soxr_hq')

    if part == 'resample':
        return resampled
    form = log_mel_of_librosa(RATE_HZ, 400, 160, 512, 64, 125.0, 7500.0, 0.01)
    return lambda: form(resampled())


def _windows(name: str, side: str) -> Callable[[], object]:
    from fdx.signal.bearings import BEARINGS
    from fdx.signal.front_ends import create_front_end
    from fdx.signal.patch import Condition

    front_end = create_front_end(name, float(RATE_HZ))
    shape = (WINDOWS, front_end.patch_samples(RATE_HZ), CHANNELS.get(name, 1))
    windows = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    condition = Condition(SPEED_RPM, BEARINGS['skf_6205'])
    if side == 'fdx':
        return lambda: [front_end(window, RATE_HZ, condition) for window in windows]
    from .speed_library_forms import form_of

    form = form_of(name, front_end, condition)
    channels_first = np.ascontiguousarray(windows.swapaxes(1, 2))
    return lambda: [form(window) for window in channels_first]
