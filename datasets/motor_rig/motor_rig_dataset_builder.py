"""The simulated motor bench as fdx records: the tri-axial study's data without a download."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import tensorflow_datasets as tfds

from fdx.data.builder import VibrationBuilder, VibrationConfig
from fdx.signal.front_ends import DEFAULT_TRIAXIAL, create_front_end, front_end_names
from fdx.types import Recording

from .clock import COMMON_RATE_HZ
from .conditions import FAULT_TYPES, SOON_CONDITIONS, STATES, Condition, scenario_names, state_conditions
from .motors import MOTORS
from .simulator import simulate_recording
from .structure import AXES

SEED = 2022
STUDY_MOTOR = 'motor_a'
# The low-pass of the common band reaches 0.22 s to each side, the interpolation in time 0.06 s: with this guard no
# sample of the logger reaches windows of two blocks.
GUARD_S = 0.6


@dataclasses.dataclass(frozen=True)
class Size:
    """The amount of data.

    Attributes:
      duration_s: length of a recording.
      takes: recordings of each condition.
      words: for the description.
    """

    duration_s: float
    takes: int
    words: str


# 22.1 s hold two windows of the study's 1000 samples in each of five blocks, or three that overlap by half.
SIZES = {
    'small': Size(22.1, 1, '4 states of m1, 20 recordings of 22 s: 180 training windows'),
    'medium': Size(22.1, 3, '4 states of m1, 60 recordings of 22 s: 540 training windows'),
}
SOON_DURATION_S = 66.0


def _config(name: str, subset: str, words: str, front_end: str) -> VibrationConfig:
    patch = create_front_end(front_end, COMMON_RATE_HZ).patch_samples(COMMON_RATE_HZ)
    return VibrationConfig(
        name=name if front_end == DEFAULT_TRIAXIAL else f'{name}-{front_end}',
        description=f'Simulated {words}. Front end {front_end}, windows of {patch} samples that overlap by half.',
        subset=subset,
        front_end=front_end,
        # Half a window, rounded up, so that a window does not overlap the next but one.
        hop_s=((patch + 1) // 2) / COMMON_RATE_HZ,
        guard_s=GUARD_S,
    )


def _configs() -> list[VibrationConfig]:
    subsets = [
        (name, f'{motor}/{size}', f'{motor}: {SIZES[size].words}')
        for size in SIZES
        for name, motor in ((size, STUDY_MOTOR), *((f'{motor}_{size}', motor) for motor in MOTORS))
    ]
    subsets.append(('soon', f'{STUDY_MOTOR}/soon', f'{STUDY_MOTOR}: the 30 scenarios of the real data, 66 s each'))
    return [_config(*subset, front_end) for subset in subsets for front_end in front_end_names(len(AXES))]


class Builder(VibrationBuilder):
    """Simulated tri-axial acceleration, in counts of the sensor, of an electric motor m1 on a bench.

    `small` and `medium` have four states of m1 (healthy, imbalance, electrical, both) under five combinations of load
    and background; `motor_a_small`, `motor_b_small` and so on name the motor, and `small` is motor_a's. `soon` has the
    30 scenarios of the real data (Iantovics, Gligor et al., doi 10.5281/zenodo.6473455), one recording and one label
    each. `fault_type` is the state of m1 in the words of the real data, `load` is in Nm, `domain` holds load,
    background and a turned sensor. Resistances of the electrical fault are pooled in the four states. The default
    front end, triaxial_mel, has no suffix in the names. See simulator.py for the physics.
    """

    VERSION = tfds.core.Version('2.0.0')
    RELEASE_NOTES = {
        '1.0.0': 'First release.',
        '1.1.0': 'Records have a field for the geometry of a bearing.',
        '2.0.0': 'Windows lose what is slower than 2 Hz, dead ones are left out, order spectra are tapered.',
    }
    BUILDER_CONFIGS = _configs()

    def citation(self) -> str:
        """The data whose bench is simulated."""
        return (
            '@misc{soon2022data, author={Iantovics and Gligor and others}, title={Electric Motor Vibrations Dataset}, '
            'publisher={Zenodo}, year={2022}, doi={10.5281/zenodo.6473455}}'
        )

    def _subset(self) -> tuple[str, str]:
        motor, size = self.builder_config.subset.split('/')
        return motor, size

    def class_names(self) -> Sequence[str]:
        """The four states, or the 30 scenarios."""
        return scenario_names() if self._subset()[1] == 'soon' else STATES

    def fault_types(self) -> Sequence[str]:
        """States of m1: healthy, mechanical, electrical, combined."""
        return FAULT_TYPES

    def channels(self) -> int:
        """The three axes of the sensor."""
        return len(AXES)

    def channel_names(self) -> Sequence[str]:
        """The axes by the names that files of this kind give them."""
        return ('AccX', 'AccY', 'AccZ')

    def unit(self) -> str:
        """Counts of the sensor."""
        return 'counts'

    def common_rate_hz(self) -> float:
        """512 Hz, as for the real data."""
        return COMMON_RATE_HZ

    def recordings(self, dl_manager: tfds.download.DownloadManager) -> list[Recording]:
        """Simulates the bench, the same at every call; nothing is downloaded."""
        del dl_manager
        motor, size = self._subset()
        duration_s = SOON_DURATION_S if size == 'soon' else SIZES[size].duration_s
        # A list, because each split goes through all recordings, and together they take 13 MB at most.
        return [
            simulate_recording(motor, condition, duration_s=duration_s, seed=SEED, take=take, label=label)
            for condition, take, label in plan(size)
        ]


def plan(size: str) -> list[tuple[Condition, int, str]]:
    """Recordings of a size: (condition, take, label), in order."""
    if size == 'soon':
        labels, takes, seen = scenario_names(), [], []
        for condition in SOON_CONDITIONS:
            seen.append(condition)
            takes.append(seen.count(condition))
        return list(zip(SOON_CONDITIONS, takes, labels, strict=True))
    takes = range(1, SIZES[size].takes + 1)
    return [(condition, take, condition.state) for condition in state_conditions() for take in takes]
