"""Simulated test rigs as fdx records: the study's layout without a download."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import tensorflow_datasets as tfds

from fdx.data.builder import VibrationBuilder, VibrationConfig
from fdx.signal.front_ends import DEFAULT_FRONT_END, front_end_names, reads_orders
from fdx.types import Recording

from .machines import MACHINES, STATES
from .simulator import SAMPLE_RATE_HZ, recordings

SEED = 2023
STUDY_RIG = 'rig_b'
# All machines in one dataset. Each machine is a domain, for transfer from one to another at any load.
ALL_MACHINES = 'machines'
# size: (seconds of a recording, seconds of a window or None for one patch, words)
SIZES = {
    'small': (6.0, None, '120 recordings of 6 s, one window of 0.975 s a block: 600 windows'),
    'long': (24.5, 4.8, '120 recordings of 24.5 s, one window of 4.8 s a block: ten turns of the slowest shaft'),
    'medium': (30.0, 1.6, '120 recordings of 30 s in chunks of 1.6 s: the 2160 samples of the study'),
}


def _config(name: str, size: str, rig: str, front_end: str) -> VibrationConfig:
    suffix = '' if front_end == DEFAULT_FRONT_END else f'-{front_end}'
    words = f'{", ".join(MACHINES)}, each a domain with' if rig == ALL_MACHINES else f'{rig}:'
    return VibrationConfig(
        name=name + suffix,
        description=f'Simulated {words} {SIZES[size][2]}. Front end {front_end}.',
        subset=f'{rig}/{size}',
        front_end=front_end,
        window_s=SIZES[size][1],
    )


def _names() -> list[tuple[str, str, str]]:
    """(config without front end, size, rig) of all configs."""
    names = []
    for size in SIZES:
        names += [(size, size, STUDY_RIG), *((f'{rig}_{size}', size, rig) for rig in MACHINES)]
    return [*names, *((f'{ALL_MACHINES}_{size}', size, ALL_MACHINES) for size in ('small', 'long'))]


class Builder(VibrationBuilder):
    """Simulated bearings in three states, at ten speeds and four load cases, on several machines.

    `small` and `medium` are the study's rig, rig_b (Di Maggio, Sensors 23(1):211, 2023); `rig_a_small` and so on name
    the machine; `machines_small` and `machines_long` hold all of them, with the machine as domain in place of the load
    case. The default front end, vggish, has no suffix in the names; front ends that read orders need the windows of
    `long`. See simulator.py for the physics.
    """

    VERSION = tfds.core.Version('2.0.0')
    RELEASE_NOTES = {
        '1.0.0': 'First release.',
        '1.1.0': 'Records hold the geometry of the bearing.',
        '2.0.0': 'Windows lose what is slower than 2 Hz, dead ones are left out, order spectra are tapered.',
    }
    BUILDER_CONFIGS = [
        _config(*named, front_end)
        for named in _names()
        for front_end in front_end_names(channels=1)
        if named[1] == 'long' or not reads_orders(front_end)
    ]

    def citation(self) -> str:
        """The study whose layout is simulated."""
        return (
            '@article{dimaggio2023intelligent, author={Di Maggio, Luigi Gianpio}, title={Intelligent fault diagnosis '
            'of industrial bearings using transfer learning and CNNs pre-trained for audio classification}, '
            'journal={Sensors}, volume={23}, number={1}, pages={211}, year={2023}}'
        )

    def class_names(self) -> Sequence[str]:
        """The three states."""
        return STATES

    def fault_types(self) -> Sequence[str]:
        """The three states, since the labels are not finer."""
        return STATES

    def common_rate_hz(self) -> float:
        """20,480 Hz, as in the study."""
        return float(SAMPLE_RATE_HZ)

    def recordings(self, dl_manager: tfds.download.DownloadManager) -> Iterable[Recording]:
        """Simulates the machine, the same at every iteration; nothing is downloaded."""
        del dl_manager
        rig, size = self.builder_config.subset.split('/')
        return _Simulated(rig, SIZES[size][0])


class _Simulated:
    """Recordings of one or all machines, simulated again at every iteration to save memory (120 recordings of 30 s)."""

    def __init__(self, rig: str, duration_s: float):
        self._rig, self._duration_s = rig, duration_s

    def __iter__(self) -> Iterator[Recording]:
        every = self._rig == ALL_MACHINES
        for recording in recordings(MACHINES if every else [self._rig], duration_s=self._duration_s, seed=SEED):
            machine = recording.recording.partition('-')[0]
            yield dataclasses.replace(recording, domain=machine) if every else recording
