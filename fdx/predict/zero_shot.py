"""Diagnosis of a machine that fdx has never seen: the evidence at its bearing's fault orders, judged by a network.

The whole recording is searched for the lines of the bearing's faults, against orders that belong to no fault
(fdx.signal.fault_evidence), at a speed that is checked first. A small network that was trained on simulated machines
alone judges the picture of that evidence (fdx.predict.universal). It may answer that it cannot tell.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence

import numpy as np

from fdx.data.raw.binary import BinaryFormat
from fdx.data.raw.text import TextFormat
from fdx.predict.evidence_of import Knowledge, good_part, hidden, views_of
from fdx.predict.findings import Findings
from fdx.predict.source import read_source
from fdx.predict.speed_doubt import settled_views
from fdx.predict.universal.judge import NORMAL, Judge, load_judge
from fdx.predict.zero_shot_diagnosis import ZeroShotDiagnosis
from fdx.predict.zero_shot_verdict import called_by, checked_speed, without_lines_of_others
from fdx.signal.bearings import parse_bearing
from fdx.types import BearingGeometry, ConfigError, DataError, Recording


def zero_shot(
    source: Recording | np.ndarray | str | os.PathLike,
    *,
    bearing: BearingGeometry | str | None = None,
    speed_rpm: float | str | None = None,
    speed_range_rpm: tuple[float, float] | None = None,
    known_orders: Sequence[float] = (),
    other_bearings: Sequence[BearingGeometry | str] = (),
    healthy: Sequence[Recording | np.ndarray | str | os.PathLike] = (),
    tachometer: int | str | np.ndarray | None = None,
    pulses_per_turn: int = 1,
    abstain: bool = True,
    sample_rate_hz: float | None = None,
    variable: str | None = None,
    channel: int | str | None = None,
    text_format: TextFormat | None = None,
    binary_format: BinaryFormat | None = None,
    hop_s: float | None = None,
) -> ZeroShotDiagnosis:
    """Diagnoses a file or a recording of a machine that fdx has never seen, without any training.

        result = fdx.zero_shot('pump.wav', bearing='skf_6205', speed_rpm=1772)
        result.label, result.probabilities, result.evidence, result.speed_rpm, result.reason

    Args:
      source: a Recording, the path of a file, or samples float [T] with `sample_rate_hz`.
      bearing: a name of fdx.signal.bearings.BEARINGS, its geometry, or text that describes it; None keeps that of a
        Recording.
      speed_rpm: of the shaft; overrides the file's own; 'estimate' reads it from the signal; None keeps the file's. It
        is checked against the recording, and corrected by up to 8 % where the recording clearly says so.
      speed_range_rpm: (lowest, highest) of an estimate.
      known_orders: of blades, vanes or gear meshes, in turns of the shaft: their lines are no evidence.
      other_bearings: on the same shaft; their faults' lines are no evidence for this one.
      healthy: recordings of the same machine in good order, read like `source`: what they show already is no evidence.
      tachometer: the file's channel of pulses, or its samples [T]: the recording is resampled by the shaft's angle.
        Without one, a speed that varies is tracked in the recording itself.
      pulses_per_turn: of the tachometer.
      abstain: whether it may answer that it cannot tell; otherwise the most probable state is called.
      sample_rate_hz: of an array, or of a file that does not state its rate; it overrides the file's own, with a
        warning.
      variable: of a .mat file.
      channel: the one channel to look at, where the file holds several.
      text_format: how a text file is written, where it cannot tell by itself.
      binary_format: how a file without header is written.
      hop_s: refused: the recording is judged as a whole.

    Raises:
      ConfigError: an option that cannot be used.
      DataError: a file or recording that cannot be diagnosed.
    """
    if hop_s is not None:
        raise ConfigError(f'`hop_s`={hop_s}: without a run, a recording is judged as a whole; leave it out')
    of_file = {
        'sample_rate_hz': sample_rate_hz,
        'variable': variable,
        'channel': channel,
        'text_format': text_format,
        'binary_format': binary_format,
    }
    told = {'speed_rpm': speed_rpm, 'bearing': bearing, 'speed_range_rpm': speed_range_rpm}

    def read(one: Recording | np.ndarray | str | os.PathLike) -> Recording:
        return read_source(one, **told, **({} if isinstance(one, Recording) else of_file))  # type: ignore[arg-type]

    others = tuple(parse_bearing(b) if isinstance(b, str) else b for b in other_bearings)
    knowledge = Knowledge(tuple(map(float, known_orders)), others)
    recording = read_source(source, **of_file, **told)  # type: ignore[arg-type]
    if tachometer is not None and not isinstance(tachometer, np.ndarray):
        if isinstance(source, Recording | np.ndarray):
            raise ConfigError(f'`tachometer`={tachometer}: beside a Recording or an array, give its samples')
        tachometer = read_source(source, **{**of_file, 'channel': tachometer}).samples[:, 0]  # type: ignore[arg-type]
    return diagnose_zero_shot(
        recording,
        knowledge=knowledge,
        healthy=tuple(read(one) for one in healthy),
        tachometer=tachometer,
        pulses_per_turn=pulses_per_turn,
        abstain=abstain,
    )


def diagnose_zero_shot(
    recording: Recording,
    *,
    knowledge: Knowledge | None = None,
    healthy: Sequence[Recording] = (),
    tachometer: np.ndarray | None = None,
    pulses_per_turn: int = 1,
    abstain: bool = True,
    judge: Judge | None = None,
) -> ZeroShotDiagnosis:
    """Diagnoses a recording whose speed and bearing are known.

    Args:
      recording: samples [T, 1]; speed_rpm and geometry set.
      knowledge: what else turns in the machine.
      healthy: recordings of the same machine in good order.
      tachometer: float [T], pulses that were recorded with the samples.
      pulses_per_turn: of the tachometer.
      abstain: whether it may answer that it cannot tell.
      judge: another judge than the one that fdx ships.

    Raises:
      DataError: what fdx.signal.checks refuses, several channels, no speed, no geometry, fewer than ten turns, or a
        rate too low for a fault's first harmonic.
    """
    knowledge, judge = knowledge or Knowledge(), judge or load_judge()
    source = recording.source or recording.recording
    try:
        part = good_part(recording)
        if part.refusal is not None:
            return _refused(recording, part.findings)
        part = part.steadied(tachometer, pulses_per_turn)
        evidence, images, kept = settled_views(part.recording, knowledge)
        bias = _bias_of(healthy, knowledge, judge)
        opinion = judge.opinion(images, bias)
        called = called_by(judge, opinion, abstain)
        if abstain:
            called, opinion = without_lines_of_others(called, opinion, evidence, judge, bias)
            called = checked_speed(called, part.recording, evidence, knowledge, judge, bias)
    except DataError as e:
        if str(e).startswith((source, '`')):
            raise
        raise DataError(f'{source}: {e}') from e
    notes = (*part.findings.notes, *kept, *evidence.speed.words(), *hidden(evidence.geometry, knowledge))
    if healthy and not bias.any():
        notes = (*notes, 'the healthy recordings look as those of sound machines usually do: they change nothing')
    return ZeroShotDiagnosis(
        file=source,
        state=called.state,
        why=called.reason,
        named_probabilities=dict(zip(judge.states, opinion.probabilities.tolist())),
        distance=opinion.distance,
        searched=evidence,
        findings=dataclasses.replace(part.findings, notes=notes),
        recording=recording,
        duration_s=len(part.recording.samples) / part.recording.sample_rate_hz,
    )


def _refused(recording: Recording, findings: Findings) -> ZeroShotDiagnosis:
    return ZeroShotDiagnosis(
        file=recording.source or recording.recording,
        state=None,
        why='',
        named_probabilities=None,
        distance=np.nan,
        searched=None,
        findings=findings,
        recording=recording,
        duration_s=0.0,
    )


def _bias_of(healthy: Sequence[Recording], knowledge: Knowledge, judge: Judge) -> np.ndarray:
    """What to add to the logits [K]: log odds of faults that sound recordings of the machine show, too, are taken off.

    A sound recording whose log odds of a fault exceed what nine in ten simulated sound machines show (on the card)
    says how far this machine looks like that fault when it is in order. The mean of the excess over the recordings, not
    below 0, is subtracted.
    """
    if not healthy:
        return np.zeros(len(judge.states))
    odds = []
    for recording in healthy:
        part = good_part(recording)
        if part.refusal is not None:
            raise DataError(f'{recording.source or recording.recording}: {part.refusal}')
        logits = judge.outputs(views_of(part.recording, knowledge)[1])[0].mean(axis=0)
        odds.append(logits - logits[judge.states.index(NORMAL)])
    usual = np.array([judge.card['healthy_log_odds'][state] for state in judge.states])
    return -np.maximum(np.mean(odds, axis=0) - usual, 0.0)
