"""A report's sentences: the verdict, what speaks against it, the quality of the data, and what to do next."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from fdx.evaluate.machine_report_against import (
    against_fault,
    against_normal,
    evidence_words,
    sentence,
    state_words,
)
from fdx.evaluate.machine_report_channel import Channel
from fdx.evaluate.words import counted, duration
from fdx.predict.universal.judge import NORMAL
from fdx.predict.universal.verdict import UNCLEAR
from fdx.predict.zero_shot_diagnosis import ZeroShotDiagnosis
from fdx.signal.checks import count_clipped
from fdx.signal.severity import GROUPS
from fdx.signal.usable import REASONS

GOOD, BAD, OPEN = 'good', 'bad', 'open'
DRIFTED = 'drifted'
HOLD = (
    'Imbalance, misalignment, looseness, gears and electrical faults are not judged here: look at the orders of the '
    'shaft in the spectrum.'
)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the top of a channel's section says.

    Attributes:
      mood: GOOD, BAD or OPEN.
      title: the verdict in a few words.
      text: one or two sentences: how probable, or why there is none.
      against: what speaks against it, one sentence each.
    """

    mood: str
    title: str
    text: str
    against: tuple[str, ...]


def verdict_of(channel: Channel) -> Verdict:
    """The verdict on one channel."""
    found = channel.diagnosis
    if is_silenced(channel) and channel.sensor is not None:
        title = f'The sensor is in doubt: {channel.sensor.kind}'
        text = f'{sentence(channel.sensor.words)} {channel.sensor.remedy}'
        judged = '' if found is None or found.label is None else f'The judge says {state_words(found.label)}.'
        return Verdict(BAD, title, f'{text} Nothing is said about the machine. {judged}'.strip(), ())
    if found is None or found.label is None:
        reason = channel.no_verdict or channel.unusable or 'the judge cannot tell'
        seen = [] if found is None else evidence_words(found)
        return Verdict(OPEN, 'No verdict on the bearing', sentence(reason), (*_drift(channel), *seen))
    probability = _probability(found)
    if found.label == NORMAL:
        text = f'The judge holds a sound bearing for {probability:.0%} probable.'
        return Verdict(GOOD, 'No bearing fault is seen', text, (*_drift(channel), *against_normal(found)))
    text = f'The judge holds {state_words(found.label)} for {probability:.0%} probable.'
    if found.label == UNCLEAR:
        text = f'A fault is {probability:.0%} probable, and its kind is not clear ({found.reason}).'
    title = f'{state_words(found.label)[0].upper()}{state_words(found.label)[1:]}'
    return Verdict(BAD, title, text, (*_drift(channel), *against_fault(found)))


def is_silenced(channel: Channel) -> bool:
    """Whether the sensor's fault leaves nothing to be said about the machine. One that drifts still shows orders."""
    return channel.sensor is not None and channel.sensor.kind != DRIFTED


def _drift(channel: Channel) -> tuple[str, ...]:
    return () if channel.sensor is None else (sentence(f'The sensor has drifted: {channel.sensor.words}'),)


def _probability(found: ZeroShotDiagnosis) -> float:
    probabilities = found.probabilities or {}
    if found.label == UNCLEAR:
        return 1 - probabilities.get(NORMAL, 0.0)
    return probabilities.get(found.label or '', math.nan)


def quality_of(channel: Channel) -> list[str]:
    """The quality of the data, one sentence each."""
    recording = channel.recording
    x = np.asarray(recording.samples, np.float64).reshape(len(recording.samples), -1)[:, 0]
    finite = np.isfinite(x)
    said = [f'{duration(recording.duration_s)} at {recording.sample_rate_hz:g} Hz, {len(x):,} samples.']
    if not finite.all():
        said.append(f'{counted(int((~finite).sum()), "sample is", "samples are")} no number.')
    elif len(x) and x.min() < x.max():
        clipped = count_clipped(x)
        said.append(f'{clipped:,} samples sit at the limits of the recorder.' if clipped else 'It is not clipped.')
    if channel.unusable:
        said.append(sentence(f'It cannot be used: {channel.unusable}'))
    for kind, count in channel.faults.items():
        said.append(sentence(f'{counted(count, "piece")} of 0.25 s cannot be used: {REASONS[kind]}'))
    if channel.samples is not None:
        used = len(channel.samples) / recording.sample_rate_hz
        if used < 0.99 * recording.duration_s:
            said.append(f'The pictures show the longest good stretch, {duration(used)}.')
    if not channel.unit:
        said.append('The unit of the samples is not stated, so levels cannot be compared with any limit.')
    said += [sentence(note) for note in channel.notes]
    return list(dict.fromkeys(said))


def severity_words(channel: Channel) -> list[str]:
    """How strongly the machine vibrates."""
    zone = channel.severity
    if zone is None:
        velocity = channel.levels.velocity_mm_s if channel.levels else None
        known = [] if velocity is None else [f'The velocity from 10 to 1000 Hz is {velocity:.2f} mm/s RMS.']
        return [*known, f'No zone: {channel.no_zone}.']
    limits = ', '.join(f'{name} up to {limit:g}' for name, limit in zip('ABC', zone.limits_mm_s))
    return [
        f'{zone.words()}.',
        f'Limits in mm/s: {limits}, D above. Machine of {GROUPS[zone.machine_group]}; {zone.mounting} mounting; RMS '
        f'velocity from {zone.band_hz[0]:g} to {zone.band_hz[1]:g} Hz.',
        'The standard takes the largest value of all directions and bearings; this is one sensor.',
    ]


def next_steps(channel: Channel) -> list[str]:
    """What to do next, in order."""
    if is_silenced(channel) and channel.sensor is not None:
        return [channel.sensor.remedy, 'Record again, and compare.']
    zone, found = (channel.severity.zone if channel.severity else ''), channel.diagnosis
    steps = [] if channel.sensor is None else [channel.sensor.remedy]
    if zone == 'D':
        steps.append('The vibration is in zone D: reduce the load or stop the machine until the cause is known.')
    elif zone == 'C':
        steps.append('The vibration is in zone C: plan a remedy and measure more often until then.')
    label = found.label if found is not None else None
    if label is None:
        steps += _to_get_a_verdict(channel)
    elif label == NORMAL:
        steps.append('Keep this recording: healthy recordings of this machine make later verdicts surer.')
        steps.append('Record again at the usual interval, at the same place, speed and load.')
    else:
        steps.append('Record again, at the same place and also at another load or speed: a fault stays at its order.')
        steps.append('Check lubrication and play of the bearing, and order a spare one.')
        steps.append('Follow it: learn the machine with fdx baseline, and see with fdx monitor whether it grows.')
    return [*steps, HOLD]


def _to_get_a_verdict(channel: Channel) -> list[str]:
    recording, steps = channel.recording, []
    if recording.geometry is None:
        steps.append('Find out the bearing (its type is on the ring or in the parts list) and give `bearing`.')
    if not math.isfinite(recording.speed_rpm):
        steps.append('Give the speed of the shaft with `speed_rpm`; `speed_rpm=estimate` reads it from the recording.')
    if not steps:
        steps.append('Record longer, at least a few hundred turns of the shaft, near the bearing.')
        steps.append('Give recordings of the same machine in good order with `healthy`.')
    return steps
