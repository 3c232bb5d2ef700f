"""Names of datasets: builder/config:version, where the config may leave out its front end."""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

from fdx.names import check_name
from fdx.signal.front_ends import DEFAULT_FRONT_END, DEFAULT_TRIAXIAL


class DatasetName(NamedTuple):
    """The parts of `builder/config:version`; config and version are '' where they are not given."""

    builder: str
    config: str
    version: str


def parse_dataset_name(name: str) -> DatasetName:
    """Splits a dataset's name into its parts, each of which must be valid as the name of a folder.

    Raises:
      ConfigError: a part is not valid as the name of a folder, see `fdx.names.check_name`.
    """
    path, colon, version = name.partition(':')
    builder, slash, config = path.partition('/')
    said = f'`dataset`={ascii(name)[1:-1]}'
    check_name(builder, said)
    if slash:
        check_name(config, f'{said}, its config')
    if colon:
        check_name(version, f'{said}, its version')
    return DatasetName(builder, config, version)


def resolve_config(config: str, known: Container[str]) -> str | None:
    """The config that a user means.

    Args:
      config: as given, e.g. `load0_12k-vggish` or, in short, `load0_12k`.
      known: names of the configs that exist.

    Returns:
      `config` itself where it exists, else the one with the default front end for one channel (`load0_12k-vggish`)
      or for several (`all-triaxial_mel`); None where none exists.
    """
    candidates = (config, f'{config}-{DEFAULT_FRONT_END}', f'{config}-{DEFAULT_TRIAXIAL}') if config else ()
    return next((c for c in candidates if c in known), None)
