"""How the front ends of fdx.signal.front_ends are made: the settings of each, and where they come from.

Every maker takes (name, scaling, rate_hz of the dataset, or None). It raises ConfigError if its front end uses the
dataset's rate and none is given.
"""

from __future__ import annotations

import math
from typing import Any

from fdx.signal.decibel_mel import DecibelMel
from fdx.signal.envelope_orders import EnvelopeOrders
from fdx.signal.fault_orders import FaultOrders
from fdx.signal.log_mel import LogMel
from fdx.signal.mel import smallest_fft_length
from fdx.signal.multi_resolution import MultiResolutionMel
from fdx.signal.musicnn_mel import MusicnnMel
from fdx.signal.scalogram import Scalogram
from fdx.signal.waveform import Waveform
from fdx.types import ConfigError

# The AudioSet release of VGGish: windows of 25 ms every 10 ms, in an FFT of 512 points.
VGGISH: dict[str, Any] = {
    'rate_hz': 16000.0,
    'window_length': 400,
    'hop_length': 160,
    'fft_length': 512,
    'n_mels': 64,
    'f_min_hz': 125.0,
    'f_max_hz': 7500.0,
    'log_offset': 0.01,
    'patch_frames': 96,
}
# YAMNet's spectrum is VGGish's with a smaller offset (research/audioset/yamnet/params.py of TensorFlow's models).
YAMNET: dict[str, Any] = {**VGGISH, 'log_offset': 0.001}
# A patch lasts 0.975 s (61 frames), as with VGGish, so that CWRU's short healthy recording keeps its blocks. The
# original's patch lasts 3 s.
MUSICNN: dict[str, Any] = {
    'rate_hz': 16000.0,
    'fft_length': 512,
    'hop_length': 256,
    'n_mels': 96,
    'compression': 10000.0,
    'patch_length': 15600,
}
# Windows of 0.48 s separate lines that are 4 Hz apart, such as a motor's shaft line from the mains and its sidebands.
# At the 533 Hz of the study's sensor a window has 256 samples and a hop 32. The 24 columns span 1.86 s, about the
# study's 1000 samples.
TRIAXIAL_WINDOW_S, TRIAXIAL_HOP_S, TRIAXIAL_FRAMES = 0.48, 0.06, 24
# Windows of 64 ms tell lines 30 Hz apart, and 16 of them every 12.5 ms span 0.25 s: five blocks with their guards fit
# into the 2 s that many test benches record. These settings were the first that were tried (docs/benchmarks).
BAND_WINDOW_S, BAND_HOP_S, BAND_FRAMES, BAND_MELS = 0.064, 0.0125, 16, 64
# 16 windows of 25 ms every 5 ms span 0.1 s, which is all that PRONOSTIA writes at a time; they tell lines 80 Hz apart.
SNIPPET_WINDOW_S, SNIPPET_HOP_S = 0.025, 0.005
# The finest resolution decides the patch: 96 columns in 0.975 s, as with VGGish, so that CWRU's short healthy recording
# keeps its blocks (Palanisamy has 250 columns of 5 s). The band extends to Nyquist, as in the paper.
RESOLUTIONS_S = ((0.025, 0.010), (0.050, 0.025), (0.100, 0.050))
RESOLUTION_COLUMNS = 96
N_MELS = 128
LOG_OFFSET = 0.01
STUDY: dict[str, Any] = {
    'nominal_rate_hz': 1000.0,
    'patch_length': 1000,
    'fft_length': 256,
    'hop_length': 512,
    'n_mels': 128,
    'amin': 1e-10,
    'top_db': 80.0,
}
# Three harmonics, each with two cells within 2 %. A window of 0.975 s holds 29 turns at 1800 rpm, and CWRU's short
# recording keeps its blocks.
TAPER = 0.1
FAULT_ORDERS: dict[str, Any] = {'window_s': 0.975, 'harmonics': 3, 'cells': 2, 'slip': 0.02, 'taper': TAPER}
RACES_AND_BALL = ('inner_race', 'outer_race', 'ball')
# Orders up to the third harmonic of an inner race of CWRU's drive end. The distance of the points is half a bin of
# 0.975 s at 1800 rpm.
ENVELOPE_ORDERS: dict[str, Any] = {'window_s': 0.975, 'points': 1024, 'max_order': 17.0, 'taper': TAPER}
WAVEFORM_SAMPLES = 1024
# (rows and columns, seconds of a patch): VGG16's own size, and one that takes a twelfth of its time. A column of either
# lasts about 4 ms, so that the impacts of a bearing are single columns at ordinary speeds.
SCALOGRAM, SCALOGRAM_SMALL = (224, 0.975), (64, 0.25)
# Half of the height of the wavelet at 0.42 of the rate is at Nyquist. Its lowest row has ten periods in a patch.
SCALOGRAM_WAVELET: dict[str, Any] = {'omega0': 6.0, 'floor': 0.001}
SCALOGRAM_TOP, SCALOGRAM_PERIODS = 0.42, 10.0


def vggish(name: str, scaling: str, rate_hz: float | None) -> LogMel:
    """The AudioSet release of VGGish; its weights know one analysis rate, to which signals are resampled."""
    del rate_hz
    return LogMel(name=name, scaling=scaling, **VGGISH)


def yamnet(name: str, scaling: str, rate_hz: float | None) -> LogMel:
    """The front end of YAMNet's weights: that of VGGish with another offset."""
    del rate_hz
    return LogMel(name=name, scaling=scaling, **YAMNET)


def musicnn(name: str, scaling: str, rate_hz: float | None) -> MusicnnMel:
    """The front end that the weights of musicnn were trained with, at its rate."""
    del rate_hz
    return MusicnnMel(name=name, scaling=scaling, **MUSICNN)


def band_mel(name: str, scaling: str, rate_hz: float | None) -> LogMel:
    """Short patches over the whole band of the dataset, for any number of axes: recordings of 2 s hold five blocks."""
    rate = _needed(name, rate_hz)
    return _whole_band(name, scaling, rate, max(2, round(BAND_WINDOW_S * rate)), max(1, round(BAND_HOP_S * rate)))


def snippet_mel(name: str, scaling: str, rate_hz: float | None) -> LogMel:
    """As band_mel with patches of 0.1 s, for loggers that write no more at a time."""
    rate = _needed(name, rate_hz)
    # Whole samples, rounded down, so that no patch is longer than 0.1 s.
    window, hop = (math.floor(s * rate + 1e-6) for s in (SNIPPET_WINDOW_S, SNIPPET_HOP_S))
    return _whole_band(name, scaling, rate, max(2, window), max(1, hop))


def _whole_band(name: str, scaling: str, rate: float, window: int, hop: int) -> LogMel:
    """16 frames of 64 mel bands from 0 Hz to half the rate."""
    return LogMel(
        name=name,
        rate_hz=rate,
        window_length=window,
        hop_length=hop,
        fft_length=smallest_fft_length(window, BAND_MELS, rate, 0.0, rate / 2),
        n_mels=BAND_MELS,
        f_min_hz=0.0,
        f_max_hz=rate / 2,
        log_offset=LOG_OFFSET,
        patch_frames=BAND_FRAMES,
        scaling=scaling,
    )


def triaxial_mel(name: str, scaling: str, rate_hz: float | None) -> LogMel:
    """Each axis is an image channel; filters cover the whole band of the dataset and none is empty."""
    rate = _needed(name, rate_hz)
    window = max(2, round(TRIAXIAL_WINDOW_S * rate))
    return LogMel(
        name=name,
        rate_hz=rate,
        window_length=window,
        hop_length=max(1, round(TRIAXIAL_HOP_S * rate)),
        fft_length=smallest_fft_length(window, N_MELS, rate, 0.0, rate / 2),
        n_mels=N_MELS,
        f_min_hz=0.0,
        f_max_hz=rate / 2,
        log_offset=LOG_OFFSET,
        patch_frames=TRIAXIAL_FRAMES,
        scaling=scaling,
        axes='FT',
        remove_static=True,
    )


def triaxial_mel_paper(name: str, scaling: str, rate_hz: float | None) -> DecibelMel:
    """The study's librosa settings."""
    return DecibelMel(name=name, rate_hz=_needed(name, rate_hz), scaling=scaling, **STUDY)


def multi_resolution_mel(name: str, scaling: str, rate_hz: float | None) -> MultiResolutionMel:
    """Windows of three lengths as three image channels (Palanisamy et al., 2020)."""
    rate = _needed(name, rate_hz)
    # Whole samples, rounded down, so that no patch is longer than 0.975 s.
    windows, hops = ([max(1, math.floor(s * rate + 1e-6)) for s in column] for column in zip(*RESOLUTIONS_S))
    return MultiResolutionMel(
        name=name,
        rate_hz=rate,
        window_lengths=tuple(windows),
        hop_lengths=tuple(hops),
        fft_lengths=tuple(smallest_fft_length(w, N_MELS, rate, 0.0, rate / 2) for w in windows),
        n_mels=N_MELS,
        f_min_hz=0.0,
        f_max_hz=rate / 2,
        log_offset=LOG_OFFSET,
        columns=RESOLUTION_COLUMNS,
        scaling=scaling,
    )


def fault_orders(name: str, scaling: str, rate_hz: float | None) -> FaultOrders:
    """Envelope spectra at the bearing's fault orders; the name selects the channels and the layout."""
    channels = (*RACES_AND_BALL, 'cage', 'shaft') if name.startswith('fault_orders_shaft') else RACES_AND_BALL
    layout = 'stacked' if name.startswith('fault_orders_stacked') else 'image'
    return FaultOrders(
        name=name, rate_hz=_needed(name, rate_hz), channels=channels, layout=layout, scaling=scaling, **FAULT_ORDERS
    )


def envelope_spectrum(name: str, scaling: str, rate_hz: float | None) -> EnvelopeOrders:
    """The squared-envelope spectrum in shaft orders."""
    return EnvelopeOrders(name=name, rate_hz=_needed(name, rate_hz), scaling=scaling, **ENVELOPE_ORDERS)


def waveform(name: str, scaling: str, rate_hz: float | None) -> Waveform:
    """Samples with mean 0 and standard deviation 1."""
    return Waveform(name=name, rate_hz=_needed(name, rate_hz), patch_length=WAVEFORM_SAMPLES, scaling=scaling)


def scalogram(name: str, scaling: str, rate_hz: float | None) -> Scalogram:
    """Wavelet images over the whole band of the dataset (Shao et al., 2019); the name selects the size."""
    rate = _needed(name, rate_hz)
    size, seconds = SCALOGRAM_SMALL if name.startswith('scalogram_small') else SCALOGRAM
    # Whole samples, rounded down, so that no patch is longer than its seconds.
    hop = max(1, math.floor(seconds * rate / size + 1e-6))
    return Scalogram(
        name=name,
        rate_hz=rate,
        rows=size,
        columns=size,
        hop_length=hop,
        f_min_hz=SCALOGRAM_PERIODS * rate / (size * hop),
        f_max_hz=SCALOGRAM_TOP * rate,
        scaling=scaling,
        **SCALOGRAM_WAVELET,
    )


def _needed(name: str, rate_hz: float | None) -> float:
    if rate_hz is None or not (math.isfinite(rate_hz) and rate_hz > 0):
        raise ConfigError(
            f"front end {name} follows the dataset's rate: rate_hz={rate_hz} must be a number of Hz above 0"
        )
    return float(rate_hz)
