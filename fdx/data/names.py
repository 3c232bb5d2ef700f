"""Names of dataset configs: a config may be named without its front end."""

from __future__ import annotations

from collections.abc import Container

from fdx.signal.front_ends import DEFAULT_FRONT_END, DEFAULT_TRIAXIAL


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
