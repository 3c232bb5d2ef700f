"""Recordings and facts for tests of fdx.inspect."""

from __future__ import annotations

import dataclasses
import pathlib

import numpy as np
import scipy.io.wavfile

from fdx.inspect.facts import ChannelFacts, RecordingFacts
from fdx.inspect.look import look_at_recording
from fdx.types import Recording

CHANNEL = ChannelFacts('0', bias=0.0, rms=1.0, peak=4.0, crest=4.0, kurtosis=3.0, noise_floor=1e-3, band_edge_hz=8000.0)


def some_facts(
    label: str, number: int, *, rng: np.random.Generator, channel: dict | None = None, **fields
) -> RecordingFacts:
    """Facts of a recording of 2 s at 16 kHz; level and noise floor vary by 10 %, as in recordings of one machine."""
    values = {
        'rms': float(np.exp(0.1 * rng.standard_normal())),
        'noise_floor': float(1e-3 * np.exp(0.1 * rng.standard_normal())),
    }
    found = RecordingFacts(
        recording=f'{label}_{number}.wav',
        label=label,
        fault_type='normal' if label == 'normal' else label,
        domain='all',
        format='wav',
        sample_rate_hz=16000.0,
        samples=32000,
        channels=(dataclasses.replace(CHANNEL, **{**values, **(channel or {})}),),
    )
    return dataclasses.replace(found, **fields)


def of_recording(recording: Recording, **fields) -> RecordingFacts:
    """Facts of a simulated recording; speed and load make the domain, as in a user's collection."""
    facts = RecordingFacts(
        recording=recording.recording,
        label=recording.label,
        fault_type='normal' if recording.label in ('normal', 'healthy') else recording.label,
        domain=f'{recording.speed_rpm:.0f} rpm, load {recording.load:g}',
        format='npy',
    )
    return look_at_recording(recording, dataclasses.replace(facts, **fields)).facts


def write_wav(path: pathlib.Path, x: np.ndarray, rate_hz: int = 8000) -> pathlib.Path:
    """Writes float32 samples."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.wavfile.write(path, rate_hz, np.asarray(x, np.float32))
    return path
