"""Diagnoses raw recordings with a trained run.

    python -m launch.predict --checkpoint=runs/cwru/fold_0 --sample_rate=12000 recordings/*.mat
    python -m launch.predict --checkpoint=runs/soon --channel=AccX,AccY,AccZ motor.csv

Reads .mat, .csv, .npy and .wav. Prints JSON lines, one a window and one a recording (mean of the probabilities, and
majority vote), and writes the same to --out. Files that cannot be used are reported and the others still done; the
exit code is then 1.
"""

from __future__ import annotations

import json
import math
import pathlib

from absl import flags

from fdx.evaluate.diagnose import diagnose_file
from fdx.evaluate.predictor import Predictor
from fdx.evaluate.scoring import run_folders
from fdx.files import atomic_write_text
from fdx.types import ConfigError, FdxError
from launch import cli
from launch.display import progress

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this program."""
    flags.DEFINE_string('checkpoint', None, 'workdir of launch.train (of one fold, where there are several)')
    flags.DEFINE_string('step', 'best', 'which checkpoint: best (by validation), last or a number')
    flags.DEFINE_float('sample_rate', None, 'rate in Hz for files that carry none; wins, with a warning, over theirs')
    flags.DEFINE_string('variable', None, 'variable of a .mat file, e.g. X105_DE_time or bearing.gs')
    flags.DEFINE_string(
        'channel',
        None,
        'channel of files with several, by number from 0 or column name; for a model of several axes all of them in '
        'its order, e.g. AccX,AccY,AccZ',
    )
    flags.DEFINE_float('hop_s', None, 'seconds between windows; by default they follow each other without overlap')
    flags.DEFINE_bool('windows', True, 'whether to print a line for every window, or recordings only')
    flags.DEFINE_string('out', None, 'file for the JSON lines')
    flags.mark_flag_as_required('checkpoint')


def main(argv) -> int:
    """Diagnoses the files of the command line."""
    files = argv[1:]
    if not files:
        raise ConfigError('no files: name recordings after the flags')
    folders = run_folders(FLAGS.checkpoint)
    if folders != [pathlib.Path(FLAGS.checkpoint)]:
        raise ConfigError(f'--checkpoint={FLAGS.checkpoint} holds several folds: choose one, e.g. {folders[0]}')
    if FLAGS.hop_s is not None and not (math.isfinite(FLAGS.hop_s) and FLAGS.hop_s > 0):
        raise ConfigError(f'--hop_s={FLAGS.hop_s}: a number of seconds above 0')
    if FLAGS.sample_rate is not None and not (math.isfinite(FLAGS.sample_rate) and FLAGS.sample_rate > 0):
        raise ConfigError(f'--sample_rate={FLAGS.sample_rate}: a number of Hz above 0')
    predictor = Predictor(FLAGS.checkpoint, FLAGS.step)
    rows, failed = [], 0
    for path in progress(files, desc='files', total=len(files)):
        try:
            diagnosis = diagnose_file(
                predictor,
                path,
                sample_rate_hz=FLAGS.sample_rate,
                variable=FLAGS.variable,
                channel=FLAGS.channel,
                hop_s=FLAGS.hop_s,
            )
            new = [r for r in diagnosis.rows() if FLAGS.windows or r['kind'] == 'recording']
        except FdxError as e:
            failed += 1
            new = [{'kind': 'error', 'file': path, 'error': str(e)}]
        for row in new:
            print(json.dumps(row), flush=True)
        rows += new
    if FLAGS.out:
        atomic_write_text(FLAGS.out, ''.join(json.dumps(r) + '\n' for r in rows))
    return 1 if failed else 0


if __name__ == '__main__':
    define_flags()
    cli.run(main, positional=True)
