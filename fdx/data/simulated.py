"""Records of simulated machines (fdx.simulate), made in several processes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from fdx.data.fingerprint import fingerprint
from fdx.data.processes import cores, in_processes
from fdx.data.records import window_level
from fdx.signal.evidence_front_end import Evidence
from fdx.signal.patch import Condition, without_static_part
from fdx.signal.slow_part import without_slow_part
from fdx.simulate.draw import VISIBLE_DB, draw_machine
from fdx.simulate.machine import SimulatedMachine
from fdx.simulate.signal import simulate

# Machines per piece of work of a process.
PIECE = 20
# The domain of a machine: no two share it, so that it only tells simulated from real.
DOMAIN = 'simulated'
# Marks of a sound bearing, as signal-to-noise ratio of the best band in dB.
SOUND_DB = -7.5


@dataclasses.dataclass(frozen=True)
class Machines:
    """Which machines.

    Attributes:
      seed: of all draws.
      first: index of the first machine.
      count: how many.
    """

    seed: int
    first: int
    count: int


def machine_records(machines: Machines, workers: int | None = None) -> Iterator[tuple[str, dict]]:
    """The records of machines, as (key, example), in the order of their index.

    Left out are machines whose defect is weaker than VISIBLE_DB, since nobody could see it, and those whose bearing has
    marks stronger than SOUND_DB: between the two, sound and damaged is a matter of words.

    Args:
      machines: which.
      workers: number of processes; None: one per core. The records do not depend on it.
    """
    end = machines.first + machines.count
    pieces = [range(i, min(i + PIECE, end)) for i in range(machines.first, end, PIECE)]
    workers = min(workers or cores(), len(pieces))
    if workers <= 1:
        for piece in pieces:
            yield from _records(machines.seed, piece)
        return
    for records in in_processes(_records, machines.seed, pieces, workers, _name):
        yield from records


def _name(piece: range) -> str:
    return f'simulated machines {piece.start} to {piece.stop - 1}'


def _records(seed: int, piece: range) -> list[tuple[str, dict]]:
    machines = (draw_machine(seed, index) for index in piece)
    return [_record(machine) for machine in machines if _is_clear(machine)]


def _is_clear(machine: SimulatedMachine) -> bool:
    marks = [part for part in machine.parts if part.name == 'faint_marks']
    levels = [t.snr_db for part in marks for t in part.trains] + [n.snr_db for part in marks for n in part.noises]
    strongest = max(levels, default=-np.inf)
    return strongest <= SOUND_DB and (machine.snr_db is None or machine.snr_db >= VISIBLE_DB)


def _record(machine: SimulatedMachine) -> tuple[str, dict[str, Any]]:
    recording = simulate(machine)
    rate = recording.sample_rate_hz
    chunk = without_slow_part(without_static_part(recording.samples), rate)
    # As a user would: with the name plate's speed and the catalogue's geometry.
    image = Evidence(rate_hz=rate)(chunk, rate, Condition(machine.name_plate_rpm, machine.geometry))
    example = {
        'spectrogram': image,
        'label': recording.label,
        'fault_type': recording.fault_type,
        'recording': recording.recording,
        'acquisition': recording.recording,
        'fingerprint': fingerprint(recording.samples),
        'window_start': 0,
        'block': -1,
        'domain': DOMAIN,
        'bearing': recording.recording,
        'speed_rpm': np.float32(machine.speed_rpm),
        'load': np.float32(np.nan),
        'geometry': np.array(machine.geometry.numbers(), np.float32),
        'sample_rate_hz': float(rate),
        'peak': np.float32(np.abs(chunk).max()),
        'rms': window_level(chunk)[0],
    }
    return recording.recording, example
