"""Clocks: how far a shaft has turned at each sample, and when it has turned that far."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.simulate.machine import Motion

# Samples over which a clock counts as a straight line: the speed wanders below 1 Hz.
BLOCK = 32


@dataclasses.dataclass(frozen=True)
class Clock:
    """Cycles over time, by straight lines between the edges of blocks.

    Attributes:
      edges_s: float64 [blocks + 1], times.
      cycles: float64 [blocks + 1], cycles made until then, rising.
    """

    edges_s: np.ndarray
    cycles: np.ndarray

    def times_s(self, cycles: np.ndarray) -> np.ndarray:
        """Times [N] at which that many cycles are made."""
        return np.interp(cycles, self.cycles, self.edges_s)


def block_edges_s(num_samples: int, rate_hz: float) -> np.ndarray:
    """Edges of blocks, float64 [blocks + 1], in seconds; `num_samples` is a multiple of BLOCK."""
    return np.arange(num_samples // BLOCK + 1) * (BLOCK / rate_hz)


def shaft_clock(motion: Motion, edges_s: np.ndarray, start_s: float, duration_s: float) -> Clock:
    """Turns of a shaft whose mean speed from `start_s` on, over `duration_s`, is exactly `motion.mean_hz`."""
    amplitudes, rates = np.array(motion.amplitudes), 2 * np.pi * np.array(motion.frequencies_hz)
    phases = np.array(motion.phases)

    def integral(t_s: np.ndarray) -> np.ndarray:
        wander = np.sin(np.outer(t_s - start_s, rates) + phases) @ (amplitudes / rates)
        # The ramp's speed is linear in time and 0 in the middle of the recording.
        share = (t_s - start_s) / duration_s
        return wander + motion.ramp * duration_s * (share**2 - share) / 2

    ends = integral(np.array([start_s, start_s + duration_s]))
    mean = 1 + (ends[1] - ends[0]) / duration_s
    return Clock(edges_s, motion.mean_hz / mean * (edges_s + integral(edges_s)))


def phases_of(cycles: np.ndarray) -> np.ndarray:
    """Shares of a cycle at every sample, float32 [T], from the cycles at the edges of blocks; they may exceed 1.

    Each block begins between 0 and 1, so that float32 resolves 1e-6 of a cycle, however many cycles came before.
    """
    start = cycles[:-1] % 1
    slope = np.diff(cycles) / BLOCK
    within = np.arange(BLOCK, dtype=np.float32)
    return (start.astype(np.float32)[:, None] + slope.astype(np.float32)[:, None] * within).ravel()


def look_up(table: np.ndarray, phases: np.ndarray) -> np.ndarray:
    """A periodic function at phases [T]; `table` has its values over one cycle, a power of two of them."""
    index = (phases * np.float32(len(table))).astype(np.int32)
    index &= len(table) - 1
    return table.take(index)
