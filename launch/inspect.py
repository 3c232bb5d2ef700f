"""Says what recordings are, what they can show, and which shortcuts would tell their classes by accident.

    python -m launch.inspect recordings/                                     (one folder per class)
    python -m launch.inspect bench/ --pattern='{speed_rpm}_{label}_{load}.csv' --sample_rate=20000
    python -m launch.inspect manifest.csv --html=inspection.html --json=inspection.json
    python -m launch.inspect --dataset=recordings/mine                       (prepared: what is left after preparation)

For each file: format, rate, duration, level, peaks, clipping, dead stretches, wild samples, quantisation step, noise
floor, band, and the speed that stands out beside the stated one. For all of them: classes, copies, the protocols and
front ends that fit, with the reason where they do not, and the audit of shortcuts: bias, level, rate, duration, step,
noise floor, band, format, speed, load, dates and order of the files, each asked alone whether it tells the classes
apart. Files that cannot be read are named, and the others are inspected all the same. The exit code is 1 if a finding
is an error.
"""

from __future__ import annotations

import functools
import logging as stdlib_logging

from absl import flags

from fdx.files import write_json
from fdx.inspect.finding import ERROR
from fdx.inspect.inspection import Inspection, inspect_source
from fdx.inspect.page import write_page
from fdx.inspect.text import MAX_ROWS, inspection_text
from fdx.types import ConfigError

from . import cli
from .config_flags import define_fields
from .display import progress
from .format_flags import FORMAT_FLAGS, define_format_flags, formats_of_flags
from .recordings_flags import RecordingsOptions, own_recordings

FLAGS = flags.FLAGS
# Of windows, which an inspection does not cut.
NOT_HERE = ('window_s', 'hop_s', 'match_level')


def define_flags() -> None:
    """The flags of this program."""
    define_fields(RecordingsOptions, skip=NOT_HERE)
    define_format_flags()
    flags.DEFINE_string('dataset', '', 'a prepared dataset instead of files, e.g. recordings/mine')
    flags.DEFINE_string('data_dir', 'data', 'folder of prepared datasets')
    flags.DEFINE_string('json', None, 'file for everything that was found')
    flags.DEFINE_string('html', None, 'file for the same as a page')
    flags.DEFINE_integer('rows', MAX_ROWS, 'most rows of a table on the terminal', lower_bound=1)
    flags.DEFINE_integer('seed', 0, "of the audit's folds and relabellings", lower_bound=0)


def main(argv) -> int:
    """Inspects what the command line names."""
    # What readers notice is a finding; on the terminal it would stand before everything else, once per file.
    for room in ('fdx.data.raw', 'fdx.signal'):
        stdlib_logging.getLogger(room).setLevel(stdlib_logging.ERROR)
    found = _inspect(argv[1:])
    if FLAGS.json:
        write_json(FLAGS.json, found.to_dict())
    if FLAGS.html:
        write_page(FLAGS.html, found, cli.as_flags)
    print(inspection_text(found, rows=FLAGS.rows, worded=cli.as_flags), end='')
    return 1 if any(f.severity == ERROR for f in found.found) else 0


def _inspect(sources: list[str]) -> Inspection:
    bar = functools.partial(progress, desc='recordings')
    if FLAGS.dataset:
        given = [n for n in (*_names(), *FORMAT_FLAGS) if FLAGS[n].present]
        if sources or given:
            what = sources[0] if sources else f'--{given[0]}'
            raise ConfigError(f'--dataset={FLAGS.dataset} is prepared already: leave out {what}')
        # TFDS takes seconds to import, and files are inspected without it.
        from fdx.inspect.prepared import inspect_dataset  # noqa: PLC0415

        return inspect_dataset(FLAGS.dataset, FLAGS.data_dir, progress=bar, seed=FLAGS.seed)
    sources = [*sources, *([FLAGS.recordings] if FLAGS.recordings else [])]
    if len(sources) != 1:
        many = f' ({len(sources)} are named)' if sources else ''
        raise ConfigError(f'name one folder or manifest to inspect{many}, or --dataset=NAME of a prepared dataset')
    values = {name: FLAGS[name].value for name in _names()}
    values |= {'recordings': sources[0], 'label_map': tuple(values['label_map'])}
    spec = own_recordings(RecordingsOptions(**values), formats_of_flags()).spec
    return inspect_source(spec, progress=bar, seed=FLAGS.seed)


def _names() -> list[str]:
    return [name for name in RecordingsOptions.__dataclass_fields__ if name not in NOT_HERE]


if __name__ == '__main__':
    define_flags()
    cli.run(main, positional=True)
