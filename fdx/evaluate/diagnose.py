"""Diagnosis of a raw recording with a checkpoint: the same band, windows and front end as its dataset."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence

import numpy as np

from fdx.data.blocks import Windowing
from fdx.data.raw_files import read_raw_file
from fdx.data.records import RecordSpec, prepare_recording
from fdx.evaluate.exported_predictor import AnyPredictor
from fdx.evaluate.recordings import vote
from fdx.signal.bearings import BearingGeometry
from fdx.signal.frames import window_starts
from fdx.signal.front_ends import reads_orders
from fdx.signal.patch import Condition
from fdx.signal.shaft_speed import DEFAULT_RANGE_RPM, estimate_speed_rpm
from fdx.train.decision import decide
from fdx.types import DataError, Recording


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """What a model says about one recording.

    Attributes:
      file: the file.
      window_starts_s: float [N], where each window begins.
      window_s: length of a window.
      probabilities: float32 [N, K].
      class_names: K names.
      threshold: of two classes, the probability of the second from which on it is called; None: the more probable wins.
    """

    file: str
    window_starts_s: np.ndarray
    window_s: float
    probabilities: np.ndarray
    class_names: list[str]
    threshold: float | None = None

    def rows(self) -> list[dict]:
        """JSON-able rows: one a window, then one for the recording."""
        names = self.class_names
        rows = [
            {
                'kind': 'window',
                'file': self.file,
                'start_s': round(float(start), 6),
                'duration_s': self.window_s,
                'predicted': names[int(called)],
                'probabilities': {n: float(v) for n, v in zip(names, p)},
            }
            for start, p, called in zip(
                self.window_starts_s, self.probabilities, decide(self.probabilities, self.threshold)
            )
        ]
        mean, by_mean, by_vote, agreement = vote(self.probabilities, self.threshold)
        summary = {
            'kind': 'recording',
            'file': self.file,
            'windows': len(self.probabilities),
            'predicted_mean': names[by_mean],
            'predicted_vote': names[by_vote],
            'agreement': float(agreement),
            'mean_probabilities': {n: float(v) for n, v in zip(names, mean)},
        }
        return [*rows, summary]


def diagnose_recording(predictor: AnyPredictor, recording: Recording, *, hop_s: float | None = None) -> Diagnosis:
    """Cuts a recording as the checkpoint's dataset was cut, and predicts every window.

    Args:
      predictor: a loaded checkpoint.
      recording: samples [T, C] with as many channels as the model takes.
      hop_s: seconds between windows; None: they do not overlap.

    Raises:
      DataError: what fdx.signal.checks refuses, a wrong number of channels, a rate below the dataset's, or no speed or
        bearing where the front end reads orders.
    """
    data = predictor.meta['dataset']
    rate, length, channels = data['common_rate_hz'], data['window_length'], data.get('channels', 1)
    source = recording.source or recording.recording
    if reads_orders(predictor.front_end.name):
        # Bands are fractions of the rate and columns are orders: the picture is the same at any rate.
        # Both roundings, of the dataset's window and of this one, may lose the sample that the front end asks for.
        seconds, rate = length / rate, recording.sample_rate_hz
        length = max(round(seconds * rate), predictor.front_end.patch_samples(rate))
    hop = length if hop_s is None else round(min(hop_s * rate, len(recording.samples) or 1))
    if hop < 1:
        raise DataError(f'--hop_s={hop_s}: at {rate:g} Hz it must be at least {1 / rate:.6f} s')
    _check_channels(source, recording.samples.shape[-1], channels)
    if recording.sample_rate_hz < rate * (1 - 1e-6):
        raise DataError(
            f'{source}: recorded at {recording.sample_rate_hz:g} Hz, but the model was trained on {rate:g} Hz and '
            'needs the band up to half of that; record faster, or check --sample_rate'
        )
    windowing = Windowing(length, hop, data['guard_length'])
    prepared = prepare_recording(recording, RecordSpec(predictor.front_end, rate, windowing, channels=channels))
    starts = window_starts(len(prepared.samples), length, hop)
    condition = Condition(recording.speed_rpm, recording.geometry)
    try:
        patches = [predictor.front_end(prepared.samples[s : s + length], rate, condition) for s in starts]
    except DataError as e:
        raise DataError(f'{source}: {e}') from e
    probabilities = predictor.patch_probabilities(np.stack(patches))
    return Diagnosis(source, starts / rate, length / rate, probabilities, predictor.class_names, predictor.threshold)


def _check_channels(source: str, found: int, needed: int) -> None:
    if found == needed:
        return
    if found < needed:
        remedy = 'record all of them into one file, or use a run that was trained on fewer'
    elif needed == 1:
        remedy = 'choose one with --channel'
    else:
        remedy = f'choose {needed} in the order of the training data with --channel=A,B,... (numbers from 0, or names)'
    raise DataError(f'{source}: {found} channel{"s" * (found > 1)}, the model takes {needed}; {remedy}')


def diagnose_file(
    predictor: AnyPredictor,
    path: str | os.PathLike,
    *,
    sample_rate_hz: float | None = None,
    variable: str | None = None,
    channel: str | int | Sequence[str | int] | None = None,
    hop_s: float | None = None,
    speed_rpm: float | str | None = None,
    geometry: BearingGeometry | None = None,
    speed_range_rpm: tuple[float, float] = DEFAULT_RANGE_RPM,
) -> Diagnosis:
    """Reads a raw file and diagnoses it; DataError says what is wrong with the file.

    Args:
      predictor: a loaded checkpoint.
      path: the file.
      sample_rate_hz: see fdx.data.raw_files.read_raw_file, likewise `variable` and `channel`.
      variable: of a .mat file.
      channel: the channels that the model takes, in its order, where the file holds others besides.
      hop_s: see `diagnose_recording`.
      speed_rpm: see `with_condition`.
      geometry: see `with_condition`.
      speed_range_rpm: see `with_condition`.
    """
    recording = read_raw_file(path, sample_rate_hz=sample_rate_hz, variable=variable, channel=channel)
    return diagnose_recording(predictor, with_condition(recording, speed_rpm, geometry, speed_range_rpm), hop_s=hop_s)


def with_condition(
    recording: Recording,
    speed_rpm: float | str | None = None,
    geometry: BearingGeometry | None = None,
    speed_range_rpm: tuple[float, float] = DEFAULT_RANGE_RPM,
) -> Recording:
    """A recording with what its user knows about the machine.

    Args:
      recording: samples [T, C].
      speed_rpm: a number, which wins over the file's own; 'estimate', which reads it from the first channel
        (fdx.signal.shaft_speed); None keeps the file's.
      geometry: of the bearing; None keeps what is there.
      speed_range_rpm: where an estimate is looked for.

    Raises:
      ConfigError: an unusable range.
      DataError: no speed stands out of the recording.
    """
    if speed_rpm == 'estimate':
        try:
            speed_rpm = estimate_speed_rpm(
                recording.samples[:, 0], recording.sample_rate_hz, *speed_range_rpm
            ).speed_rpm
        except DataError as e:
            raise DataError(f'{recording.source or recording.recording}: {e}') from e
    return dataclasses.replace(
        recording,
        speed_rpm=recording.speed_rpm if speed_rpm is None else float(speed_rpm),
        geometry=geometry or recording.geometry,
    )
