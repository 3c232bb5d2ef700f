"""Diagnosis of a raw recording by a network: the same band, windows and front end as its dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from fdx.data.blocks import Windowing
from fdx.data.cut import Cut, cut_recording
from fdx.data.familiar import Familiar
from fdx.data.prepared import RecordSpec
from fdx.data.training_range import TrainingRange
from fdx.predict.channels import in_training_order
from fdx.predict.condition import check_positive
from fdx.predict.diagnosis import Diagnosis
from fdx.predict.findings import SILENT_NETWORK, Findings
from fdx.predict.likeness import Likeness
from fdx.signal.resample import SAME_RATE
from fdx.signal.scaling import as_gain
from fdx.types import DataError, Recording

if TYPE_CHECKING:
    from fdx.predict.predictor import AnyPredictor
    from fdx.signal.patch import FrontEnd


def diagnose_recording(
    predictor: AnyPredictor,
    recording: Recording,
    *,
    hop_s: float | None = None,
    by_position: bool = False,
    abstain: bool = True,
) -> Diagnosis:
    """Cuts a recording as the checkpoint's dataset was cut, and predicts every window that can be used.

    Args:
      predictor: a loaded checkpoint or exported file.
      recording: samples [T, C]; its channels are taken by name where it and the training data have names.
      hop_s: seconds between windows; None: they do not overlap.
      by_position: the channels were chosen in the model's order, whatever their names.
      abstain: whether windows unlike anything in training have no vote.

    Raises:
      ConfigError: `hop_s` is no finite number above 0.
      DataError: what fdx.signal.checks refuses, a wrong number of channels, a rate below the dataset's, or no speed or
        bearing where the front end reads orders.
    """
    taken, spec, cut = cut_for(predictor, recording, hop_s=hop_s, by_position=by_position)
    training = TrainingRange.from_json(predictor.meta.get('training'))
    outside = training.outside_windows_and_recording(cut.levels, taken)
    familiar, distances = Familiar.from_json(predictor.meta.get('familiar')), np.full(len(cut.faults), np.nan)
    if familiar.judges:
        distances[cut.live] = familiar.distances(cut.images, spec.front_end, as_gain(predictor.meta['gain']))
    probabilities, faults = _ask(predictor, cut)
    likeness = Likeness.of(familiar, distances, faults, abstain=abstain)
    return Diagnosis(
        file=recording.source or recording.recording,
        window_starts_s=cut.starts_s,
        window_s=cut.window_s,
        window_probabilities=probabilities,
        class_names=predictor.class_names,
        threshold=predictor.threshold,
        findings=Findings(likeness.marked(faults), cut.wild_samples, cut.notes, *outside, likeness),
        recording=taken,
    )


def cut_for(
    predictor: AnyPredictor, recording: Recording, *, hop_s: float | None = None, by_position: bool = False
) -> tuple[Recording, RecordSpec, Cut]:
    """The windows of a recording as a model takes them; the arguments and errors are those of `diagnose_recording`.

    Returns:
      (the recording with the channels of the model, how it was cut, its windows).
    """
    check_positive('hop_s', hop_s, 'seconds')
    source = recording.source or recording.recording
    spec = _spec(predictor, recording.sample_rate_hz, len(recording.samples), hop_s)
    names = predictor.meta['dataset'].get('channel_names', ())
    taken = in_training_order(recording, spec.channels, names, by_position=by_position)
    rate = spec.common_rate_hz
    if taken.sample_rate_hz < rate * (1 - SAME_RATE):
        raise DataError(
            f'{source}: recorded at {taken.sample_rate_hz:.9g} Hz, but the model was trained on {rate:g} Hz and needs '
            'the band up to half of that; record faster, or check `sample_rate_hz`'
        )
    return taken, spec, cut_recording(taken, spec)


def _spec(predictor: AnyPredictor, recorded_hz: float, num_samples: int, hop_s: float | None) -> RecordSpec:
    """How the windows of a recording are cut: as those of the dataset that the model was trained on."""
    if predictor.of_tables:
        raise DataError(f'{predictor.workdir} is a model of tables and cannot diagnose a recording: give it a CSV file')
    data, front_end = predictor.meta['dataset'], cast('FrontEnd', predictor.front_end)  # no table's: refused above
    rate, length = data['common_rate_hz'], data['window_length']
    if predictor.of_orders:
        # Bands are fractions of the rate and columns are orders: the picture is the same at any rate.
        # Both roundings, of the dataset's window and of this one, may lose the sample that the front end asks for.
        seconds, rate = length / rate, recorded_hz
        length = max(round(seconds * rate), front_end.patch_samples(rate))
    hop = length if hop_s is None else round(min(hop_s * rate, num_samples or 1))
    if hop < 1:
        raise DataError(f'`hop_s`={hop_s}: at {rate:g} Hz it must be at least {1 / rate:.6f} s')
    # Checkpoints of before the slow part was removed saw windows with it.
    slow_hz = data.get('removed_below_hz', 0.0)
    windowing = Windowing(length, hop, data['guard_length'])
    return RecordSpec(
        front_end,
        rate,
        windowing,
        channels=data.get('channels', 1),
        removed_below_hz=slow_hz,
        match_level=data.get('match_level', False),
    )


def _ask(predictor: AnyPredictor, cut: Cut) -> tuple[np.ndarray, tuple[str, ...]]:
    """What the network says of each window that can be used.

    Returns:
      (probabilities float32 [N, K], NaN where a window has no vote; faults of the N windows, '' where there is none).
    """
    faults, live = list(cut.faults), cut.live
    probabilities = np.full((len(faults), len(predictor.class_names)), np.nan, np.float32)
    if len(live):
        probabilities[live] = predictor.patch_probabilities(cut.images)
    for i in live:
        if not np.isfinite(probabilities[i]).all():
            faults[i] = SILENT_NETWORK
    return probabilities, tuple(faults)
