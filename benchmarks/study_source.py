"""The recordings of a study: simulated, public, or a user's own in the layout of the study's rig."""

from __future__ import annotations

import dataclasses
import pathlib

from fdx.data.collection.own import OWN_BUILDERS, OwnRecordings
from fdx.types import ConfigError

from .study_suite import RIG, Source, tasks_of

# Of the files' names: state, speed and load. A folder per state needs no pattern, but then speed and load are unknown.
PATTERN = '{label}_{speed_rpm}_{load}.*'
# The study cuts 32,768 samples at 20,480 Hz, without overlap.
CHUNK_S = 1.6


def source_of(dataset: str, manual_dir: str | None, own: OwnRecordings | None) -> Source:
    """The recordings that are asked about.

    Args:
      dataset: builder/config without a front end, or recordings/NAME.
      manual_dir: folder of raw recordings, None where it was not given.
      own: what the user says of their recordings, where the dataset is recordings/NAME.

    Raises:
      ConfigError: a dataset that the study has no questions for, a folder for simulated recordings, or none for one's
        own.
    """
    source = Source(dataset, own)
    tasks_of(source)
    if source.builder in OWN_BUILDERS:
        if own is None:
            raise ConfigError(f'`dataset`={dataset}: name the folder of your recordings with `manual_dir`')
        return Source(dataset, in_layout(own))
    if source.builder == RIG and manual_dir:
        raise ConfigError(
            f'`manual_dir`={manual_dir}: {dataset} is simulated. Recordings of your own are `dataset`={OWN_BUILDERS[0]}'
            '/NAME (or leave `dataset` out); without `manual_dir` the simulated rig is taken'
        )
    return source


def in_layout(own: OwnRecordings) -> OwnRecordings:
    """A user's recordings with the study's chunks, and its names of files where nothing else is said."""
    spec = own.spec
    if pathlib.Path(spec.source).is_dir() and not spec.pattern:
        spec = dataclasses.replace(spec, pattern=PATTERN)
    window_s = own.window_s or CHUNK_S
    return dataclasses.replace(own, spec=spec, window_s=window_s, hop_s=own.hop_s or window_s)
