"""Diagnosis of a raw recording with a checkpoint: the same band, windows and front end as its dataset."""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Sequence

import numpy as np

from fdx.data.blocks import Windowing
from fdx.data.prepared import Prepared, RecordSpec, prepare_recording
from fdx.data.raw.files import read_raw_file
from fdx.data.raw.text import TextFormat
from fdx.data.records import window_level
from fdx.data.training_range import TrainingRange
from fdx.predict.backends.exported import AnyPredictor
from fdx.predict.channels import in_training_order
from fdx.predict.findings import SILENT_NETWORK, Findings
from fdx.predict.verdicts import probability_row
from fdx.predict.votes import vote
from fdx.signal.frames import window_starts
from fdx.signal.front_ends import reads_orders
from fdx.signal.patch import Condition
from fdx.signal.resample import SAME_RATE
from fdx.signal.shaft_speed import DEFAULT_RANGE_RPM, estimate_speed
from fdx.train.decision import decide
from fdx.types import BearingGeometry, DataError, Recording

# Relative difference from which on two speeds are two: slip and rounding stay below.
SPEED_TOLERANCE = 0.01
_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """What a model says about one recording.

    Attributes:
      file: the file.
      window_starts_s: float [N], where each window begins.
      window_s: length of a window.
      probabilities: float32 [N, K]; NaN for windows that have no vote.
      class_names: K names.
      threshold: of two classes, the probability of the second from which on it is called; None: the more probable wins.
      findings: which windows have a vote, and what else was found; None: all have one.
    """

    file: str
    window_starts_s: np.ndarray
    window_s: float
    probabilities: np.ndarray
    class_names: list[str]
    threshold: float | None = None
    findings: Findings | None = None

    def rows(self) -> list[dict]:
        """JSON-able rows: one per window, then one for the recording."""
        names, findings = self.class_names, self.findings or Findings.nothing(len(self.probabilities))
        live = findings.live
        called = np.full(len(live), -1)
        called[live] = decide(self.probabilities[live], self.threshold)
        rows = [
            {
                'kind': 'window',
                'file': self.file,
                'start_s': round(float(start), 6),
                'duration_s': self.window_s,
                'predicted': names[called[i]] if live[i] else None,
                'probabilities': probability_row(names, self.probabilities[i]),
                **findings.of_window(i),
            }
            for i, start in enumerate(self.window_starts_s)
        ]
        summary = {'kind': 'recording', 'file': self.file, 'windows': len(rows)}
        return [*rows, {**summary, **self._verdict(live), **findings.of_recording()}]

    def _verdict(self, live: np.ndarray) -> dict:
        """What the windows with a vote say of the recording; None in every place where they are too few."""
        keys = ('predicted', 'predicted_mean', 'predicted_vote', 'agreement', 'mean_probabilities')
        if not live.any() or (self.findings and self.findings.refusal()):
            return dict.fromkeys(keys)
        names = self.class_names
        mean, by_mean, by_vote, agreement = vote(self.probabilities[live], self.threshold)
        stated = (names[by_mean], names[by_mean], names[by_vote], float(agreement), probability_row(names, mean))
        return dict(zip(keys, stated))


def diagnose_recording(
    predictor: AnyPredictor, recording: Recording, *, hop_s: float | None = None, by_position: bool = False
) -> Diagnosis:
    """Cuts a recording as the checkpoint's dataset was cut, and predicts every window that can be used.

    Args:
      predictor: a loaded checkpoint.
      recording: samples [T, C]; its channels are taken by name where it and the training data have names.
      hop_s: seconds between windows; None: they do not overlap.
      by_position: the channels were chosen in the model's order, whatever their names.

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
    recording = in_training_order(recording, channels, data.get('channel_names', ()), by_position=by_position)
    if recording.sample_rate_hz < rate * (1 - SAME_RATE):
        raise DataError(
            f'{source}: recorded at {recording.sample_rate_hz:.9g} Hz, but the model was trained on {rate:g} Hz and '
            'needs the band up to half of that; record faster, or check --sample_rate'
        )
    # Checkpoints of before the slow part was removed saw windows with it.
    slow_hz = data.get('removed_below_hz', 0.0)
    windowing = Windowing(length, hop, data['guard_length'])
    spec = RecordSpec(predictor.front_end, rate, windowing, channels=channels, removed_below_hz=slow_hz)
    prepared = prepare_recording(recording, spec)
    starts = window_starts(len(prepared.recording.samples), length, hop)
    probabilities, faults, levels = _ask(predictor, prepared, starts, source)
    training = TrainingRange.from_json(predictor.meta.get('training'))
    findings = Findings(
        tuple(faults),
        prepared.usability.wild_samples,
        prepared.recording.notes,
        *training.outside_windows_and_recording(levels, recording),
    )
    return Diagnosis(
        source, starts / rate, length / rate, probabilities, predictor.class_names, predictor.threshold, findings
    )  # fmt: skip


def _ask(
    predictor: AnyPredictor, prepared: Prepared, starts: np.ndarray, source: str
) -> tuple[np.ndarray, list[str], np.ndarray]:
    """(probabilities float32 [N, K], faults of N windows, levels float32 [N, C]); NaN where a window has no vote."""
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
    text_format: TextFormat | None = None,
) -> Diagnosis:
    """Reads a raw file and diagnoses it; DataError says what is wrong with the file.

    Args:
      predictor: a loaded checkpoint.
      path: the file.
      sample_rate_hz: see fdx.data.raw.files.read_raw_file, likewise `variable` and `channel`.
      variable: of a .mat file.
      channel: the channels that the model takes, in its order, where the file holds others besides.
      hop_s: see `diagnose_recording`.
      speed_rpm: see `with_condition`.
      geometry: see `with_condition`.
      speed_range_rpm: see `with_condition`.
      text_format: how a text file is written.
    """
    recording = read_raw_file(
        path, sample_rate_hz=sample_rate_hz, variable=variable, channel=channel, text_format=text_format
    )
    recording = with_condition(recording, speed_rpm, geometry, speed_range_rpm)
    return diagnose_recording(predictor, recording, hop_s=hop_s, by_position=channel is not None)


def with_condition(
    recording: Recording,
    speed_rpm: float | str | None = None,
    geometry: BearingGeometry | None = None,
    speed_range_rpm: tuple[float, float] = DEFAULT_RANGE_RPM,
) -> Recording:
    """A recording with what its user knows about the machine.

    Args:
      recording: samples [T, C].
      speed_rpm: a number, which wins over the file's own, with a note and a logged warning where they differ;
        'estimate', which reads it from the first channel (fdx.signal.shaft_speed); None keeps the file's.
      geometry: of the bearing; None keeps what is there.
      speed_range_rpm: where an estimate is looked for.

    Raises:
      ConfigError: an unusable range.
      DataError: no speed stands out of the recording.
    """
    notes, own = recording.notes, recording.speed_rpm
    if speed_rpm == 'estimate':
        estimate = estimate_speed(recording, *speed_range_rpm)
        speed_rpm = estimate.speed_rpm
        notes += (estimate.in_words(),)
    speed_rpm = None if speed_rpm is None else float(speed_rpm)
    if speed_rpm is not None and abs(own - speed_rpm) > SPEED_TOLERANCE * own:  # never true of an unknown speed, NaN
        notes += (f'--speed_rpm {speed_rpm:g} wins over the {own:g} rpm of the file',)
        _log.warning('%s: %s', recording.source or recording.recording, notes[-1])
    return dataclasses.replace(
        recording,
        speed_rpm=own if speed_rpm is None else speed_rpm,
        geometry=geometry or recording.geometry,
        notes=notes,
    )
