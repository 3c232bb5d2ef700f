"""Writes the page about a machine that an engineer forwards: one HTML file, readable on a phone, printed to PDF.

    python -m launch.report --recording=pump.wav --bearing=skf_6205 --speed_rpm=1772 --out=report.html
    python -m launch.report --recording=pump.csv --sample_rate=20000 --unit=g --machine_group=2 --mounting=rigid
    python -m launch.report --recording=today.wav --healthy=good1.wav,good2.wav --bearing=skf_6205 --speed_rpm=estimate
    python -m launch.report --baseline=pump7 --limit=levels/0/rms=-12 --out=pump7.html

About a recording: the verdict on its bearing with its probability and what speaks against it, the envelope spectrum
with the orders of the bearing's faults over what orders of no fault show, the spectrum with the orders of the shaft,
how both change over the recording, the difference to healthy recordings, the velocity in mm/s with its zone of
ISO 20816-3, faults of the sensor, the quality of the data, and what to do next. Without --bearing or --speed_rpm the
page shows what can be known. A file with several channels has a section for each of the first three; --channel chooses.

A zone is only given where the unit of the samples (--unit, or the file's own), --machine_group (1: above 300 kW,
2: 15 to 300 kW) and --mounting (rigid or flexible) are known.

About a machine that `launch.monitor` follows (--baseline): its state now, the scores with the limits of alarms, the
health index, since when it has changed and how fast the change grows, what moved, what the judge says of the last
unusual recordings, and, with --limit, when a limit will be reached. That is an extrapolation, and the page says so.

The page has no script and needs no other file. A browser prints it to PDF.
"""

from __future__ import annotations

import pathlib
from typing import Any

from absl import flags

from fdx.files import atomic_write_text
from fdx.predict.condition import ESTIMATE, check_positive, checked_speed
from fdx.signal.bearings import BEARINGS, parse_bearing
from fdx.signal.severity import MOUNTINGS
from fdx.signal.shaft_speed import DEFAULT_RANGE_RPM
from fdx.types import ConfigError, Recording

from . import cli
from .format_flags import FORMAT_FLAGS, check_formats, define_format_flags, formats_of_flags
from .known_orders import parse_orders

FLAGS = flags.FLAGS
OF_RECORDINGS = (
    *('bearing', 'speed_rpm', 'low_rpm', 'high_rpm', 'healthy', 'known_orders', 'other_bearing', 'unit'),
    *('machine_group', 'mounting', 'sample_rate', 'variable', 'channel', *FORMAT_FLAGS),
)
OF_BASELINES = ('limit',)
OUT = 'report.html'


def define_flags() -> None:
    """The flags of this program."""
    flags.DEFINE_string('recording', None, 'the file that the page is about')
    flags.DEFINE_string('baseline', None, 'instead: a workdir of launch.baseline, whose history the page is about')
    flags.DEFINE_string(
        'limit',
        None,
        'with --baseline: a limit of the score, or of a feature as SET/CHANNEL/WHAT=NUMBER, for the future',
    )
    flags.DEFINE_string('out', None, f'the page; by default {OUT}')
    flags.DEFINE_string(
        'bearing',
        None,
        f'{", ".join(BEARINGS)}; or pitch_diameter_mm=,ball_diameter_mm=,num_balls=[,contact_angle_deg=]; or '
        'FILE.json:ENTRY',
    )
    flags.DEFINE_string('speed_rpm', None, "speed of the shaft; wins over the file's own; estimate reads it")
    flags.DEFINE_float('low_rpm', DEFAULT_RANGE_RPM[0], 'with --speed_rpm=estimate: the slowest speed it can have')
    flags.DEFINE_float('high_rpm', DEFAULT_RANGE_RPM[1], 'and the fastest, at most 2.5 times that')
    flags.DEFINE_list('healthy', [], 'recordings of the same machine in good order, with the same channels')
    flags.DEFINE_list('known_orders', [], 'orders of vanes, blades or gear meshes, whose lines are no evidence')
    flags.DEFINE_multi_string('other_bearing', [], 'another bearing on the same shaft, as --bearing; repeat it')
    flags.DEFINE_string('unit', '', "of the samples: g, m/s2, mm/s, ...; wins over the file's own")
    flags.DEFINE_integer('machine_group', None, 'of ISO 20816-3: 1 (above 300 kW) or 2 (15 to 300 kW)')
    flags.DEFINE_enum('mounting', '', ['', *MOUNTINGS], 'of the machine on its foundation, for ISO 20816-3')
    flags.DEFINE_float('sample_rate', None, 'rate in Hz for files that carry none; wins, with a warning, over theirs')
    flags.DEFINE_string('variable', None, 'variable of a .mat file, e.g. X105_DE_time')
    flags.DEFINE_string('channel', None, 'channel of files with several, by number from 0 or by name; or several: x,y')
    define_format_flags()


def main(argv) -> None:
    """Writes the page."""
    del argv
    _check_flags()
    out = pathlib.Path(FLAGS.out or OUT)
    atomic_write_text(out, _history_page() if FLAGS.baseline else _page())
    print(f'report: {out}')


def _check_flags() -> None:
    check_positive('sample_rate_hz', FLAGS.sample_rate, 'Hz')
    if bool(FLAGS.recording) == bool(FLAGS.baseline):
        raise ConfigError('either --recording=FILE or --baseline=WORKDIR: name what the page is about')
    other = [name for name in (OF_RECORDINGS if FLAGS.baseline else OF_BASELINES) if FLAGS[name].present]
    if other:
        missing = 'recording' if FLAGS.baseline else 'baseline'
        raise ConfigError(f'--{other[0]} goes with --{missing}: leave it out')
    if FLAGS.speed_rpm != ESTIMATE and (FLAGS['low_rpm'].present or FLAGS['high_rpm'].present):
        raise ConfigError('--low_rpm and --high_rpm go with --speed_rpm=estimate')
    if FLAGS.out and FLAGS.out.endswith('/'):
        raise ConfigError(f'--out={FLAGS.out}: name the file of the page, e.g. report.html')


def _history_page() -> str:
    from fdx.evaluate.machine_report_history import history_page  # noqa: PLC0415
    from fdx.health.course import Limit  # noqa: PLC0415

    return history_page(FLAGS.baseline, Limit.parse(FLAGS.limit) if FLAGS.limit else None, cli.as_flags)


def _page() -> str:
    formats = formats_of_flags()
    check_formats([FLAGS.recording, *FLAGS.healthy], formats)
    # matplotlib and JAX take seconds to load, and errors of flags are told without them.
    from fdx.evaluate.machine_report import recording_page  # noqa: PLC0415
    from fdx.evaluate.machine_report_channel import Machine  # noqa: PLC0415
    from fdx.predict.evidence_of import Knowledge  # noqa: PLC0415

    others = tuple(parse_bearing(text) for text in FLAGS.other_bearing)
    knowledge = Knowledge(parse_orders(FLAGS.known_orders), others)
    machine = Machine(FLAGS.unit, FLAGS.machine_group, FLAGS.mounting, knowledge)
    options = _options()
    recording, *healthy = (_read(path, options, formats) for path in (FLAGS.recording, *FLAGS.healthy))
    return recording_page(recording, machine, healthy, cli.as_flags)


def _options() -> dict[str, Any]:
    """How every file is read."""
    return {
        'sample_rate_hz': FLAGS.sample_rate,
        'variable': FLAGS.variable,
        'channel': FLAGS.channel,
        'bearing': parse_bearing(FLAGS.bearing) if FLAGS.bearing else None,
        'speed_rpm': None if FLAGS.speed_rpm == ESTIMATE else checked_speed(FLAGS.speed_rpm),
    }


def _read(path: str, options: dict[str, Any], formats) -> Recording:
    from fdx.evaluate.machine_report import with_estimated_speed  # noqa: PLC0415
    from fdx.predict.source import read_source  # noqa: PLC0415

    recording = read_source(path, **options, **formats.of(path, [path]))
    if FLAGS.speed_rpm != ESTIMATE:
        return recording
    return with_estimated_speed(recording, (FLAGS.low_rpm, FLAGS.high_rpm))


if __name__ == '__main__':
    define_flags()
    cli.run(main)
