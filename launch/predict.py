"""Diagnoses raw recordings with a trained run.

    python -m launch.predict --checkpoint=runs/cwru/fold_0 --sample_rate=12000 recordings/*.mat
    python -m launch.predict --checkpoint=runs/soon --channel=AccX,AccY,AccZ motor.csv
    python -m launch.predict --checkpoint=cwru.tflite --sample_rate=12000 recordings/*.mat   (launch.export made it)
    python -m launch.predict --checkpoint=runs/table readings.csv   (a table: one line per row)

To diagnose your own machine without any training, by its bearing's fault orders (files, or a folder of them):

    python -m launch.predict --zero_shot --bearing=skf_6205 --speed_rpm=1772 --sample_rate=12000 recordings/
    python -m launch.predict --zero_shot --speed_rpm=estimate --variable=vibration pump.mat \
        --bearing=pitch_diameter_mm=39.04,ball_diameter_mm=7.94,num_balls=9

The `z_scores` count standard deviations above white noise; the strongest fault is called if it reaches 4.

If a text file is ambiguous, --delimiter, --decimal, --header, --time_column, --time_unit and --columns settle it. The
error of such a file names the flag that is needed:

    python -m launch.predict --checkpoint=runs/cwru/fold_0 --time_unit=ms --columns=acc logger.csv

Reads .mat, .csv, .npy and .wav. Prints JSON lines, one per window and one per recording (mean of the probabilities, and
majority vote), and writes the same to --out. Windows in which the sensor is dead or time is missing do not
vote. A recording with too few other windows has no verdict: `predicted` is null, and `reason` says why.
`outside_training` says how a file differs from the training data (level, unit, speed); such files are named again at
the end. A file that cannot be used is reported, the other files are still diagnosed, and the exit code is 1. In a
folder, hidden files and other formats are skipped and named.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable

from absl import flags, logging

from fdx.files import atomic_write_text
from fdx.predict.condition import ESTIMATE, check_positive, checked_speed
from fdx.predict.load import load_single
from fdx.predict.result import Result
from fdx.predict.verdicts import says_nothing
from fdx.predict.zero_shot import zero_shot
from fdx.signal.bearings import BEARINGS, parse_bearing
from fdx.signal.shaft_speed import DEFAULT_RANGE_RPM, MAX_RANGE
from fdx.types import ConfigError, DataError, FdxError

from . import cli
from .display import progress
from .predict_rows import OF_FILES, closing_lines, json_line, worded
from .raw_paths import recordings_of
from .text_flags import (
    TEXT_FLAGS,
    check_text_flags,
    define_text_flags,
    text_format_for,
    text_format_of_flags,
)

FLAGS = flags.FLAGS
# Flags about signals, which have no meaning for a table of readings.
OF_SIGNALS = ('bearing', 'speed_rpm', 'sample_rate', 'variable', 'channel', 'hop_s', *TEXT_FLAGS)


def define_flags() -> None:
    """The flags of this program."""
    flags.DEFINE_string(
        'checkpoint', None, 'workdir of launch.train (of one fold, where there are several), or a .tflite'
    )
    flags.DEFINE_string('step', 'best', 'which checkpoint: best (by validation), last or a number')
    flags.DEFINE_bool('zero_shot', False, "no checkpoint: diagnose by the bearing's fault orders")
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
    flags.DEFINE_float('window_s', None, 'with --zero_shot: seconds of a window; 0.975, or 20 turns of a slow shaft')
    flags.DEFINE_float('sample_rate', None, 'rate in Hz for files that carry none; wins, with a warning, over theirs')
    flags.DEFINE_string('variable', None, 'variable of a .mat file, e.g. X105_DE_time or bearing.gs')
    flags.DEFINE_string(
        'channel',
        None,
        'channel of files with several, by number from 0 or column name; for a model of several axes all of them in '
        'its order, e.g. AccX,AccY,AccZ',
    )
    define_text_flags()
    flags.DEFINE_float('hop_s', None, 'seconds between windows; by default they follow each other without overlap')
    flags.DEFINE_bool('windows', True, 'whether to print a line for every window, or recordings only')
    flags.DEFINE_string('out', None, 'file for the JSON lines')


def _check_numbers() -> None:
    check_positive('hop_s', FLAGS.hop_s, 'seconds')
    check_positive('sample_rate_hz', FLAGS.sample_rate, 'Hz')
    check_positive('window_s', FLAGS.window_s, 'seconds')
    if FLAGS.window_s is not None and not FLAGS.zero_shot:
        raise ConfigError('--window_s goes with --zero_shot: a checkpoint has windows of its own')
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
    if FLAGS.zero_shot and FLAGS['step'].present:
        raise ConfigError('--step chooses a checkpoint: leave it out with --zero_shot')


def _diagnose() -> Callable[..., Result]:
    """The function that diagnoses a file with its options: by fault orders, or with the predictor of the flags."""
    if FLAGS.zero_shot:
        return functools.partial(zero_shot, window_s=FLAGS.window_s)
    predictor = load_single(FLAGS.checkpoint, FLAGS.step)
    # Checked before the first file, as the error would be the same for all.
    predictor.check_options([name for name in OF_SIGNALS if FLAGS[name].present])
    return predictor.diagnose


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


def _error_row(path: str, error: str) -> dict:
    return {'kind': 'error', 'file': path, 'error': error}


def main(argv) -> int:
    """Diagnoses the files of the command line."""
    files = recordings_of(argv[1:])
    _check_numbers()
    text_format = text_format_of_flags()
    check_text_flags([path for path, _ in files], text_format)
    options = _options()
    diagnose = _diagnose()
    rows, failed, silent = [], 0, 0
    for path, problem in progress(files, desc='files', total=len(files)):
        try:
            if problem:
                raise DataError(problem)
            new = diagnose(path, **options, text_format=text_format_for(path, text_format, argv)).rows()
            silent += says_nothing(new)
        except FdxError as e:
            new = [_error_row(path, cli.as_flags(str(e)))]
        except Exception as e:
            # A defect of fdx or of a library. It counts as this file's error, so that the other files are still
            # diagnosed.
            logging.debug('%s', path, exc_info=True)
            reason = f'{type(e).__name__}: {" ".join(str(e).split())[:300]}'
            new = [_error_row(path, f'{path} cannot be diagnosed ({reason}); --verbosity=1 shows where')]
        failed += any(row['kind'] == 'error' for row in new)
        new = [worded(row, cli.as_flags) for row in new if FLAGS.windows or row['kind'] in OF_FILES]
        for row in new:
            print(json_line(row), flush=True)
        rows += new
    if FLAGS.out:
        atomic_write_text(FLAGS.out, ''.join(json_line(row) + '\n' for row in rows))
    for line in closing_lines(rows):
        print(line, file=sys.stderr)
    return 1 if failed or silent else 0


if __name__ == '__main__':
    define_flags()
    cli.run(main, positional=True)
