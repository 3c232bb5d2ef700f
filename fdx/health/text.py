"""A baseline and the rows of a history in words."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fdx.health.baseline import Baseline
from fdx.health.baseline_file import Saved
from fdx.health.history_rows import short_name
from fdx.health.learn_recordings import Learned
from fdx.health.states import ALARM, NORMAL, OUTSIDE, UNUSABLE, WATCH

NAMES_SHOWN, MOVED_SHOWN, WORTH_SAYING = 8, 3, 3.0
# A recording that rises less than one in so many in good order has not risen.
NOT_RISEN = 0.05


def baseline_text(learned: Learned, workdir: str, worded: Callable[[str], str] = str) -> str:
    """What was learned, what it promises and what was left out, as lines.

    Args:
      learned: by fdx.health.learn_recordings.
      workdir: as the user named it.
      worded: turns names of parameters into those that the user knows.
    """
    saved = learned.saved
    baseline = saved.baseline
    sample, about = baseline.sample, baseline.about
    sets = list(dict.fromkeys(f.set for f in baseline.features))
    pieces = f' in {len(sample)} pieces' if len(sample) > len(sample.names) else ''
    channels = baseline.plan.channels if baseline.plan else ()
    rows = [
        ('recordings', f'{len(sample.names)}{pieces}, {baseline.layout.words()}'),
        ('numbers', f'{len(baseline.features)} per recording: {", ".join(sets)} of {_channels(channels)}'),
        ('detector', _detector(learned)),
        ('promised', baseline.promise),
        ('alarm', alarm_words(baseline)),
        ('checked', _checks(about['checks'])),
    ]
    if about.get('rise_checks'):
        rows.append(('rises', _checks(about['rise_checks'])))
    lines = [f'{workdir}: baseline {saved.number}', *(f'  {name:<11}{text}' for name, text in rows)]
    lines += [f'  note       {note}' for note in about['notes']]
    if learned.left_out:
        lines.append(f'left out ({len(learned.left_out)}):')
        lines += [f'  {name}: {why}' for name, why in learned.left_out[:NAMES_SHOWN]]
        more = len(learned.left_out) - NAMES_SHOWN
        lines += [f'  and {more} more; all are named in {saved.path}'] if more > 0 else []
    lines.append(f'next: fdx monitor --baseline={workdir} FILES')
    return worded('\n'.join(lines)) + '\n'


def alarm_words(baseline: Baseline) -> str:
    """What an alarm takes: 'when 2 of the last 3 recordings are beyond the limit and have risen as damage rises'."""
    risen = ' and have risen as damage rises' if baseline.asks_worse else ''
    return f'when {baseline.rule.needed} of the last {baseline.rule.among} recordings are beyond the limit{risen}'


def _channels(names: Sequence[str]) -> str:
    if len(names) == 1:
        return 'one channel'
    return f'{len(names)} channels ({", ".join(names)})' if len(names) <= 6 else f'{len(names)} channels'


def _detector(learned: Learned) -> str:
    name = learned.saved.baseline.detector
    if not learned.judged:
        return name
    scores = {j.detector: (j.roc_auc + j.detected) / 2 for j in learned.judged}
    others = ', '.join(f'{other} {s:.2f}' for other, s in scores.items() if other != name)
    return f'{name}, chosen by faults that were put in: {scores[name]:.2f} ({others})'


def _checks(checks: Sequence[Mapping[str, Any]]) -> str:
    """Promised against measured rates, in words."""
    if not checks:
        return 'too few recordings to measure a rate'
    parts = []
    for check in checks:
        low, high = check['interval']
        held = '' if check['holds'] else ', more than promised: the healthy recordings change over time'
        parts.append(
            f'{100 * check["promised"]:g} % promised, {100 * check["measured"]:.1f} % measured '
            f'({check["exceeded"]} of {check["units"]}; 95 % interval {100 * low:.1f} to {100 * high:.1f} %{held})'
        )
    return 'by leaving out blocks: ' + '; '.join(parts)


def row_text(row: Mapping[str, Any]) -> str:
    """One row of a history as a line; what moved is in healthy standard deviations."""
    name = short_name(row)
    state = row['state']
    if state in (OUTSIDE, UNUSABLE):
        return f'{name}  {state}: {row.get("reason", "")}'
    parts = [f'{name}  {state:<6}  p {p_words(row["p_value"])}']
    if state != NORMAL:
        moved = [m for m in row['moved'][:MOVED_SHOWN] if abs(m['deviations']) >= WORTH_SAYING]
        parts += [', '.join(moved_words(m) for m in moved)] if moved else []
        parts += ['changed, not worse'] if is_otherwise(row) else []
        parts += [verdict_words(row['verdict'])] if row.get('verdict') else []
    if row.get('sensor'):
        parts.append(f'it may be the sensor ({row["sensor"]})')
    return '; '.join(parts)


def is_otherwise(row: Mapping[str, Any]) -> bool:
    """Whether a watched recording has changed without having risen as damage rises."""
    return row['state'] == WATCH and row.get('rise_p') is not None and row['rise_p'] > NOT_RISEN


def p_words(p: float) -> str:
    """A p-value: '0.34', '2e-05', 'below 1e-12'."""
    if p < 1e-12:
        return 'below 1e-12'
    return f'{p:.2g}' if p >= 0.001 else f'{p:.0e}'


def moved_words(moved: Mapping[str, Any]) -> str:
    """A number that moved: '1250 Hz (bands, channel x) +8.1', in healthy standard deviations."""
    of = f', channel {moved["channel"]}' if moved['channel'] else ''
    return f'{moved["what"]} ({moved["set"]}{of}) {moved["deviations"]:+.1f}'


def verdict_words(verdict: Mapping[str, Any]) -> str:
    """What the universal judge says."""
    if verdict['state'] is None:
        return f'the judge cannot tell ({verdict["reason"]})'
    probability = verdict.get('probability')
    sure = '' if probability is None else f' ({100 * probability:.0f} %)'
    return f'the judge says {verdict["state"]}{sure}'


def closing_text(rows: Sequence[Mapping[str, Any]], saved: Saved) -> str:
    """How many recordings were in which state, and since when there is an alarm; '' where there were none."""
    if not rows:
        return ''
    states = [row['state'] for row in rows]
    counts = ', '.join(f'{states.count(s)} {s}' for s in dict.fromkeys(states))
    text = f'{len(rows)} recordings: {counts}'
    judged = [row for row in rows if row['state'] not in (OUTSIDE, UNUSABLE)]
    if judged and judged[-1]['state'] == ALARM:
        first = judged[-1]
        for row in reversed(judged):
            if row['state'] != ALARM:
                break
            first = row
        text += f'; in alarm since {short_name(first)}{_when(first["recorded_at"])}'
    return f'{text} (baseline {saved.number}, promised {saved.baseline.promise})'


def _when(seconds: float | None) -> str:
    return '' if seconds is None else time.strftime(' (%Y-%m-%d %H:%M)', time.localtime(seconds))
