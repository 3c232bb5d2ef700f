"""CSV files as SOON's logger writes them, short."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from fdx.datasets.soon.files import FILES

HEADER = 'Timestamp,AccX,AccY,AccZ'


def _times_us(count: int, start_us: int, rng: np.random.Generator) -> np.ndarray:
    """Steps that grow with the digits of the clock (32 us each), with a jitter of 12 us, on a grid of 4 us."""
    times = [start_us]
    noise = 12 * rng.standard_normal(count)
    for i in range(count - 1):
        times.append(times[-1] + 4 * round((1600 + 32 * len(str(times[-1])) + noise[i]) / 4))
    return np.array(times)


def _write_soon(
    path: pathlib.Path, count: int = 3000, *, start_us: int = 2_141_864, hz: float = 44.88, seed: int = 0
) -> pathlib.Path:
    """A tone on X and Z, noise everywhere, gravity on Z."""
    rng = np.random.default_rng(seed)
    times = _times_us(count, start_us, rng)
    tone = np.sin(2 * np.pi * hz * 1e-6 * (times - times[0]))
    values = np.stack([2000 * tone, 0 * tone, 16200 + 2500 * tone], axis=1) + 300 * rng.standard_normal((count, 3))
    rows = np.column_stack([times, np.rint(values)]).astype(np.int64).tolist()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join([HEADER, *(','.join(map(str, row)) for row in rows)]) + '\n')
    return path


@pytest.fixture(scope='session')
def write_soon():
    """Writes one CSV of the logger's form: write_soon(path, count, start_us=, hz=, seed=)."""
    return _write_soon


@pytest.fixture(scope='session')
def soon_files(tmp_path_factory) -> pathlib.Path:
    """Folder of all 30 files, 13 s each (01 to 04: 22 s) with its own tone, and a stranger."""
    folder = tmp_path_factory.mktemp('raw') / 'soon'
    for number, file in FILES.items():
        _write_soon(folder / file.name, 7300 if number > 4 else 12_000, hz=20 + 5 * number, seed=number)
    (folder / 'notes.csv').write_text('a,b\n1,2\n')
    return folder
