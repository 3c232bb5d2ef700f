"""Builds a dataset with TFDS's own `build` command and flags, without TensorFlow.

    python -m launch.prepare datasets/cwru --config=load0_12k-vggish --manual_dir=recordings
    python -m launch.prepare datasets/bearing_rig --data_dir=data --overwrite
    python -m launch.prepare datasets/motor_maintenance --config=mine --csv=log.csv
    python -m launch.prepare datasets/recordings --config=pumps --recordings=pumps/    (your own: a folder per class)

A config that is already prepared in --data_dir is kept as it is, even if the builder's code or the recordings have
changed since then: pass --overwrite to build it again. Without --config, every config of the dataset is built. If
--manual_dir is not given, the environment variable FDX_RAW_DATA names the folder of recordings.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import pathlib
import sys

import simple_parsing
import tensorflow_datasets as tfds
from absl import app, flags
from etils import epath
from tensorflow_datasets.scripts.cli import build, cli_utils

from fdx.data.csv_tables import check_same_file, csv_config, csv_table
from fdx.data.names import resolve_config
from fdx.data.preparing import RAW_DATA_VARIABLE, check_manual_dir, check_not_half_there, preparing, user_error
from fdx.data.seal import unseal
from fdx.data.source import open_dataset
from fdx.types import ConfigError

from . import prepare_recordings
from .builder_folders import folder_of, load_builder_cls
from .cli import EXIT_ERROR, EXIT_INTERRUPTED
from .flag_words import dataclass_flags, in_commands, in_flags


def _default_manual_dir() -> epath.Path | None:
    folder = os.environ.get(RAW_DATA_VARIABLE)
    return epath.Path(folder) if folder else None


@dataclasses.dataclass(frozen=True, kw_only=True)
class PathOptions(cli_utils.PathOptions):
    """Path options.

    Attributes:
      data_dir: Where prepared datasets lie, as for every program of fdx.
      manual_dir: Folder of recordings that you already have; FDX_RAW_DATA is its default.
      csv: A table of readings, for datasets that are made from one; --config is then a name of your own.
      group_column: Column of that table that names the machine, run or day of each row, and is not a reading.
    """

    data_dir: epath.Path = simple_parsing.field(default=epath.Path('data'))
    manual_dir: epath.Path | None = simple_parsing.field(default_factory=_default_manual_dir)
    csv: str | None = None
    group_column: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class GenerationOptions(cli_utils.GenerationOptions):
    """Generation options.

    Attributes:
      file_format: Format of the shards; only array_record can be read without TensorFlow.
    """

    file_format: str | None = simple_parsing.choice(
        *(file_format.value for file_format in tfds.core.FileFormat), default='array_record'
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Args(build.Args):
    """Flags of TFDS's `build` command, with fdx's defaults."""

    paths: PathOptions = simple_parsing.field(default_factory=PathOptions)
    """Path options."""

    generation: GenerationOptions = simple_parsing.field(default_factory=GenerationOptions)
    """Generation options."""


parse_flags = cli_utils.make_flags_parser(Args, description=in_commands(__doc__))


def main(args: Args) -> int:
    """Builds what the flags name; a user's error is one line on standard error and exit code 1."""
    data_dir = pathlib.Path(args.paths.data_dir).expanduser()
    if not (flags.FLAGS.is_parsed() and flags.FLAGS['verbosity'].present):
        # TFDS warns that every new folder has no dataset_info.json yet; fdx's own warnings have other loggers.
        logging.getLogger('absl').setLevel(logging.ERROR)
    try:
        _build(args, data_dir)
    except KeyboardInterrupt:
        print('error: interrupted', file=sys.stderr)
        return EXIT_INTERRUPTED
    except Exception as e:
        error = user_error(e)
        if error is None:
            raise
        sys.stdout.flush()
        text = in_commands(in_flags(' '.join(str(error).split()), dataclass_flags(Args)))
        print('error:', text, file=sys.stderr)
        return EXIT_ERROR
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


def _build(args: Args, data_dir: pathlib.Path) -> None:
    check_manual_dir(args.paths.manual_dir)
    args = dataclasses.replace(
        args,
        positional_datasets=[folder_of(d) for d in args.positional_datasets],
        datasets=[folder_of(d) for d in args.datasets],
    )
    # With these two flags the datasets are those that other modules have registered: TFDS finds them itself.
    if args.generation.imports or args.automation.exclude_datasets:
        with preparing(data_dir, [], _say):
            args.execute()
        return
    classes = [load_builder_cls(folder) for folder in [*args.positional_datasets, *args.datasets] or ['.']]
    args = _with_whole_config_name(args, classes)
    with preparing(data_dir, [cls.name for cls in classes], _say):
        for builder_cls in classes:
            announce(args, builder_cls)
        args.execute()
        if args.generation.update_metadata_only:
            for builder_cls in classes:
                unseal(data_dir / builder_cls.name)


def _with_whole_config_name(args: Args, classes: list[type[tfds.core.DatasetBuilder]]) -> Args:
    """The same flags, with --config completed by the default front end, or by the file of --csv."""
    config = args.generation.config
    table = csv_table(args.paths.csv, args.paths.group_column)
    if table:
        if len(classes) > 1:
            raise ConfigError(f'--csv={args.paths.csv}: one dataset at a time')
        own = csv_config(classes[0], config or '', table)
        described = json.dumps({'name': own.name, 'csv': own.csv, 'group_column': own.group_column})
        return dataclasses.replace(args, generation=dataclasses.replace(args.generation, config=described))
    if config is None:
        return args
    names = {resolve_config(config, [c.name for c in cls.BUILDER_CONFIGS]) or config for cls in classes}
    if len(names) > 1:
        raise ConfigError(f'--config={config} means {" and ".join(sorted(names))}: build one dataset at a time')
    return dataclasses.replace(args, generation=dataclasses.replace(args.generation, config=names.pop()))


def announce(args: Args, builder_cls: type[tfds.core.DatasetBuilder]) -> None:
    """Checks the config asked for, and says which configs are built and which are prepared already.

    Raises:
      ConfigError: the config does not exist, or with --fail_if_exists it is prepared already.
    """
    generation, debug = args.generation, args.debug
    names = [config.name for config in builder_cls.BUILDER_CONFIGS]
    configs = _requested_configs(builder_cls, names, generation.config, generation.config_idx)
    if not configs:
        configs = names or [None]
        if len(names) > 1:
            print(f'No --config given: building all {len(names)} configs of {builder_cls.name}: {", ".join(names)}')
    if generation.download_only or generation.update_metadata_only or args.automation.experimental_latest_version:
        return
    for config in configs:
        try:
            builder = builder_cls(config=config, data_dir=args.paths.data_dir, file_format=generation.file_format)
        except ValueError as e:
            if 'File format is already set' not in str(e):
                raise
            raise ConfigError(
                f'config {config} of {builder_cls.name} is prepared in {args.paths.data_dir} in another format ({e}); '
                'leave out --file_format, remove its folder or choose another --data_dir'
            ) from e
        if not builder.is_prepared():
            if not debug.overwrite:
                check_not_half_there(builder)
            continue
        if debug.fail_if_exists:
            raise ConfigError(
                f'{builder.data_path} is prepared already; leave out --fail_if_exists or pass --overwrite'
            )
        if args.paths.csv and not debug.overwrite:
            # Otherwise a dataset of other rows with this name would silently be kept.
            name = f'{builder_cls.name}/{builder.builder_config.name}'
            table = csv_table(args.paths.csv, args.paths.group_column)
            check_same_file(open_dataset(name, args.paths.data_dir), table)
        if debug.overwrite:
            print(f'Prepared already, deleted and built again: {builder.data_path}')
        else:
            print(f'Prepared already, kept as it is (--overwrite builds it again): {builder.data_path}')


def _requested_configs(
    builder_cls: type[tfds.core.DatasetBuilder], names: list[str], config: str | None, index: int | None
) -> list[str | tfds.core.BuilderConfig]:
    existing = f'existing ones: {", ".join(names)}' if names else 'this dataset has no configs: leave the flag out'
    if config is not None and index is not None:
        raise ConfigError(f'--config={config} and --config_idx={index} are both given; give one of them')
    if index is not None:
        if not 0 <= index < len(names):
            raise ConfigError(f'{builder_cls.name} has no config number {index} (from 0); {existing}')
        return [names[index]]
    if config is None:
        return []
    if config.startswith('{') and names:
        try:
            return [builder_cls.builder_config_cls(**json.loads(config))]
        except (json.JSONDecodeError, TypeError) as e:
            raise ConfigError(f'--config={config} does not describe a config of {builder_cls.name}: {e}') from e
    if config not in names:
        raise ConfigError(f'{builder_cls.name} has no config {config!r}; {existing}')
    return [config]


if __name__ == '__main__':
    # Own recordings are described by flags that TFDS's command does not have.
    if prepare_recordings.is_asked_for(sys.argv):
        sys.modules['__main__'].__doc__ = prepare_recordings.__doc__
        prepare_recordings.run()
    else:
        app.run(main, flags_parser=parse_flags)
