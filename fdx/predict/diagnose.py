"""Diagnosis of a raw recording by a network: the same band, windows and front end as its dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fdx.data.blocks import Windowing
from fdx.data.prepared import Prepared, RecordSpec, prepare_recording
from fdx.data.records import window_level
from fdx.data.training_range import TrainingRange
from fdx.predict.channels import in_training_order
from fdx.predict.condition import check_positive
from fdx.predict.diagnosis import Diagnosis
from fdx.predict.findings import SILENT_NETWORK, Findings
from fdx.signal.frames import window_starts
from fdx.signal.front_ends import reads_orders
from fdx.signal.patch import Condition
from fdx.signal.resample import SAME_RATE
from fdx.types import DataError, Recording

if TYPE_CHECKING:
    from fdx.predict.predictor import AnyPredictor


def diagnose_recording(
    predictor: AnyPredictor, recording: Recording, *, hop_s: float | None = None, by_position: bool = False
) -> Diagnosis:
    """Cuts a recording as the checkpoint's dataset was cut, and predicts every window that can be used.

    Args:
      predictor: a loaded checkpoint or exported file.
      recording: samples [T, C]; its channels are taken by name where it and the training data have names.
      hop_s: seconds between windows; None: they do not overlap.
      by_position: the channels were chosen in the model's order, whatever their names.

    Raises:
      ConfigError: `hop_s` is no finite number above 0.
      DataError: what fdx.signal.checks refuses, a wrong number of channels, a rate below the dataset's, or no speed or
        bearing where the front end reads orders.
    """
    check_positive('hop_s', hop_s, 'seconds')
    source = recording.source or recording.recording
    spec = _spec(predictor, recording.sample_rate_hz, len(recording.samples), hop_s)
    names = predictor.meta['dataset'].get('channel_names', ())
    taken = in_training_order(recording, spec.channels, names, by_position=by_position)
    rate, length = spec.common_rate_hz, spec.windowing.window_length
    if taken.sample_rate_hz < rate * (1 - SAME_RATE):
        raise DataError(
            f'{source}: recorded at {taken.sample_rate_hz:.9g} Hz, but the model was trained on {rate:g} Hz and needs '
            'the band up to half of that; record faster, or check `sample_rate_hz`'
        )
    prepared = prepare_recording(taken, spec)
    starts = window_starts(len(prepared.recording.samples), length, spec.windowing.hop_length)
    probabilities, faults, levels = _ask(predictor, prepared, starts, source)
    training = TrainingRange.from_json(predictor.meta.get('training'))
    findings = Findings(
        tuple(faults),
        prepared.usability.wild_samples,
        prepared.recording.notes,
        *training.outside_windows_and_recording(levels, taken),
    )
    return Diagnosis(
        file=source,
        window_starts_s=starts / rate,
        window_s=length / rate,
        window_probabilities=probabilities,
        class_names=predictor.class_names,
        threshold=predictor.threshold,
        findings=findings,
        recording=taken,
    )


def _spec(predictor: AnyPredictor, recorded_hz: float, num_samples: int, hop_s: float | None) -> RecordSpec:
    """How the windows of a recording are cut: as those of the dataset that the model was trained on."""
    data = predictor.meta['dataset']
    rate, length = data['common_rate_hz'], data['window_length']
    if reads_orders(predictor.front_end.name):
        # Bands are fractions of the rate and columns are orders: the picture is the same at any rate.
        # Both roundings, of the dataset's window and of this one, may lose the sample that the front end asks for.
        seconds, rate = length / rate, recorded_hz
        length = max(round(seconds * rate), predictor.front_end.patch_samples(rate))
    hop = length if hop_s is None else round(min(hop_s * rate, num_samples or 1))
    if hop < 1:
        raise DataError(f'`hop_s`={hop_s}: at {rate:g} Hz it must be at least {1 / rate:.6f} s')
    # Checkpoints of before the slow part was removed saw windows with it.
    slow_hz = data.get('removed_below_hz', 0.0)
    windowing = Windowing(length, hop, data['guard_length'])
    return RecordSpec(
        predictor.front_end, rate, windowing, channels=data.get('channels', 1), removed_below_hz=slow_hz
    )  # fmt: skip


def _ask(
    predictor: AnyPredictor, prepared: Prepared, starts: np.ndarray, source: str
) -> tuple[np.ndarray, list[str], np.ndarray]:
    """What the network says of each window that can be used.

    Returns:
      (probabilities float32 [N, K], NaN where a window has no vote; faults of the N windows, '' where there is none;
      levels float32 [N, C], NaN likewise).
    """
    faults = prepared.faults(starts)
    live = [i for i, fault in enumerate(faults) if not fault]
    probabilities = np.full((len(starts), len(predictor.class_names)), np.nan, np.float32)
    levels = np.full((len(starts), prepared.spec.channels), np.nan, np.float32)
    condition, rate = Condition(prepared.recording.speed_rpm, prepared.recording.geometry), prepared.spec.common_rate_hz
    if live:
        windows = [prepared.window(starts[i]) for i in live]
        try:
            patches = [predictor.front_end(window, rate, condition) for window in windows]
        except DataError as e:
            raise DataError(f'{source}: {e}') from e
        levels[live] = [window_level(window) for window in windows]
        probabilities[live] = predictor.patch_probabilities(np.stack(patches))
    for i in live:
        if not np.isfinite(probabilities[i]).all():
            faults[i] = SILENT_NETWORK
    return probabilities, faults, levels
