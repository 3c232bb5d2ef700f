"""The record that every dataset of fdx holds, and how a recording becomes records."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow_datasets as tfds

from fdx.data.blocks import Windowing, cut_windows
from fdx.signal.bearings import BearingGeometry
from fdx.signal.checks import check_rate, check_recording
from fdx.signal.patch import Condition, FrontEnd
from fdx.signal.resample import to_common_band
from fdx.types import DataError, Recording

INT16_MAX = 32767
NO_GEOMETRY = (np.nan,) * len(BearingGeometry.__dataclass_fields__)


@dataclasses.dataclass(frozen=True)
class RecordSpec:
    """What turns recordings into records, the same for a whole dataset config.

    Attributes:
      front_end: makes the spectrogram.
      common_rate_hz: the lowest rate among the recordings; all are brought to it and its band (law 3).
      windowing: how windows are cut at that rate.
      with_waveform: whether records keep the waveform.
      channels: of every recording.
    """

    front_end: FrontEnd
    common_rate_hz: float
    windowing: Windowing
    with_waveform: bool = True
    channels: int = 1


def record_features(spec: RecordSpec, labels: Sequence[str], fault_types: Sequence[str]):
    """The TFDS features of a record, array by array (see WORKSPACE.md for their meaning)."""
    channels = spec.channels
    features = {
        'spectrogram': tfds.features.Tensor(
            shape=spec.front_end.output_shape(channels), dtype=np.float32, encoding=tfds.features.Encoding.ZLIB
        ),
        'label': tfds.features.ClassLabel(names=list(labels)),
        'fault_type': tfds.features.ClassLabel(names=list(fault_types)),
        'recording': tfds.features.Text(),
        'window_start': tfds.features.Scalar(np.int64),
        'block': tfds.features.Scalar(np.int32),
        'domain': tfds.features.Text(),
        'bearing': tfds.features.Text(),
        'speed_rpm': tfds.features.Scalar(np.float32),
        'load': tfds.features.Scalar(np.float32),
        'geometry': tfds.features.Tensor(shape=(len(NO_GEOMETRY),), dtype=np.float32),
        'sample_rate_hz': tfds.features.Scalar(np.float64),
        'peak': tfds.features.Scalar(np.float32)
        if channels == 1
        else tfds.features.Tensor(shape=(channels,), dtype=np.float32),
    }
    if spec.with_waveform:
        features['waveform'] = tfds.features.Tensor(
            shape=(spec.windowing.window_length, channels), dtype=np.int16, encoding=tfds.features.Encoding.ZLIB
        )
        features['waveform_scale'] = tfds.features.Scalar(np.float32)
    return tfds.features.FeaturesDict(features)


def prepare_recording(recording: Recording, spec: RecordSpec) -> Recording:
    """Checks a recording [T] or [T, C] and brings it to the dataset's rate and band.

    Raises:
      DataError: what fdx.signal.checks refuses, or another number of channels than the dataset has.
      ConfigError: a rate below the common one.
    """
    rate_hz = check_rate(recording.sample_rate_hz, recording.source or recording.recording)
    shortest = int(np.ceil(spec.windowing.window_length * rate_hz / spec.common_rate_hz))
    checked = check_recording(recording, shortest)
    channels = checked.samples.shape[1]
    if channels != spec.channels:
        raise DataError(
            f'{recording.source or recording.recording}: {channels} channels where {spec.channels} are needed; '
            'choose and order them when the recording is read'
        )
    samples = to_common_band(checked.samples, rate_hz, spec.common_rate_hz)
    return dataclasses.replace(checked, samples=samples, sample_rate_hz=spec.common_rate_hz)


def encode_waveform(chunk: np.ndarray) -> tuple[np.ndarray, np.float32]:
    """float32 [T, C] -> (int16 [T, C], scale): chunk is nearly `int16 * scale`, within half a scale."""
    peak = float(np.abs(chunk).max())
    scale = np.float32(peak / INT16_MAX) if peak > 0 else np.float32(1.0)
    return np.rint(chunk / scale).astype(np.int16), scale


def decode_waveform(waveform: np.ndarray, scale: float) -> np.ndarray:
    """Inverse of `encode_waveform`: float32 [T, C] in the recording's unit."""
    return waveform.astype(np.float32) * np.float32(scale)


def _image(chunk: np.ndarray, spec: RecordSpec, condition: Condition, recording: Recording) -> np.ndarray:
    try:
        return spec.front_end(chunk, spec.common_rate_hz, condition)
    except DataError as e:
        raise DataError(f'{recording.source or recording.recording}: {e}') from e


def make_records(recording: Recording, spec: RecordSpec, blocks: Sequence[int]) -> Iterator[tuple[str, dict]]:
    """Records of a raw recording that lie in the given blocks, as (key, example) for a TFDS builder."""
    prepared = prepare_recording(recording, spec)
    condition = Condition(recording.speed_rpm, recording.geometry)
    geometry = recording.geometry.numbers() if recording.geometry else NO_GEOMETRY
    starts, in_block = cut_windows(len(prepared.samples), spec.windowing, recording.recording)
    for start, block in zip(starts, in_block):
        if block not in blocks:
            continue
        chunk = prepared.samples[start : start + spec.windowing.window_length]
        peaks = spec.front_end.peaks(chunk)
        example = {
            'spectrogram': _image(chunk, spec, condition, recording),
            'label': recording.label,
            'fault_type': recording.fault_type,
            'recording': recording.recording,
            'window_start': int(start),
            'block': int(block),
            'domain': recording.domain,
            'bearing': recording.bearing,
            'speed_rpm': np.float32(recording.speed_rpm),
            'load': np.float32(recording.load),
            'geometry': np.array(geometry, np.float32),
            'sample_rate_hz': float(spec.common_rate_hz),
            'peak': peaks[0] if spec.channels == 1 else peaks,
        }
        if spec.with_waveform:
            example['waveform'], example['waveform_scale'] = encode_waveform(chunk)
        yield f'{recording.recording}@{start}', example
