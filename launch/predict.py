"""Diagnoses raw recordings with a trained run.

    python -m launch.predict --checkpoint=runs/cwru/fold_0 --sample_rate=12000 recordings/*.mat
    python -m launch.predict --checkpoint=runs/soon --channel=AccX,AccY,AccZ motor.csv
    python -m launch.predict --checkpoint=cwru.tflite --sample_rate=12000 recordings/*.mat   (launch.export made it)
    python -m launch.predict --checkpoint=runs/table readings.csv   (a table: one line per row)

To diagnose a machine that fdx has never seen, without any training (files, or a folder of them):

    python -m launch.predict --zero_shot --bearing=skf_6205 --speed_rpm=1772 --sample_rate=12000 recordings/
    python -m launch.predict --zero_shot --speed_rpm=estimate --variable=vibration pump.mat \
        --bearing=pitch_diameter_mm=39.04,ball_diameter_mm=7.94,num_balls=9

The evidence at the bearing's fault orders is judged by a network that has seen ten thousand simulated machines. It
corrects the stated speed by up to 8 % where the recording says so, and may answer that it cannot tell. What else turns
there is no evidence if you name it: --known_orders=7,23 (vanes, gear teeth), --other_bearing=skf_6203 (repeat it), and
--healthy=good1.wav,good2.wav (the same machine in good order).

If a text file is ambiguous, --delimiter, --decimal, --header, --time_column, --time_unit and --columns settle it. The
error of such a file names the flag that is needed:

    python -m launch.predict --checkpoint=runs/cwru/fold_0 --time_unit=ms --columns=acc logger.csv

A folder of new files, as a table on the terminal, and for others as CSV and as a page; then the files that come later:

    python -m launch.predict --checkpoint=runs/mine new/ --out=new.csv,new.html
    python -m launch.predict --checkpoint=runs/mine --watch --workdir=runs/watch incoming/

Prints a table on a terminal, else JSON lines, one per window and one per recording (mean of the probabilities, and
majority vote); --format chooses. Windows in which the sensor is dead or time is missing do not vote, and neither do
those that are `unlike_training`: their spectra are further from all training windows than those of other recordings of
that machine are (`distance` above 1). With --noabstain the latter vote, and the file has a warning. A recording with
too few other windows has no verdict: `predicted` is null, and `reason` says why. `outside_training` says how a file
differs from the training data (level, unit, speed); such files are named again at the end. A file that cannot be used
is reported, the other files are still diagnosed, and the exit code is 1. In a folder, hidden files and other formats
are skipped and named.

--watch keeps a journal in its --workdir and diagnoses each content of a file once, also when it was killed in between.
It ends by Ctrl-C, SIGTERM, --once or --watch_for_s.
"""

from __future__ import annotations

import sys
from typing import Any

from absl import flags

from fdx.predict.asking import Asked, Task
from fdx.predict.built import each_recording
from fdx.predict.condition import ESTIMATE, check_positive, checked_speed
from fdx.predict.workers import default_workers, diagnosing
from fdx.signal.bearings import BEARINGS, parse_bearing
from fdx.signal.shaft_speed import DEFAULT_RANGE_RPM, MAX_RANGE
from fdx.types import ConfigError

from . import cli
from .display import progress
from .format_flags import FORMAT_FLAGS, check_formats, define_format_flags, formats_of_flags
from .known_orders import parse_orders
from .predict_outputs import TABLE, Printer, define_output_flags, format_of_flags, out_files, write_files
from .predict_rows import OF_FILES, closing_lines, rows_of
from .predict_watch import check_watch_flags, define_watch_flags, watch_folders
from .raw_paths import recordings_of

FLAGS = flags.FLAGS
# Flags about signals, which have no meaning for a table of readings.
# Flags that only a diagnosis without a checkpoint reads.
OF_ZERO_SHOT = ('known_orders', 'other_bearing', 'healthy', 'tachometer', 'pulses_per_turn')
OF_SIGNALS = ('bearing', 'speed_rpm', 'sample_rate', 'variable', 'channel', 'hop_s', *FORMAT_FLAGS)


def define_flags() -> None:
    """The flags of this program."""
    flags.DEFINE_string(
        'checkpoint', None, 'workdir of launch.train (of one fold, where there are several), or a .tflite'
    )
    flags.DEFINE_string('step', 'best', 'which checkpoint: best (by validation), last or a number')
    flags.DEFINE_bool('zero_shot', False, "no checkpoint: judge the evidence at the bearing's fault orders")
    flags.DEFINE_list(
        'known_orders', None, 'with --zero_shot: orders of vanes, blades or gear meshes, whose lines are no evidence'
    )
    flags.DEFINE_multi_string(
        'other_bearing', None, 'with --zero_shot: another bearing on the shaft, described as --bearing; may be repeated'
    )
    flags.DEFINE_list('healthy', None, 'with --zero_shot: files of the same machine in good order')
    flags.DEFINE_string('tachometer', None, 'with --zero_shot: channel of pulses in the same file')
    flags.DEFINE_integer('pulses_per_turn', 1, 'of the tachometer, a whole number', lower_bound=1)
    flags.DEFINE_string(
        'bearing',
        None,
        f'for front ends that read fault orders: {", ".join(BEARINGS)}; or pitch_diameter_mm=,ball_diameter_mm=,'
        'num_balls=[,contact_angle_deg=]; or FILE.json:ENTRY',
    )
    flags.DEFINE_string(
        'speed_rpm', None, "speed of the shaft; wins over the file's own; estimate reads it from the signal"
    )
    flags.DEFINE_float('low_rpm', DEFAULT_RANGE_RPM[0], 'with --speed_rpm=estimate: the slowest speed it can have')
    flags.DEFINE_float('high_rpm', DEFAULT_RANGE_RPM[1], 'and the fastest, at most 2.5 times that')
    flags.DEFINE_float('sample_rate', None, 'rate in Hz for files that carry none; wins, with a warning, over theirs')
    flags.DEFINE_string('variable', None, 'variable of a .mat file, e.g. X105_DE_time or bearing.gs')
    flags.DEFINE_string(
        'channel',
        None,
        'channel of files with several, by number from 0 or column name; for a model of several axes all of them in '
        'its order, e.g. AccX,AccY,AccZ',
    )
    define_format_flags()
    flags.DEFINE_float('hop_s', None, 'seconds between windows; by default they follow each other without overlap')
    flags.DEFINE_bool(
        'abstain',
        True,
        'whether what is unlike anything in training has no vote, and --zero_shot may not be able to tell',
    )
    flags.DEFINE_bool('recursive', False, 'whether to search the folders in a folder, too')
    flags.DEFINE_integer('workers', None, 'number of processes; by default one per core from 64 files on, else 1')
    define_output_flags()
    define_watch_flags()


def _check_numbers() -> None:
    check_positive('hop_s', FLAGS.hop_s, 'seconds')
    check_positive('sample_rate_hz', FLAGS.sample_rate, 'Hz')
    given = [name for name in OF_ZERO_SHOT if FLAGS[name].present]
    if given and not FLAGS.zero_shot:
        raise ConfigError(f'--{given[0]} goes with --zero_shot: a checkpoint has learned what its machine is like')
    if FLAGS.speed_rpm != ESTIMATE and (FLAGS['low_rpm'].present or FLAGS['high_rpm'].present):
        raise ConfigError('--low_rpm and --high_rpm go with --speed_rpm=estimate')
    low, high = FLAGS.low_rpm, FLAGS.high_rpm
    if FLAGS.speed_rpm == ESTIMATE and not 0 < low < high <= MAX_RANGE * low * (1 + 1e-9):
        raise ConfigError(
            f'--low_rpm={low:g} and --high_rpm={high:g}: both are above 0, and the highest is above the lowest and at '
            f'most {MAX_RANGE:g} times it'
        )
    if FLAGS.zero_shot == bool(FLAGS.checkpoint):
        raise ConfigError('either --checkpoint=WORKDIR of a trained run, or --zero_shot with --bearing and --speed_rpm')
    if FLAGS.zero_shot and not FLAGS.bearing:
        raise ConfigError('--zero_shot needs --bearing: fault orders follow from its geometry')
    if FLAGS.zero_shot and FLAGS.hop_s is not None:
        raise ConfigError('--hop_s goes with --checkpoint: --zero_shot judges a recording as a whole')
    if FLAGS.zero_shot and FLAGS['step'].present:
        raise ConfigError('--step chooses a checkpoint: leave it out with --zero_shot')


def _asked() -> Asked:
    """Who diagnoses."""
    if FLAGS.zero_shot:
        told = (
            ('known_orders', parse_orders(FLAGS.known_orders)),
            ('other_bearings', tuple(parse_bearing(text) for text in FLAGS.other_bearing or ())),
            ('healthy', tuple(FLAGS.healthy or ())),
            ('tachometer', FLAGS.tachometer),
            ('pulses_per_turn', FLAGS.pulses_per_turn),
        )
        return Asked(zero_shot=told, abstain=FLAGS.abstain)
    given = tuple(name for name in OF_SIGNALS if FLAGS[name].present)
    return Asked(FLAGS.checkpoint, FLAGS.step, options=given, abstain=FLAGS.abstain)


def _model() -> str:
    """Who diagnoses, in words."""
    return (
        f'the universal judge, bearing {FLAGS.bearing}'
        if FLAGS.zero_shot
        else f'{FLAGS.checkpoint} (step {FLAGS.step})'
    )


def _options() -> dict:
    """Options that hold for every file."""
    return {
        'sample_rate_hz': FLAGS.sample_rate,
        'variable': FLAGS.variable,
        'channel': FLAGS.channel,
        'hop_s': FLAGS.hop_s,
        'bearing': parse_bearing(FLAGS.bearing) if FLAGS.bearing else None,
        'speed_rpm': checked_speed(FLAGS.speed_rpm),
        'speed_range_rpm': (FLAGS.low_rpm, FLAGS.high_rpm) if FLAGS.speed_rpm == ESTIMATE else None,
    }


def main(argv) -> int:
    """Diagnoses the files of the command line, or those that arrive in its folders."""
    check_watch_flags()
    out = out_files()
    files = [] if FLAGS.watch else recordings_of(argv[1:], recursive=FLAGS.recursive, leave_out=out)
    _check_numbers()
    formats = formats_of_flags()
    if not FLAGS.watch:
        check_formats([path for path, _ in files], formats)
    options, asked = _options(), _asked()

    def options_of(path: str) -> dict[str, Any]:
        return {**options, **formats.of(path, argv)}

    def rows_for(outcome):
        return rows_of(outcome, cli.as_flags, FLAGS.windows)

    if FLAGS.watch:
        said = {**options, 'text_format': formats.text, 'binary_format': formats.binary}
        return watch_folders(argv[1:], asked, options_of, said, rows_for, _model())
    tasks = each_recording(Task(path, options_of(path), problem) for path, problem in files)
    form, failed = format_of_flags(), 0
    kept: list[dict[str, Any]] = []
    printer = Printer(form)
    workers = default_workers(len(tasks), asked) if FLAGS.workers is None else FLAGS.workers
    with diagnosing(asked, workers) as crew:
        for outcome in progress(crew.run(tasks), desc='files', total=len(tasks)):
            failed += outcome.failed
            rows = rows_for(outcome)
            printer.show(rows)
            kept += rows if out else [row for row in rows if row['kind'] in OF_FILES]
    printer.end()
    write_files(out, kept, _model())
    if form != TABLE:  # There they are beside each file.
        for line in closing_lines(kept):
            print(line, file=sys.stderr)
    return 1 if failed else 0


if __name__ == '__main__':
    define_flags()
    cli.run(main, positional=True)
