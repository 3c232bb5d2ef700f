"""The record of fdx's datasets, and how a recording becomes records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow_datasets as tfds

from fdx.data.blocks import cut_windows
from fdx.data.fingerprint import SIZE, fingerprint
from fdx.data.left_out import LeftOut
from fdx.data.prepared import Prepared, RecordSpec, prepare_recording
from fdx.signal.patch import Condition
from fdx.types import BearingGeometry, DataError, Recording

INT16_MAX = 32767
NO_GEOMETRY = (np.nan,) * len(BearingGeometry.__dataclass_fields__)


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
        'acquisition': tfds.features.Text(),
        'fingerprint': tfds.features.Tensor(shape=(SIZE,), dtype=np.int64),
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
        'rms': tfds.features.Scalar(np.float32)
        if channels == 1
        else tfds.features.Tensor(shape=(channels,), dtype=np.float32),
    }
    if spec.with_waveform:
        features['waveform'] = tfds.features.Tensor(
            shape=(spec.windowing.window_length, channels), dtype=np.int16, encoding=tfds.features.Encoding.ZLIB
        )
        features['waveform_scale'] = tfds.features.Scalar(np.float32)
    return tfds.features.FeaturesDict(features)


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


def window_level(chunk: np.ndarray) -> np.ndarray:
    """Root mean square of each channel of a window [T, C] around its mean: float32 [C], in the recording's unit."""
    return chunk.std(axis=0, dtype=np.float64).astype(np.float32)


def make_records(
    recording: Recording, spec: RecordSpec, blocks: Sequence[int], left_out: LeftOut | None = None
) -> Iterator[tuple[str, dict]]:
    """Records of a raw recording that lie in the given blocks, as (key, example) for a TFDS builder.

    Args:
      recording: the samples as they were taken.
      spec: the dataset's settings.
      blocks: numbers of the wanted blocks.
      left_out: counts the windows that were not written because they cannot be used.
    """
    left_out = LeftOut() if left_out is None else left_out
    prepared = prepare_recording(recording, spec)
    starts, in_block = cut_windows(len(prepared.recording.samples), spec.windowing, recording.recording)
    wanted = np.isin(in_block, blocks)
    starts, in_block = starts[wanted], in_block[wanted]
    faults = prepared.faults(starts)
    left_out.add(prepared, faults)
    left_out.note(recording.recording, prepared.recording.notes)
    yield from records_of_windows(prepared, starts, in_block, faults)


def records_of_windows(
    prepared: Prepared, starts: np.ndarray, in_block: np.ndarray, faults: Sequence[str], first: int = 0
) -> Iterator[tuple[str, dict]]:
    """The records of the windows that can be used, as (key, example).

    Args:
      prepared: the recording, or a piece of it.
      starts: int [N], first samples of the windows, counted from the beginning of the recording.
      in_block: int [N], their blocks.
      faults: of each window, '' where it can be used.
      first: the first sample of the piece.
    """
    spec, recording = prepared.spec, prepared.recording
    condition = Condition(recording.speed_rpm, recording.geometry)
    geometry = recording.geometry.numbers() if recording.geometry else NO_GEOMETRY
    for start, block, fault in zip(starts, in_block, faults):
        if fault:
            continue
        chunk, at = prepared.window(start - first), start - first
        peaks, level = spec.front_end.peaks(chunk), window_level(chunk)
        example = {
            'spectrogram': _image(chunk, spec, condition, recording),
            'label': recording.label,
            'fault_type': recording.fault_type,
            'recording': recording.recording,
            'acquisition': recording.acquisition or recording.recording,
            # The fingerprint uses samples with their slow part, because the removed part depends on the window's start.
            'fingerprint': fingerprint(recording.samples[at : at + spec.windowing.window_length]),
            'window_start': int(start),
            'block': int(block),
            'domain': recording.domain,
            'bearing': recording.bearing,
            'speed_rpm': np.float32(recording.speed_rpm),
            'load': np.float32(recording.load),
            'geometry': np.array(geometry, np.float32),
            'sample_rate_hz': float(spec.common_rate_hz),
            'peak': peaks[0] if spec.channels == 1 else peaks,
            'rms': level[0] if spec.channels == 1 else level,
        }
        if spec.with_waveform:
            example['waveform'], example['waveform_scale'] = encode_waveform(chunk)
        yield f'{recording.recording}@{start}', example
