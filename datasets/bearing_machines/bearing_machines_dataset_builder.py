"""Simulated machines as fdx records: one recording, one image of evidence each."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import tensorflow_datasets as tfds

from fdx.data.blocks import DEFAULT_GUARD_S, Windowing
from fdx.data.builder import AnyRecording, VibrationBuilder, VibrationConfig
from fdx.data.left_out import LeftOut
from fdx.data.prepared import RecordSpec
from fdx.data.simulated import Machines, machine_records
from fdx.signal.evidence_front_end import EVIDENCE_VERSION, NAME, Evidence
from fdx.simulate.draw import draw_machine
from fdx.simulate.machine import SIMULATOR_VERSION, STATES
from fdx.simulate.signal import simulate
from fdx.types import Recording

# Machines are drawn at many rates; this one stands in the metadata and decides nothing.
RATE_HZ = 20000.0
# name: (machines, words). The seeds are far apart from those of tests.
SIZES = {
    'universal': (Machines(18_001, 0, 10_000), 'what the universal judge learns from'),
    'calibration': (Machines(18_002, 0, 2_000), 'what its probabilities are calibrated on'),
    'small': (Machines(18_003, 0, 400), 'a quick look'),
}


@dataclasses.dataclass(kw_only=True)
class MachinesConfig(VibrationConfig):
    """A set of machines.

    Attributes:
      machines: which ones.
      workers: processes that simulate; None: one per core. The dataset does not depend on it.
    """

    machines: Machines = Machines(18_003, 0, 400)
    workers: int | None = dataclasses.field(default=None, compare=False, repr=False)


def _config(name: str, machines: Machines, words: str) -> MachinesConfig:
    return MachinesConfig(
        name=f'{name}-{NAME}',
        description=f'{machines.count} simulated machines with seed {machines.seed}: {words}.',
        subset=name,
        front_end=NAME,
        with_waveform=False,
        machines=machines,
    )


class Builder(VibrationBuilder):
    """Simulated machines with random bearings, speeds, structures, sensors and faults, one recording each.

    See fdx.simulate for the physics. Records hold no waveform; `fdx.simulate.simulate(draw_machine(seed, index))` makes
    it again. `speed_rpm` is the true speed, while the image was made with what the name plate says, as a user would
    have it. Split them by_recording: every machine has one recording.
    """

    VERSION = tfds.core.Version(f'1.{SIMULATOR_VERSION}.{EVIDENCE_VERSION}')
    RELEASE_NOTES = {str(VERSION): 'The second number is the version of the simulator, the third that of the evidence.'}
    BUILDER_CONFIGS = [_config(name, *of) for name, of in SIZES.items()]

    def class_names(self) -> Sequence[str]:
        """The five states."""
        return STATES

    def fault_types(self) -> Sequence[str]:
        """The states, since the labels are not finer."""
        return STATES

    def common_rate_hz(self) -> float:
        """A nominal rate, since every machine has its own."""
        return RATE_HZ

    def more_metadata(self) -> dict:
        """What was drawn."""
        return {'simulator_version': SIMULATOR_VERSION, 'machines': dataclasses.asdict(self.builder_config.machines)}

    def record_spec(self) -> RecordSpec:
        """One image per recording, whatever its length."""
        second = round(RATE_HZ)
        windowing = Windowing(second, second, round(DEFAULT_GUARD_S * RATE_HZ))
        return RecordSpec(Evidence(), RATE_HZ, windowing, with_waveform=False)

    def recordings(self, dl_manager: tfds.download.DownloadManager) -> Iterable[Recording]:
        """Simulates one machine after the other; nothing is downloaded."""
        del dl_manager
        machines = self.builder_config.machines
        for index in range(machines.first, machines.first + machines.count):
            yield simulate(draw_machine(machines.seed, index))

    def _examples(self, recordings: Iterable[AnyRecording], left_out: LeftOut) -> Iterator[tuple[str, dict]]:
        """The machines are simulated again instead of `recordings`, because only their numbers go to processes."""
        del recordings, left_out
        yield from machine_records(self.builder_config.machines, self.builder_config.workers)
