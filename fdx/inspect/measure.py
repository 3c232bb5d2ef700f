"""Measures one recording."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np

from fdx.inspect.facts import ChannelFacts, RecordingFacts
from fdx.inspect.spectra import noise_and_edge, value_step
from fdx.signal.checks import count_clipped
from fdx.signal.usable import inspect_recording
from fdx.types import DataError, Recording


def measure(recording: Recording, facts: RecordingFacts) -> RecordingFacts:
    """Numbers of a recording that was read.

    Args:
      recording: samples [T, C].
      facts: what is known of it without its samples.

    Returns:
      The facts with those of the samples; `error` says why they cannot be used, where they cannot (a constant channel,
      samples that are not finite).
    """
    x = recording.samples
    notes, error, dead_share, wild = recording.notes, '', 0.0, 0
    try:
        checked, usability = inspect_recording(recording, 1)
        notes, x = checked.notes, checked.samples
        dead_share, wild = float(usability.dead.mean()), usability.wild_samples
    except DataError as e:
        error = str(e)
    names = recording.channel_names or tuple(str(c) for c in range(x.shape[1]))
    return dataclasses.replace(
        facts,
        sample_rate_hz=float(recording.sample_rate_hz),
        samples=len(x),
        longest=int(np.diff([0, *sorted(recording.time_breaks), len(x)]).max()),
        unit=recording.unit,
        speed_rpm=float(recording.speed_rpm),
        load=float(recording.load),
        geometry=recording.geometry,
        channels=tuple(
            _channel(name, np.ascontiguousarray(recording.samples[:, c]), x[:, c], recording.sample_rate_hz)
            for c, name in enumerate(names)
        ),
        dead_share=dead_share,
        wild=wild,
        breaks=len(recording.time_breaks),
        digest=hashlib.blake2b(np.ascontiguousarray(recording.samples).tobytes(), digest_size=16).hexdigest(),
        notes=notes,
        error=error,
    )


def _channel(name: str, raw: np.ndarray, repaired: np.ndarray, rate_hz: float) -> ChannelFacts:
    """Facts of a channel: of `raw` [T] its limits and steps, of `repaired` [T] (without wild samples) its levels."""
    if not np.isfinite(raw).all() or raw.min() == raw.max():
        return ChannelFacts(name, bias=float(np.mean(raw)))
    bias = float(np.mean(repaired, dtype=np.float64))
    x = repaired.astype(np.float64) - bias
    power = float(np.mean(x**2))
    peak = float(np.abs(x).max())
    floor, edge = noise_and_edge(np.asarray(x, np.float32), rate_hz)
    return ChannelFacts(
        name,
        bias=bias,
        rms=power**0.5,
        peak=peak,
        crest=peak / power**0.5,
        kurtosis=float(np.mean(x**4)) / power**2,
        clipped=count_clipped(raw),
        step=value_step(raw),
        noise_floor=floor,
        band_edge_hz=edge,
    )
