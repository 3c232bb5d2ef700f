"""Prepares a dataset of your own recordings: launch.prepare with datasets/recordings.

    python -m launch.prepare datasets/recordings --config=pumps --recordings=pumps/      (a folder per class)
    python -m launch.prepare datasets/recordings --config=bench --recordings=bench/ \
        --pattern='{speed_rpm}_{label}.csv' --sample_rate=20kHz
    python -m launch.prepare datasets/recordings --config=bench-fault_orders --recordings=manifest.csv
    python -m launch.prepare datasets/bearing_datasets --config=cwru --channel=DE --manual_dir=built/

--config is a name of your own, with a front end behind it if you wish. Of datasets that bearing-datasets has built it
is the package's name, and --manual_dir is the folder in which they lie (by default the package's own). Run again, it
makes a new version if files or manifest have changed, and nothing otherwise. Every program that takes
--dataset=recordings/NAME or --dataset=bearing_datasets/NAME has the same flags and does this on demand.
"""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

from absl import flags

from fdx.data.collection.own import BUILDER, OWN_BUILDERS
from fdx.data.source import open_dataset
from fdx.types import ConfigError

from . import cli
from .prepare_on_demand import prepare_if_missing
from .recordings_flags import define_recordings_flags

FLAGS = flags.FLAGS


def is_asked_for(argv: Sequence[str]) -> bool:
    """Whether a command line of launch.prepare names datasets/recordings or datasets/bearing_datasets."""
    return any(not word.startswith('-') and pathlib.Path(word).name in OWN_BUILDERS for word in argv[1:])


def define_flags() -> None:
    """The flags of this program."""
    define_recordings_flags()
    flags.DEFINE_string('config', None, 'name of the dataset: NAME, or NAME-FRONT_END', required=True)
    flags.DEFINE_string('data_dir', 'data', 'folder of prepared datasets')
    flags.DEFINE_string('manual_dir', None, 'folder of the datasets that bearing-datasets has built')


def main(argv: Sequence[str]) -> None:
    """Prepares it and says what it holds."""
    if len(argv) != 2:
        raise ConfigError(f'{" ".join(argv[1:])}: one dataset at a time, datasets/{BUILDER}')
    builder = pathlib.Path(argv[1]).name
    if builder == BUILDER:
        if FLAGS.manual_dir:
            raise ConfigError(f'--manual_dir={FLAGS.manual_dir} is for datasets/bearing_datasets; say --recordings')
        if not FLAGS.recordings:
            raise ConfigError('--recordings=FOLDER_OR_MANIFEST says where the recordings lie')
    name = prepare_if_missing(f'{builder}/{FLAGS.config}', FLAGS.data_dir, FLAGS.manual_dir, renew=True)
    data = open_dataset(name, FLAGS.data_dir)
    recordings = len(set(data.table['recording']))
    print(f'{data.name}: {len(data)} windows of {recordings} recordings, classes {", ".join(data.class_names())}')
    chosen = name.partition(':')[0]
    print(cli.as_flags(f'train on it: python -m launch.train --dataset={chosen} --workdir=runs/{FLAGS.config}'))


def run() -> None:
    """Parses the flags and runs `main`."""
    define_flags()
    cli.run(main, positional=True)
