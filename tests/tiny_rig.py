"""bearing_rig in small, for tests of whole runs: 6 recordings of 5 windows, the healthy ones taken at 48 kHz."""

from __future__ import annotations

import contextlib
import functools
import pathlib
import sys
from collections.abc import Iterator

import pytest

from fdx.data.prepare import prepare_if_missing
from fdx.datasets.bearing_rig import bearing_rig_dataset_builder
from fdx.datasets.bearing_rig.simulator import recordings as all_recordings
from fdx.types import Recording

RATE_HZ = 20480.0
WINDOW, GUARD = 19967, 2048
DURATION_S = (5 * WINDOW + 4 * GUARD) / RATE_HZ
# With this length a block is one window, so that windows start at multiples of one hop.
HOP_S = (WINDOW + GUARD) / RATE_HZ
WIDTH = 0.03125
CLASSES = ['normal', 'inner_race', 'outer_race']


@functools.cache
def _machine(name: str, seed: int) -> tuple[Recording, ...]:
    """Two speeds, one load case; simulated once, as every split of every config asks for them."""
    found = []
    for state_is_healthy, rate_hz in ((True, 48000.0), (False, RATE_HZ)):
        options = {'speeds': (457.0, 997.0), 'load_cases': (0,), 'duration_s': DURATION_S, 'sample_rate_hz': rate_hz}
        found += [r for r in all_recordings([name], seed=seed, **options) if (r.label == 'normal') == state_is_healthy]
    return tuple(found)


def recordings(machines: list[str], *, duration_s: float = 0.0, seed: int = 2023) -> Iterator[Recording]:
    """Stands for the simulator's `recordings`."""
    del duration_s
    for machine in machines:
        yield from _machine(machine, seed)


@contextlib.contextmanager
def small_bearing_rig() -> Iterator[None]:
    """Within it, datasets/bearing_rig simulates `recordings`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bearing_rig_dataset_builder, 'recordings', recordings)
        yield


def prepare(data_dir: pathlib.Path, *configs: str) -> None:
    """Prepares configs of bearing_rig, in small."""
    with small_bearing_rig():
        for config in configs:
            prepare_if_missing(f'bearing_rig/{config}', str(data_dir), None)
    assert 'tensorflow' not in sys.modules
