"""Learns what a machine in good order looks like, from healthy recordings alone.

    python -m launch.baseline --recordings=healthy/ --workdir=pump7
    python -m launch.baseline --recordings=logs/ --workdir=pump7 --pattern='{speed_rpm}_{load}.csv' --sample_rate=20000
    python -m launch.baseline --recordings=healthy.csv --workdir=fan2 --bearing=skf_6205 --false_alarm_every_days=90

Where some of the recordings are labelled normal (a folder of that name, or a manifest), only these are read. At least
twenty are needed, and five per operating state (speed and load); with fewer, --piece_s=0.25 cuts each into pieces that
stand for recordings. Recordings that are not like the others (a fault among them) are named and left out. The baseline
is checked by leaving out one block of consecutive recordings after the other, and the rate of false alarms that it can
promise is printed, with what was measured beside it. It is written to WORKDIR/baselines, older ones are kept.

A level that changes with a sensor's gain or unit, and not with the machine, is no fault: --features=shape,impacts
reads no levels. Where the healthy recordings drift from first to last, as of a machine that runs in, an alarm takes
recordings that have risen as damage rises, and what only changes is watched (--alarm_on). Then monitor what comes:

    python -m launch.monitor --baseline=pump7 monday/*.wav
"""

from __future__ import annotations

import functools
import logging as stdlib_logging

from absl import flags

from fdx.health.detectors import DETECTORS
from fdx.health.feature_plan import FEATURE_SETS
from fdx.health.learn import ALARMS, BY_DRIFT, Settings
from fdx.health.learn_recordings import AUTO, Options, learn_recordings
from fdx.health.text import baseline_text
from fdx.health.wish import Rule, Wish
from fdx.predict.condition import check_positive
from fdx.types import ConfigError

from . import cli
from .config_flags import define_fields
from .display import progress
from .format_flags import define_format_flags, formats_of_flags
from .recordings_flags import RecordingsOptions, own_recordings

FLAGS = flags.FLAGS
# Of windows, which are not cut here, and of classes, of which there is one.
NOT_HERE = ('window_s', 'hop_s', 'match_level', 'label_column')


def define_flags() -> None:
    """The flags of this program."""
    define_fields(RecordingsOptions, skip=(*NOT_HERE, 'recordings'))
    flags.DEFINE_string(
        'recordings', '', 'healthy recordings of one machine: a folder, or a manifest (.csv, .tsv, .xlsx) of files'
    )
    define_format_flags()
    flags.DEFINE_string('workdir', None, 'folder of this machine, for its baseline and the history of its monitor')
    flags.DEFINE_list(
        'features',
        [],
        'sets of numbers that are read of a recording, by default bands and impacts, and shaft and orders where speed, '
        'bearing and length allow: ' + '; '.join(f'{name}: {words}' for name, words in FEATURE_SETS.items()),
    )
    flags.DEFINE_string('checkpoint', '', 'workdir of a run of your own: how its network sees a recording is read, too')
    flags.DEFINE_enum(
        'detector', AUTO, [AUTO, *DETECTORS], 'auto: the one that best tells faults that are put into the recordings'
    )
    flags.DEFINE_float('piece_s', None, 'seconds of pieces that stand for recordings, where there are fewer than 20')
    flags.DEFINE_float('false_alarm_every_days', 30.0, 'a false alarm may come once in so many days')
    flags.DEFINE_float('recordings_per_day', 24.0, 'how many recordings will be monitored per day')
    flags.DEFINE_string('alarm_after', '2of3', 'MofN: an alarm takes M of the last N recordings; 1of1: a single one')
    flags.DEFINE_enum(
        'alarm_on',
        BY_DRIFT,
        ALARMS,
        'worse: an alarm takes unusual recordings that have risen as damage rises; others are watched. unusual: any. '
        'auto: worse where the healthy recordings drift from first to last, else unusual',
    )
    flags.DEFINE_bool('keep_odd', False, 'keep recordings that are not like the others, too')
    flags.DEFINE_integer('seed', 0, 'of detectors that draw, and of the faults that are put in', lower_bound=0)


def main(argv) -> None:
    """Learns the baseline."""
    # What readers notice is often the same for hundreds of files.
    for room in ('fdx.data.raw', 'fdx.signal'):
        stdlib_logging.getLogger(room).setLevel(stdlib_logging.ERROR)
    if not FLAGS.recordings:
        raise ConfigError('--recordings=FOLDER_OR_MANIFEST is needed: healthy recordings of one machine')
    if not FLAGS.workdir:
        raise ConfigError('--workdir=FOLDER is needed: the folder of this machine, e.g. --workdir=pump7')
    check_positive('piece_s', FLAGS.piece_s, 'seconds')
    values = {name: FLAGS[name].value for name in RecordingsOptions.__dataclass_fields__ if name not in NOT_HERE}
    values |= {'label_map': tuple(values['label_map'])}
    spec = own_recordings(RecordingsOptions(**values), formats_of_flags()).spec
    options = Options(
        tuple(FLAGS.features),
        FLAGS.piece_s,
        FLAGS.keep_odd,
        FLAGS.detector,
        Settings(
            wish=Wish(FLAGS.false_alarm_every_days, FLAGS.recordings_per_day),
            rule=Rule.parse(FLAGS.alarm_after),
            seed=FLAGS.seed,
            alarm_on=FLAGS.alarm_on,
        ),
        FLAGS.checkpoint,
    )
    learned = learn_recordings(spec, FLAGS.workdir, options, progress=functools.partial(progress, desc='recordings'))
    print(baseline_text(learned, FLAGS.workdir, cli.as_flags), end='')


if __name__ == '__main__':
    define_flags()
    cli.run(main)
