"""Flags that say where a user's own recordings lie, for every program that takes `--dataset=recordings/NAME`,
or of a dataset that bearing-datasets has built (`--dataset=bearing_datasets/NAME`).
"""

from __future__ import annotations

import dataclasses
import math

from absl import flags

from fdx.data.collection.columns import number_of
from fdx.data.collection.entry import Shared
from fdx.data.collection.own import BUILDER, OWN_BUILDERS, OwnRecordings
from fdx.data.collection.spec import CollectionSpec
from fdx.types import ConfigError

from .config_flags import define_fields
from .format_flags import FORMAT_FLAGS, Formats, define_format_flags, formats_of_flags

FLAGS = flags.FLAGS
# The flags belong to the program that defines them by calling this module.
flags.disclaim_key_flags()


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecordingsOptions:
    """Where recordings lie and what is known about all of them.

    Attributes:
      recordings: with --dataset=recordings/NAME: a folder with one sub-folder per class, a folder whose file names
        follow --pattern, or a manifest (.csv, .tsv, .xlsx) with the columns file, label, ...; NAME is yours. With
        --dataset=bearing_datasets/NAME: the folder of the built dataset, if it does not lie in --manual_dir.
      pattern: how file names are made, e.g. {speed_rpm}_{label}_{load}.csv; {_} stands for anything.
      label_map: new names of classes as PATTERN=CLASS with commas, e.g. IR*=inner_race,OR*=outer_race; the first
        pattern that fits a label counts.
      label_column: columns of a dataset built by bearing-datasets that make its classes, with commas between them;
        by default fault_type; native_label has the dataset's own names.
      sample_rate: rate of the files that do not tell it, in Hz.
      speed_rpm: speed of the shaft in all recordings whose manifest or name does not tell it; it wins over
        the one in the file.
      bearing: the bearing of all recordings, by name, as pitch_diameter_mm=..,ball_diameter_mm=..,num_balls=.., or
        FILE.json:ENTRY.
      machine: name of the machine that all recordings are of.
      load: load in all recordings, a number in a unit of your own.
      channel: which channel of every file, by number from 0 or by name, or several as x,y,z.
      variable: variable of .mat and .h5 files.
      window_s: seconds of a window; by default what the front end needs.
      hop_s: seconds between windows; by default half a window.
      match_level: bring every window to the same level, so that no class can be told by how loud it is.
    """

    recordings: str = ''
    pattern: str = ''
    label_map: tuple[str, ...] = ()
    label_column: str = ''
    sample_rate: str = ''
    speed_rpm: str = ''
    bearing: str = ''
    machine: str = ''
    load: str = ''
    channel: str = ''
    variable: str = ''
    window_s: str = ''
    hop_s: str = ''
    match_level: bool = False


NAMES = tuple(f.name for f in dataclasses.fields(RecordingsOptions))


def define_recordings_flags() -> None:
    """One flag per field of RecordingsOptions, and those of the files' formats."""
    define_fields(RecordingsOptions)
    define_format_flags()


def given_flags() -> list[str]:
    """Names of the flags about recordings that are given; none where the program has no such flags."""
    return [name for name in (*NAMES, *FORMAT_FLAGS) if name in FLAGS and FLAGS[name].present]


def recordings_of_flags(source: str = '') -> OwnRecordings | None:
    """What the flags of this program say; None where it has no such flags, or none is given.

    Args:
      source: where the recordings lie if --recordings does not say it; '' if only the flag can.
    """
    if 'recordings' not in FLAGS:
        return OwnRecordings.of(source) if source else None
    given, source = given_flags(), FLAGS.recordings or source
    if not source:
        if given:
            raise ConfigError(f'--{given[0]} says something about --recordings=FOLDER_OR_MANIFEST: name that, too')
        return None
    values = {name: FLAGS[name].value for name in NAMES}
    values |= {'recordings': source, 'label_map': tuple(values['label_map'])}
    return own_recordings(RecordingsOptions(**values), formats_of_flags())


def own_recordings(options: RecordingsOptions, formats: Formats) -> OwnRecordings:
    """The recordings that the options describe.

    Raises:
      ConfigError: a number or an entry of the label map that cannot be used.
    """
    shared = Shared(
        sample_rate_hz=_number(options.sample_rate, 'sample_rate_hz', 'sample_rate'),
        speed_rpm=_number(options.speed_rpm, 'speed_rpm', 'speed_rpm'),
        bearing=options.bearing,
        machine=options.machine,
        load=_number(options.load, 'load', 'load'),
        channel=options.channel,
        variable=options.variable or None,
        text_format=formats.text,
        binary_format=formats.binary,
    )
    labels = tuple(map(_renaming, options.label_map))
    spec = CollectionSpec(options.recordings, options.pattern, labels, shared, options.label_column)
    window_s, hop_s = (_number(getattr(options, name), 'stop_s', name) for name in ('window_s', 'hop_s'))
    return OwnRecordings(spec, window_s, hop_s, options.match_level)


def check_own_name(dataset: str) -> None:
    """Refuses --recordings for a dataset of another builder; ConfigError names the form that is right."""
    if dataset.partition('/')[0] not in OWN_BUILDERS:
        raise ConfigError(f'--recordings goes with --dataset={BUILDER}/NAME, where NAME is yours; it is {dataset}')


def _number(text: str, field: str, flag: str) -> float | None:
    value = number_of(text, field, f'--{flag}={text}')
    if value is not None and not math.isfinite(value):
        raise ConfigError(f'--{flag}={text}: a finite number')
    return value


def _renaming(text: str) -> tuple[str, str]:
    pattern, equals, name = text.partition('=')
    if not (pattern.strip() and equals and name.strip()):
        raise ConfigError(f'--label_map={text}: write PATTERN=CLASS, with commas between several')
    return pattern.strip(), name.strip()
