"""A report about one recording of a machine: one HTML page that stands alone and can be forwarded.

page = recording_page(recording, Machine(unit='g', machine_group=2, mounting='rigid'))
"""

from __future__ import annotations

import dataclasses
import math
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.figure import Figure

from fdx.evaluate import machine_report_figures as figures
from fdx.evaluate import machine_report_words as words
from fdx.evaluate.canvas import figure_to_data_uri
from fdx.evaluate.html import fill_template
from fdx.evaluate.machine_report_channel import Channel, Machine, look_at
from fdx.evaluate.machine_report_levels import Levels, levels_of, usable_part
from fdx.evaluate.machine_report_tables import fault_rows, level_rows, probabilities
from fdx.evaluate.words import counted, duration
from fdx.predict.condition import ESTIMATE, with_condition
from fdx.signal.severity import check_machine
from fdx.signal.shaft_speed import DEFAULT_RANGE_RPM
from fdx.types import ConfigError, DataError, Recording

TEMPLATE = 'machine_report.html.j2'
# With pictures: each channel has five, and a page is to stay below 2 MB.
MOST_CHANNELS = 3
NOTHING_KNOWN = Machine()
CAPTIONS = {
    'waveform': 'The samples as they were read.',
    'spectrum': 'The whole spectrum, and its lower end. Vertical lines: multiples of the shaft; dotted: the mains.',
    'spectrum_without_speed': 'The whole spectrum, and its lower end.',
    'envelope': (
        'What repeats in the strength of the vibration, as the strikes of a damaged bearing do. Coloured lines: where '
        'the first three harmonics of each fault were looked for and found best. Grey band: how high lines reach at '
        'orders where no part of this bearing can leave any. A fault stands clearly above the band, at several '
        'harmonics.'
    ),
    'envelope_without_bearing': 'What repeats in the strength of the vibration; without a bearing, no line has a name.',
    'waterfall': 'The same over the length of the recording. Lines that stay in place belong to an even speed.',
    'difference': 'Third octaves against the median of the healthy recordings, and the range of these.',
}


def recording_page(
    recording: Recording,
    machine: Machine = NOTHING_KNOWN,
    healthy: Sequence[Recording] = (),
    worded: Callable[[str], str] = str,
) -> str:
    """The report about a recording.

    Args:
      recording: samples [T] or [T, C] as they were read; with its speed and bearing, the bearing is judged.
      machine: what else is known.
      healthy: recordings of the same machine in good order, with the same channels.
      worded: turns parameters in backticks into flags.

    Returns:
      HTML without script, other files or network.

    Raises:
      ConfigError: a machine group or mounting that is not known, or healthy recordings with other channels.
      DataError: the samples have no numbers or no rate.
    """
    _check(recording, machine, healthy)
    channels = []
    for number, one in enumerate(_channels_of(recording)[:MOST_CHANNELS]):
        sound = tuple(_channels_of(other)[number] for other in healthy)
        channels.append((look_at(one, machine, sound, _name(recording, number)), sound))
    return fill_template(
        TEMPLATE,
        numbered=False,
        title=pathlib.PurePath(recording.source or recording.recording).name,
        facts=_facts(recording),
        left_out=_count(recording) - len(channels),
        sections=[_section(channel, sound) for channel, sound in channels],
        worded=worded,
        captions=CAPTIONS,
        version=version(),
    )


def with_estimated_speed(recording: Recording, speed_range_rpm: tuple[float, float] = DEFAULT_RANGE_RPM) -> Recording:
    """A recording with the speed that it shows, or with a note where it shows none: its page is then without orders.

    Raises:
      ConfigError: a range that cannot be searched.
    """
    try:
        return with_condition(recording, ESTIMATE, None, speed_range_rpm)
    except DataError as e:
        note = str(e).removeprefix(f'{recording.source or recording.recording}: ')
        return dataclasses.replace(recording, notes=(*recording.notes, note))


def _check(recording: Recording, machine: Machine, healthy: Sequence[Recording]) -> None:
    source = recording.source or recording.recording
    if recording.samples.ndim not in (1, 2) or not recording.samples.size:
        raise DataError(f'{source}: samples have shape {recording.samples.shape}; [time] or [time, channels] is needed')
    if machine.machine_group is not None or machine.mounting:
        check_machine(machine.machine_group or 2, machine.mounting or 'rigid')
    for other in healthy:
        if _count(other) != _count(recording):
            name = other.source or other.recording
            raise ConfigError(
                f'`healthy`: {name} has {counted(_count(other), "channel")}, {source} has {_count(recording)}: choose '
                'one with `channel`'
            )


def _count(recording: Recording) -> int:
    return 1 if recording.samples.ndim == 1 else recording.samples.shape[1]


def _name(recording: Recording, number: int) -> str:
    names = recording.channel_names
    return names[number] if len(names) == _count(recording) else str(number)


def _channels_of(recording: Recording) -> list[Recording]:
    x = recording.samples.reshape(len(recording.samples), -1)
    names = recording.channel_names
    return [
        dataclasses.replace(
            recording, samples=x[:, c : c + 1], channel_names=(names[c],) if len(names) == x.shape[1] else ()
        )
        for c in range(x.shape[1])
    ]


def _facts(recording: Recording) -> str:
    """What the recording is, in one line."""
    parts = [
        duration(recording.duration_s),
        f'{recording.sample_rate_hz:g} Hz',
        counted(_count(recording), 'channel'),
        f'{recording.speed_rpm:g} rpm' if math.isfinite(recording.speed_rpm) else 'speed not known',
        'bearing not known' if recording.geometry is None else _bearing(recording),
    ]
    return ', '.join(parts)


def _bearing(recording: Recording) -> str:
    g = recording.geometry
    return '' if g is None else f'bearing with {g.num_balls} rolling elements (BPFO {g.bpfo:.3f}, BPFI {g.bpfi:.3f})'


def _section(channel: Channel, healthy: tuple[Recording, ...]) -> dict[str, Any]:
    """What the template shows of one channel."""
    sound = [levels for levels in (_levels(one, channel.unit) for one in healthy) if levels is not None]
    pictures = {name: figure_to_data_uri(figure) for name, figure in _figures(channel, sound).items()}
    return {
        'name': channel.name,
        'verdict': words.verdict_of(channel),
        'steps': words.next_steps(channel),
        'severity': words.severity_words(channel),
        'zone': channel.severity.zone if channel.severity else '',
        'quality': words.quality_of(channel),
        'rms': f'{channel.levels.rms:.4g}' if channel.levels else '',
        'levels': level_rows(channel, sound),
        'healthy': len(sound),
        'compared': len(channel.healthy_z),
        'faults': fault_rows(channel),
        'probabilities': probabilities(channel.diagnosis),
        'pictures': pictures,
        'caption_of': {name: CAPTIONS[_caption(name, channel)] for name in pictures},
    }


def _caption(picture: str, channel: Channel) -> str:
    if picture == 'spectrum' and not math.isfinite(channel.speed_rpm):
        return 'spectrum_without_speed'
    if picture == 'envelope' and (channel.diagnosis is None or channel.diagnosis.searched is None):
        return 'envelope_without_bearing'
    return picture


def _figures(channel: Channel, sound: list[Levels]) -> dict[str, Figure]:
    found = {'waveform': figures.waveform(channel)}
    if channel.spectrum is not None:
        found['spectrum'] = figures.spectrum(channel)
    if channel.envelope is not None:
        found['envelope'] = figures.envelope(channel)
    if channel.order_map is not None:
        found['waterfall'] = figures.waterfall(channel)
    if channel.levels is not None and sound:
        change = figures.difference(channel.levels, sound)
        if change is not None:
            found['difference'] = change
    return found


def _levels(recording: Recording, unit: str) -> Levels | None:
    part = usable_part(recording)
    return None if part.samples is None else levels_of(part.samples, recording.sample_rate_hz, unit)


def version() -> str:
    """Of fdx."""
    import fdx  # noqa: PLC0415  The package is complete only once this room is imported.

    return fdx.__version__
