"""Keeps compiled programs between runs, so that the second run of a program on the same shapes compiles nothing.

JAX's persistent cache does the work: files of least recent use go first when the folder is full, and a lock makes it
safe for two programs at once. The folder lies in fdx's cache (FDX_CACHE), apart for each kind of processor, because a
program that was compiled for one may not run on another.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import platform
import sys

from absl import flags

FLAG = 'keep_compiled'
FOLDER = 'compiled'
MOST_BYTES = 2 * 2**30
# Of JAX; programs that compile faster are not worth a file.
LEAST_SECONDS = 0.3


def define_flag() -> None:
    """The flag that turns it off."""
    if FLAG not in flags.FLAGS:
        flags.DEFINE_bool(FLAG, True, 'keep compiled programs in the cache folder of fdx, for the next run')


def keep_compiled() -> pathlib.Path | None:
    """Tells JAX where to keep compiled programs, now or when it is imported; returns the folder.

    None where the user has chosen a folder (JAX_COMPILATION_CACHE_DIR), or where the cache cannot be written: then
    programs are compiled each time.
    """
    if os.environ.get('JAX_COMPILATION_CACHE_DIR') is not None:
        return None
    from fdx.weights.cache import cache_folder  # noqa: PLC0415 (programs that only show their help do without it)

    folder = cache_folder().absolute() / FOLDER / processor()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    if not os.access(folder, os.W_OK):
        return None
    settings = {
        'jax_compilation_cache_dir': str(folder),
        'jax_compilation_cache_max_size': MOST_BYTES,
        'jax_persistent_cache_min_compile_time_secs': LEAST_SECONDS,
    }
    # Processes that this one starts read the environment.
    os.environ |= {name.upper(): str(value) for name, value in settings.items()}
    if 'jax' in sys.modules:
        for name, value in settings.items():
            sys.modules['jax'].config.update(name, value)
    return folder


def processor() -> str:
    """A name for what this processor can execute: its architecture and a digest of its model and abilities."""
    try:
        lines = pathlib.Path('/proc/cpuinfo').read_text(encoding='utf-8', errors='replace').splitlines()
    except OSError:
        lines = [platform.processor()]
    keys = ('model name', 'flags', 'features', 'cpu part')
    known = sorted({line for line in lines if line.lower().startswith(keys)}) or lines[:1]
    return f'{platform.machine()}-{hashlib.sha256(chr(10).join(known).encode()).hexdigest()[:12]}'
