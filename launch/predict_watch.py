"""`fdx predict --watch`: files are diagnosed as they arrive in folders."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from absl import flags, logging

from fdx.predict.asking import Asked, Outcome
from fdx.predict.watch import Watch
from fdx.predict.watch_settings import Settings
from fdx.predict.workers import MANY_FILES
from fdx.types import ConfigError

from .display import progress
from .predict_outputs import Printer, format_of_flags

FLAGS = flags.FLAGS
flags.disclaim_key_flags()

OF_WATCH = ('workdir', 'settle_s', 'poll_s', 'watch_for_s', 'once')


def define_watch_flags() -> None:
    """--watch and what goes with it."""
    flags.DEFINE_bool('watch', False, 'stay and diagnose files as they arrive in the folders; Ctrl-C ends it')
    flags.DEFINE_string(
        'workdir', None, 'with --watch: folder for its journal and for predictions.jsonl, predictions.csv, page.html'
    )
    flags.DEFINE_float('settle_s', 2.0, 'with --watch: a file is read when it was left alone for so many seconds')
    flags.DEFINE_float('poll_s', 1.0, 'with --watch: seconds between two looks at the folders')
    flags.DEFINE_float('watch_for_s', None, 'with --watch: end after so many seconds')
    flags.DEFINE_bool('once', False, 'with --watch: end when the files that are there are done, e.g. for cron')


def check_watch_flags() -> None:
    """Refuses flags of --watch without it, and --watch without a workdir."""
    given = [name for name in OF_WATCH if FLAGS[name].present]
    if given and not FLAGS.watch:
        raise ConfigError(f'--{given[0]} goes with --watch')
    if FLAGS.watch and not FLAGS.workdir:
        raise ConfigError('--watch needs --workdir=FOLDER, where it keeps what it has done')
    if FLAGS.watch and FLAGS.out:
        raise ConfigError('--out: --watch writes predictions.jsonl, predictions.csv and page.html into its --workdir')


def watch_folders(
    folders: Sequence[str],
    asked: Asked,
    options_of: Callable[[str], dict[str, Any]],
    options: dict[str, Any],
    rows_of: Callable[[Outcome], list[dict[str, Any]]],
    model: str,
) -> int:
    """Watches folders as the flags say; returns the exit code: 1 if a file could not be used, else 0."""
    settings = Settings(
        folders=tuple(folders),
        workdir=FLAGS.workdir,
        recursive=FLAGS.recursive,
        settle_s=FLAGS.settle_s,
        poll_s=FLAGS.poll_s,
        once=FLAGS.once,
        for_s=FLAGS.watch_for_s,
        workers=FLAGS.workers,
    )
    watch = Watch(settings, asked, options_of, options=options, rows_of=rows_of, model=model, tell=_tell)
    printer = Printer(format_of_flags(), as_they_come=True)
    with ended_by_signals() as stop:
        watch.run(printer.show, stop, _bar)
    if settings.once and watch.unsettled:
        print(f'{watch.unsettled} files are still being written; the next run takes them', file=sys.stderr)
    return 1 if watch.failed else 0


def _tell(name: str, why: str) -> None:
    logging.warning('%s: skipped (%s)', name, why)


def _bar(outcomes, total: int):
    return progress(outcomes, desc='files', total=total) if total >= MANY_FILES else outcomes


@contextlib.contextmanager
def ended_by_signals() -> Iterator[Callable[[], bool]]:
    """Within it, SIGINT and SIGTERM ask the watch to end; a second one ends it at once."""
    came: list[int] = []
    before: dict[int, Any] = {}

    def ask(number, frame):
        came.append(number)
        for each, handler in before.items():
            signal.signal(each, handler)

    for name in ('SIGINT', 'SIGTERM'):
        with contextlib.suppress(ValueError):  # Only the main thread has signals.
            before[getattr(signal, name)] = signal.signal(getattr(signal, name), ask)
    try:
        yield lambda: bool(came)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
