"""A report's sentences: the verdict, what speaks against it, the quality of the data, and what to do next."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from fdx.evaluate.machine_report_channel import Channel
from fdx.evaluate.machine_report_figures import FAULT_WORDS
from fdx.evaluate.words import counted, duration, listed
from fdx.predict.universal.judge import NORMAL
from fdx.predict.universal.verdict import UNCLEAR
from fdx.predict.zero_shot_diagnosis import ZeroShotDiagnosis
from fdx.signal.checks import count_clipped
from fdx.signal.control_orders import FAULTS
from fdx.signal.fault_evidence import FaultEvidence
from fdx.signal.severity import GROUPS
from fdx.signal.usable import REASONS

# Robust standard deviations above the control orders: from CLEAR on, lines are hardly chance; below WEAK they may be.
WEAK, CLEAR = 2.0, 4.0
# Nepers over the background from which on a harmonic stands out, and by which two speeds must differ in their lines.
STANDS_OUT, TIE = 0.5, 0.3
# Turns of the shaft below which a recording is short for a bearing, and the distance at which a machine looks foreign.
FEW_TURNS, FOREIGN = 100.0, 0.8
GOOD, BAD, OPEN = 'good', 'bad', 'open'
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
    if channel.sensor is not None:
        title = f'The sensor is in doubt: {channel.sensor.kind}'
        text = f'{sentence(channel.sensor.words)} {channel.sensor.remedy}'
        judged = '' if found is None or found.label is None else f'The judge says {state_words(found.label)}.'
        return Verdict(BAD, title, f'{text} Nothing is said about the machine. {judged}'.strip(), ())
    if found is None or found.label is None:
        reason = channel.no_verdict or channel.unusable or 'the judge cannot tell'
        against = () if found is None else tuple(_evidence_words(found))
        return Verdict(OPEN, 'No verdict on the bearing', sentence(reason), against)
    probability = _probability(found)
    if found.label == NORMAL:
        text = f'The judge holds a sound bearing for {probability:.0%} probable.'
        return Verdict(GOOD, 'No bearing fault is seen', text, tuple(against_normal(found)))
    text = f'The judge holds {state_words(found.label)} for {probability:.0%} probable.'
    if found.label == UNCLEAR:
        text = f'A fault is {probability:.0%} probable, and its kind is not clear ({found.reason}).'
    return Verdict(
        BAD, f'{state_words(found.label)[0].upper()}{state_words(found.label)[1:]}', text, against_fault(found)
    )


def state_words(state: str) -> str:
    """'outer_race' -> 'a fault of the outer race'."""
    if state == NORMAL:
        return 'a sound bearing'
    if state == UNCLEAR:
        return 'a fault of the bearing'
    if state in FAULT_WORDS:
        return f'a fault of the {FAULT_WORDS[state]}'
    return 'faults of several parts of the bearing' if state == 'combined' else state


def _probability(found: ZeroShotDiagnosis) -> float:
    probabilities = found.probabilities or {}
    if found.label == UNCLEAR:
        return 1 - probabilities.get(NORMAL, 0.0)
    return probabilities.get(found.label or '', math.nan)


def against_normal(found: ZeroShotDiagnosis) -> list[str]:
    """What speaks against a sound bearing; what no recording can show comes last."""
    said = _others(found)
    searched = found.searched
    if searched is not None:
        z = searched.z_scores()
        for i in np.flatnonzero(z >= CLEAR):
            said.append(
                f'Lines at the order of the {FAULT_WORDS[FAULTS[i]]} stand out by {z[i]:.1f} robust standard '
                'deviations of the control orders, which the judge explains otherwise.'
            )
    said += _common(found)
    said.append('A fault at an early stage, or far from the sensor, may not show yet.')
    return said


def against_fault(found: ZeroShotDiagnosis) -> tuple[str, ...]:
    """What speaks against a fault."""
    said, searched = _others(found), found.searched
    if searched is not None and found.label in FAULTS:
        said += _weak_lines(searched, FAULTS.index(found.label))
    return (*said, *_common(found))


def _weak_lines(searched: FaultEvidence, i: int) -> list[str]:
    said = []
    name, target = FAULT_WORDS[FAULTS[i]], searched.targets[i]
    z, apart = searched.z_scores(), searched.z_scores(apart=True)
    if z[i] < CLEAR:
        weak = 'no more than chance may' if z[i] < WEAK else 'little more than chance'
        said.append(f'The lines of the {name} stand out by {z[i]:.1f} robust standard deviations: {weak}.')
    if apart[i] < min(z[i] / 2, CLEAR):
        said.append(f'Without lines that shaft or mains explain as well, this falls from {z[i]:.1f} to {apart[i]:.1f}.')
    stronger = [FAULT_WORDS[FAULTS[k]] for k in range(len(FAULTS)) if k != i and z[k] > z[i]]
    if stronger:
        said.append(f'The lines of the {listed(stronger)} stand out more.')
    known = np.isfinite(target.cells[:, :, 0])
    means = np.where(known, target.cells[:, :, 0], 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    clear, seen = int((means > STANDS_OUT).sum()), int(known.any(axis=0).sum())
    if seen and clear < seen / 2:
        said.append(f'Only {clear} of {seen} harmonics stand out clearly.')
    twins = [twin.level for twin in searched.twins[i]]
    if twins and max(twins) >= target.level:
        said.append(
            f'The order of the {name} lies beside a multiple of the shaft, and an order that lies likewise beside '
            'another one, where no fault is, shows as much.'
        )
    return said


def _others(found: ZeroShotDiagnosis) -> list[str]:
    probabilities = found.probabilities or {}
    others = sorted(((p, s) for s, p in probabilities.items() if s != found.label and p >= 0.05), reverse=True)
    if found.label == UNCLEAR:
        others = [(p, s) for p, s in others if s == NORMAL]
    return [f'It may also be {state_words(s)}: that is {p:.0%} probable.' for p, s in others[:2]]


def _common(found: ZeroShotDiagnosis) -> list[str]:
    said: list[str] = []
    if found.distance > FOREIGN:
        said.append(
            f'The recording resembles the simulated machines that the judge knows little ({found.distance:.2f} of the '
            'distance at which it would not answer).'
        )
    searched = found.searched
    if searched is None:
        return said
    if searched.turns < FEW_TURNS:
        said.append(f'The recording holds {searched.turns:.0f} turns of the shaft; a longer one says more.')
    speed = searched.speed
    if speed.corrected:
        said.append(sentence(speed.words()[0]))
    elif speed.rival_score > 0 and speed.score - speed.rival_score < TIE:
        said.append(f'A speed of {speed.rival_rpm:.0f} rpm fits the lines as well as {speed.speed_rpm:.0f} rpm.')
    return said


def _evidence_words(found: ZeroShotDiagnosis) -> list[str]:
    """Where there is no verdict: what each fault's lines show."""
    if found.searched is None:
        return []
    z = found.searched.z_scores()
    shown = [f'{FAULT_WORDS[n]} {z[i]:.1f}' for i, n in enumerate(FAULTS)]
    return [f'Lines over the control orders, in robust standard deviations: {listed(shown)}.', *_common(found)]


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
        f'Limits in mm/s: {limits}, D above. {GROUPS[zone.machine_group]}; {zone.mounting} mounting; RMS velocity from '
        f'{zone.band_hz[0]:g} to {zone.band_hz[1]:g} Hz.',
        'The standard takes the largest value of all directions and bearings; this is one sensor.',
    ]


def next_steps(channel: Channel) -> list[str]:
    """What to do next, in order."""
    if channel.sensor is not None:
        return [channel.sensor.remedy, 'Record again, and compare.']
    zone, found = (channel.severity.zone if channel.severity else ''), channel.diagnosis
    steps = []
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
        steps.append('Follow it: learn the machine with `fdx baseline`, and see with `fdx monitor` whether it grows.')
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


def sentence(text: str) -> str:
    """A text with a capital and a full stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ('' if text.endswith(('.', '?', '!')) else '.')
