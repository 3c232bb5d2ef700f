"""Says whether a machine is still as its baseline knows it: score, state and what changed, recording by recording.

    python -m launch.monitor --baseline=pump7 monday/*.wav
    python -m launch.monitor --baseline=pump7 --manifest=monday.csv          (file, speed_rpm, load, variable, ...)
    python -m launch.monitor --baseline=pump7 --cut_s=60 night.wav           (a long file: one row per minute)
    python -m launch.monitor --baseline=pump7 --watch incoming/
    python -m launch.monitor --baseline=pump7 --export=history.csv
    python -m launch.monitor --baseline=pump7 --reset_from=2024-03-01        (after maintenance)

launch.baseline has made the folder pump7 of healthy recordings. Files are read as those were, in the order in which
they are named; a folder in the order of the dates or numbers in its names. Each gets a p-value: how often a machine in
good order reads as unusual as this. One unusual recording is watched; an alarm takes several (2 of 3, as the baseline
says), at a limit with the rate of false alarms that the baseline promises, and ends when as many recordings in a row
are calm. Beside it stand the bands, orders and channels that moved, in healthy standard deviations, and what the judge
of launch.predict --zero_shot says where bearing and speed are known (--judge). A speed or load that the baseline has
not seen is no alarm but `outside operating range`.

Every content of a file is one row of pump7/history.sqlite, also when programs run side by side or are killed; files
that have a row are shown again with --again. The exit code is 1 if a file could not be used.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from absl import flags, logging

from fdx.files import to_jsonable
from fdx.health.baseline_file import load_baseline
from fdx.health.dates import in_time, parse_date
from fdx.health.export import check_export, export_history
from fdx.health.history import History
from fdx.health.known import JUDGE, Known
from fdx.health.monitor import Monitor
from fdx.health.relearn import relearn
from fdx.health.states import UNUSABLE
from fdx.health.text import closing_text, row_text
from fdx.health.watch import watch
from fdx.predict.condition import check_positive
from fdx.predict.watch_settings import Settings
from fdx.types import ConfigError

from . import cli
from .display import progress
from .predict_watch import ended_by_signals
from .raw_paths import recordings_of

FLAGS = flags.FLAGS
OF_WATCH = ('settle_s', 'poll_s', 'watch_for_s', 'once')


def define_flags() -> None:
    """The flags of this program."""
    flags.DEFINE_string('baseline', None, 'folder of this machine, which launch.baseline has made')
    flags.DEFINE_string(
        'manifest',
        None,
        'a table of recordings (.csv, .tsv, .xlsx) in place of FILES, with the columns file, speed_rpm and load, and, '
        'where a file holds several, variable, channel, start_s and stop_s',
    )
    flags.DEFINE_float('speed_rpm', None, 'speed of the shaft in all these files; it wins over their own')
    flags.DEFINE_float('load', None, 'load in all these files; it wins over their own')
    flags.DEFINE_string('variable', None, 'signal of .mat, HDF5 and TDMS files; by default as the baseline was read')
    flags.DEFINE_string('channel', None, 'channel of files with several; by default as the baseline was read')
    flags.DEFINE_float('sample_rate', None, 'rate in Hz; wins, with a note, over that of the files and the baseline')
    flags.DEFINE_float('cut_s', None, 'cut long files into recordings of so many seconds, each with a row of its own')
    flags.DEFINE_enum(
        'judge',
        JUDGE[0],
        JUDGE,
        'when the universal judge is asked, which takes half a second: of an unusual recording where none of the last '
        'five was asked about, of each unusual one, of all, of none',
    )
    flags.DEFINE_bool('recursive', False, 'whether to search the folders in a folder, too')
    flags.DEFINE_enum('format', None, ['text', 'json'], 'of standard output; by default text on a terminal')
    flags.DEFINE_bool('again', False, 'show files that have a row already, too')
    flags.DEFINE_string('export', None, 'write the whole history to a file: history.csv or history.parquet')
    flags.DEFINE_string(
        'reset_from',
        None,
        'learn a new baseline from the recordings since this date: 2024-03-01 or 2024-03-01T14:30',
    )
    flags.DEFINE_bool('watch', False, 'stay and score files as they arrive in the folders; Ctrl-C ends it')
    flags.DEFINE_float('settle_s', 2.0, 'with --watch: a file is read when it was left alone for so many seconds')
    flags.DEFINE_float('poll_s', 1.0, 'with --watch: seconds between two looks at the folders')
    flags.DEFINE_float('watch_for_s', None, 'with --watch: end after so many seconds')
    flags.DEFINE_bool('once', False, 'with --watch: end when the files that are there are done, e.g. for cron')


def _check_flags(names: list[str]) -> None:
    if not FLAGS.baseline:
        raise ConfigError('--baseline=FOLDER is needed: the --workdir of launch.baseline')
    given = [name for name in OF_WATCH if FLAGS[name].present]
    if given and not FLAGS.watch:
        raise ConfigError(f'--{given[0]} goes with --watch')
    check_positive('speed_rpm', FLAGS.speed_rpm, 'turns per minute')
    if FLAGS.export:
        check_export(FLAGS.export)
    if FLAGS.manifest and names:
        raise ConfigError(f'--manifest={FLAGS.manifest} names the files: leave out {names[0]}')
    if FLAGS.manifest and FLAGS['cut_s'].present:
        raise ConfigError('--cut_s goes with files: the manifest says by start_s and stop_s which stretches there are')
    if FLAGS.watch and FLAGS.manifest:
        raise ConfigError('--manifest names files that are there: leave out --watch')
    if FLAGS.reset_from and (names or FLAGS.watch or FLAGS.manifest):
        raise ConfigError('--reset_from learns from the history: score files in a call of their own')
    if not (names or FLAGS.manifest or FLAGS.export or FLAGS.reset_from):
        raise ConfigError('no files: name recordings, or a folder of them, after the flags')


class _Shown:
    """Prints rows as they come, and counts them."""

    def __init__(self) -> None:
        self._as_json = FLAGS.format == 'json' if FLAGS.format else not sys.stdout.isatty()
        self.rows: list[dict[str, Any]] = []
        self.before = 0

    def __call__(self, row: dict[str, Any], new: bool) -> None:
        self.before += not new
        if not new and not FLAGS.again:
            return
        self.rows.append({k: v for k, v in row.items() if k != 'rows'})
        text = json.dumps(to_jsonable(self.rows[-1])) if self._as_json else cli.as_flags(row_text(row))
        print(text, flush=True)

    def end(self, monitor: Monitor) -> int:
        """The closing lines; returns the exit code."""
        if self.before and not FLAGS.again:
            print(f'{self.before} files have a row already (--again shows them)', file=sys.stderr)
        if not self._as_json and self.rows:
            print(closing_text(self.rows, monitor.saved))
        return 1 if any(row['state'] == UNUSABLE for row in self.rows) else 0


def main(argv) -> int:
    """Scores the files of the command line, or those that arrive in its folders."""
    names = argv[1:]
    _check_flags(names)
    code = 0
    if FLAGS.reset_from:
        saved = relearn(FLAGS.baseline, parse_date(FLAGS.reset_from, 'reset_from'))
        print(
            f'{FLAGS.baseline}: baseline {saved.number} of {len(saved.baseline.sample.names)} recordings since '
            f'{FLAGS.reset_from}; promised {saved.baseline.promise}; the older ones are kept'
        )
        for note in saved.baseline.about['notes']:
            print(f'note: {note}')
        for name, why in saved.baseline.about['left_out']:
            print(f'left out: {name}: {why}')
    if names or FLAGS.manifest:
        code = _monitor(names)
    if FLAGS.export:
        load_baseline(FLAGS.baseline)  # Its absence has the better message.
        with History(FLAGS.baseline) as history:
            export_history(FLAGS.export, history.rows())
    return code


def _monitor(names: list[str]) -> int:
    known = Known(
        FLAGS.speed_rpm, FLAGS.load, FLAGS.judge, FLAGS.variable, FLAGS.channel, FLAGS.sample_rate, FLAGS.cut_s
    )
    shown = _Shown()
    with Monitor(FLAGS.baseline, known) as monitor:
        if FLAGS.watch:
            _watch(names, monitor, shown)
        elif FLAGS.manifest:
            for entry in progress(monitor.incoming.manifest(FLAGS.manifest), desc='files'):
                shown(*monitor.file(entry.files[0], entry))
        else:
            for file, problem in progress(_files(names), desc='files'):
                if problem:
                    raise ConfigError(problem)
                for entry in monitor.incoming.recordings(file):
                    shown(*monitor.file(file, entry))
        return shown.end(monitor)


def _files(names: list[str]) -> list[tuple[str, str]]:
    """Files as they are named, those of a folder in the order of time."""
    found: list[tuple[str, str]] = []
    for name in names:
        files = recordings_of([name], recursive=FLAGS.recursive, leave_out=[FLAGS.baseline])
        found += [files[i] for i in in_time([file for file, _ in files])]
    return found


def _tell(name: str, why: str) -> None:
    logging.warning('%s: skipped (%s)', name, why)


def _watch(folders: list[str], monitor: Monitor, shown: _Shown) -> None:
    settings = Settings(
        folders=tuple(folders),
        workdir=FLAGS.baseline,
        recursive=FLAGS.recursive,
        settle_s=FLAGS.settle_s,
        poll_s=FLAGS.poll_s,
        once=FLAGS.once,
        for_s=FLAGS.watch_for_s,
    )
    with ended_by_signals() as stop:
        unsettled = watch(
            monitor, settings, shown, stop, tell=lambda name, why: logging.warning('%s: skipped (%s)', name, why)
        )
    if settings.once and unsettled:
        print(f'{unsettled} files are still being written; the next run takes them', file=sys.stderr)


if __name__ == '__main__':
    define_flags()
    cli.run(main, positional=True)
