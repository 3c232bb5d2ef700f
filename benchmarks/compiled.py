"""Compiled programs of a study's many short runs: kept on the disk, and forgotten before memory maps run out."""

from __future__ import annotations

import pathlib

import jax

# XLA maps every program into memory; a run of a study adds some 800 maps, and Linux lets a process hold 65,530. Past
# that, compiling fails with 'LLVM compilation error: Cannot allocate memory'.
SHARE_OF_MAPS = 1 / 3
_LIMIT, _MAPS = pathlib.Path('/proc/sys/vm/max_map_count'), pathlib.Path('/proc/self/maps')


def keep_compiled(folder: pathlib.Path) -> None:
    """Keeps compiled programs in `folder`, unless the user has set another one: to compile takes longer than a run."""
    if not jax.config.jax_compilation_cache_dir:
        jax.config.update('jax_compilation_cache_dir', str(folder.absolute()))
        jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.2)


def forget_many() -> None:
    """Forgets compiled programs where they use up a third of what the system lets a process map."""
    if _crowded():
        jax.clear_caches()


def _crowded() -> bool:
    """Whether many maps are in use; True where the system does not say."""
    try:
        return _MAPS.read_bytes().count(b'\n') > SHARE_OF_MAPS * int(_LIMIT.read_text())
    except (OSError, ValueError):
        return True
