"""A history's sentences: the state now, what speaks against it, since when and how fast it grows, what to do next."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fdx.evaluate.machine_report_against import sentence, state_words
from fdx.evaluate.machine_report_history_tables import MOVED, date, one_in, span, time_of
from fdx.evaluate.machine_report_words import BAD, GOOD, OPEN, Verdict
from fdx.evaluate.words import counted, listed
from fdx.health.baseline_file import Saved
from fdx.health.course import Course
from fdx.health.feature_plan import WITH_LEVEL
from fdx.health.states import ALARM, JUDGED, NORMAL, OUTSIDE, UNUSABLE, WATCH
from fdx.health.text import alarm_words, is_otherwise

# Fewer healthy recordings than this say little about rare values.
FEW_HEALTHY = 50
TITLES = {
    NORMAL: (GOOD, 'The machine is as in good order'),
    WATCH: (OPEN, 'One recording is unusual: watch the machine'),
    ALARM: (BAD, 'Alarm: the machine is not as in good order'),
    OUTSIDE: (OPEN, 'The last recording lies outside the operating range'),
    UNUSABLE: (OPEN, 'The last recording cannot be used'),
}


def state_of(rows: Sequence[Mapping[str, Any]], course: Course, saved: Saved) -> Verdict:
    """The state now, from the last row."""
    if not rows:
        text = 'No recording has been judged yet: fdx monitor judges what comes.'
        return Verdict(OPEN, 'The history is empty', text, ())
    last = rows[-1]
    mood, title = TITLES[last['state']]
    said = [f'The last recording is {os.path.basename(last["file"])}, {date(time_of(last))}.']
    if last['state'] in JUDGED:
        said.append(
            f'A machine in good order is as unusual in {one_in(last["p_value"])}. Promised is {saved.baseline.promise}.'
        )
    else:
        said.append(sentence(str(last.get('reason') or 'it was not judged')))
        judged = [row for row in rows if row['state'] in JUDGED]
        if judged:
            said.append(f'The last one that was judged, of {date(time_of(judged[-1]))}, was {judged[-1]["state"]}.')
    if is_otherwise(last):
        said.append(
            'It has changed, but not as damage changes a vibration: bands have risen and fallen, and nothing has '
            'become more impulsive. That is no alarm.'
        )
    if last['state'] == ALARM:
        first = first_of_alarm(rows)
        said.append(f'It has been in alarm since {date(time_of(first))} ({os.path.basename(first["file"])}).')
    if last.get('sensor'):
        mood, title = OPEN, 'The sensor is in doubt'
        said.insert(0, sentence(str(last['sensor'])))
    return Verdict(mood, title, ' '.join(said), tuple(_against(rows, course, saved)))


def _against(rows: Sequence[Mapping[str, Any]], course: Course, saved: Saved) -> list[str]:
    baseline, last, said = saved.baseline, rows[-1], []
    healthy = len(baseline.sample.names)
    if baseline.by_pieces:
        said.append(
            f'The baseline rests on {counted(healthy, "recording")} that were cut into pieces: how much recordings '
            'differ from each other is hardly known.'
        )
    elif healthy < FEW_HEALTHY:
        said.append(f'The baseline rests on {counted(healthy, "recording")}; rare values are extrapolated.')
    if baseline.rate > baseline.wish.rate * 1.01:
        wish = baseline.wish
        said.append(f'{sentence(wish.words(wish.rate))[:-1]} was wished; so few recordings cannot promise it.')
    if any(not check['holds'] for check in baseline.about.get('checks', ())):
        said.append('Left-out healthy recordings passed the limits more often than promised: they change over time.')
    judged = [row for row in rows if row['state'] in JUDGED]
    if last['state'] == NORMAL and course.changes.lasting is not None:
        said.append('The scores have risen all the same and stay high; see below.')
    if last['state'] == ALARM and course.changes.lasting is None:
        said.append('The scores show no lasting change: it may be a few odd recordings.')
    if last['state'] == ALARM and judged and _alike(judged[-1]):
        said.append(
            'Everything that moved, moved the same way: a changed gain, unit, mounting of the sensor, speed or load '
            'does this as well.'
        )
    unused = len(rows) - len(judged)
    if unused:
        said.append(f'{counted(unused, "recording")} of {len(rows):,} could not be judged.')
    return said


def _alike(row: Mapping[str, Any]) -> bool:
    """Whether all numbers that moved most are levels and moved by about as much in the same direction."""
    moved = [m for m in row['moved'] if abs(m['deviations']) >= MOVED]
    if len(moved) < len(row['moved']) or not moved or any(m['set'] not in WITH_LEVEL for m in moved):
        return False
    values = np.array([m['deviations'] for m in moved])
    return bool((np.sign(values) == np.sign(values[0])).all() and np.abs(values).max() < 1.5 * np.abs(values).min())


def change_words(course: Course) -> list[str]:
    """Since when, how fast, until when; one sentence each."""
    if len(course.scores) == 0:
        return ['No recording was judged.']
    said, change = [], course.changes.lasting
    past = [c for c in course.changes.found if c.end is not None]
    if change is None:
        said.append('No lasting change is found in the scores.')
    else:
        times = course.times_s
        said.append(
            f'The scores have changed since about {date(times[change.onset])}, most likely between '
            f'{date(times[change.earliest])} and {date(times[change.latest])}; it could be called on '
            f'{date(times[change.alarm])}.'
        )
        said.append(growth_words(course))
    if past:
        spans = [f'{date(course.times_s[c.onset])} to {date(course.times_s[c.end or c.alarm])}' for c in past]
        said.append(f'Changes that ended: {listed(spans)}.')
    said.append(sentence(course.changes.words()))
    if course.life is not None:
        said.append(course.life.words())
    return [*said, *(sentence(note) for note in course.notes)]


def growth_words(course: Course) -> str:
    """How fast the scores grow since the change."""
    found = course.growth
    if found is None:
        return 'It is too young to tell how fast it grows.'
    if not found.is_clear:
        return f'Since then the scores do not clearly grow ({found.points} recordings).'
    if not course.logarithmic:
        ends = f'{found.low:.3g} to {found.high:.3g}'
        return f'Since then the score grows by {found.per_day:.3g} per day (90 % interval {ends}).'
    if found.per_day < 0:
        return f'Since then the scores fall: they halve in {span(math.log(2) / -found.per_day)}.'
    soon, late = (span(math.log(2) / v) for v in (found.high, found.low))
    return f'Since then the score doubles in {span(math.log(2) / found.per_day)} (90 % interval {soon} to {late}).'


def next_steps(rows: Sequence[Mapping[str, Any]], course: Course) -> list[str]:
    """What to do next, in order."""
    state = rows[-1]['state'] if rows else ''
    if not rows:
        return ['Judge recordings with fdx monitor.']
    if rows[-1].get('sensor'):
        return ['Check the sensor, its mounting and its cable first, and record again.']
    if state == ALARM:
        verdicts = [row['verdict'] for row in rows[-10:] if row.get('verdict') and row['verdict'].get('state')]
        said = ['Record again to rule out a disturbance, and look at the numbers that moved.']
        faults = list(dict.fromkeys(state_words(v['state']) for v in verdicts if v['state'] != 'normal'))
        if faults:
            said.append(f'The judge sees {listed(faults, "or")}: write a report about one recording with fdx report.')
        else:
            said.append('Look for other causes, too: load, speed, mounting, neighbours, imbalance, misalignment.')
        said.append('After maintenance, learn the machine anew with fdx baseline; the old baseline is kept.')
        return said
    if state == WATCH and is_otherwise(rows[-1]):
        return [
            'Look for what has changed: speed, load, temperature, mounting of the sensor, lubrication, running in.',
            'If the machine is as it should be, learn it anew from recordings since then (`reset_from`).',
        ]
    if state == WATCH:
        return ['Record again soon: an alarm needs more than one unusual recording.']
    if state == OUTSIDE:
        return ['Record healthy examples of this speed and load, and learn the baseline with them.']
    if state == UNUSABLE:
        return ['Check the sensor and the recorder, and record again.']
    if course.changes.lasting is not None:
        return ['Record more often: the scores rise, though no limit is passed.']
    return ['Go on recording at the usual interval.']


def first_of_alarm(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The first judged row of the alarm that the last one belongs to."""
    judged = [row for row in rows if row['state'] in JUDGED]
    first = judged[-1]
    for row in reversed(judged):
        if row['state'] != ALARM:
            break
        first = row
    return first


def baseline_words(saved: Saved) -> list[str]:
    """What the scores are compared with, one sentence each."""
    baseline = saved.baseline
    sets = listed(list(dict.fromkeys(f.set for f in baseline.features)))
    said = [
        f'Baseline {saved.number} was learned on {date(saved.made_at)} from '
        f'{counted(len(baseline.sample.names), "healthy recording")}: {len(baseline.features)} numbers of each '
        f'({sets}), judged by {baseline.detector}.',
        f'There is an alarm {alarm_words(baseline)}.',
    ]
    about = baseline.about
    checks = [(check, 'passed the limit') for check in about.get('checks', ())]
    checks += [(check, 'rose beyond the limit') for check in about.get('rise_checks', ())]
    for check, passed in checks:
        low, high = check['interval']
        said.append(
            f'Of left-out healthy recordings, {check["exceeded"]} of {check["units"]} {passed} for '
            f'{check["promised"]:.1%} ({low:.1%} to {high:.1%} with 95 % confidence).'
        )
    return [*said, *(sentence(str(note)) for note in baseline.about.get('notes', ()))]
