"""The tables of a report about one channel."""

from __future__ import annotations

from fdx.evaluate.machine_report_against import state_words
from fdx.evaluate.machine_report_channel import Channel
from fdx.evaluate.machine_report_figures import FAULT_COLOURS, FAULT_WORDS
from fdx.evaluate.machine_report_levels import Levels
from fdx.predict.zero_shot_diagnosis import ZeroShotDiagnosis


def level_rows(channel: Channel, sound: list[Levels]) -> list[tuple[str, str, str]]:
    """(what, now, among the healthy recordings) of each plain number."""
    levels = channel.levels
    if levels is None:
        return []
    unit = f' ({channel.unit})' if channel.unit else ''
    shown = [
        (f'RMS{unit}', 'rms', '.4g'),
        (f'peak{unit}', 'peak', '.4g'),
        ('crest factor (noise: about 4)', 'crest', '.1f'),
        ('kurtosis (noise: 3)', 'kurtosis', '.1f'),
    ]
    if levels.velocity_mm_s is not None:
        shown.append(('velocity 10 to 1000 Hz (mm/s RMS)', 'velocity_mm_s', '.2f'))
    rows = []
    for name, field, form in shown:
        usual = [v for v in (getattr(one, field) for one in sound) if v is not None]
        span = _range([f'{v:{form}}' for v in usual])
        rows.append((name, f'{getattr(levels, field):{form}}', span))
    return rows


def fault_rows(channel: Channel) -> list[dict[str, str]]:
    """One row per fault: its order, where it was found, and how far its lines stand out; [] without evidence."""
    found, sound = channel.diagnosis, channel.healthy_z
    if found is None or found.searched is None:
        return []
    shaft_hz = found.searched.speed.speed_rpm / 60
    return [
        {
            'name': FAULT_WORDS[name],
            'colour': FAULT_COLOURS[name],
            'order': f'{row["order"]:.3f}',
            'hz': f'{row["found_at"] * shaft_hz:.1f}',
            'found_at': f'{row["found_at"]:.3f}',
            'z': f'{row["z"]:.1f}',
            'healthy': _range([f'{v:.1f}' for v in sound[:, i].tolist()]) if len(sound) else '',
            'apart': f'{row["z_apart"]:.1f}',
            'harmonics': ', '.join('–' if v is None else f'{v:.1f}' for v in row['harmonics']),
        }
        for i, (name, row) in enumerate(found.evidence.items())
    ]


def probabilities(found: ZeroShotDiagnosis | None) -> list[tuple[str, str, float]]:
    """(state, probability in words, in per cent), the most probable first."""
    ranked = sorted((found.probabilities or {}).items() if found is not None else (), key=lambda pair: -pair[1])
    return [(state_words(state), f'{p:.0%}', 100 * p) for state, p in ranked]


def _range(texts: list[str]) -> str:
    """'0.1 to 0.3' of numbers as they are shown, '0.1' where there is one; '' of none."""
    ends = [min(texts, key=float), max(texts, key=float)] if texts else []
    return ' to '.join(dict.fromkeys(ends))
