"""Time blocks: five contiguous parts of a recording with a guard between them, cut before the windows (law 2)."""

from __future__ import annotations

import dataclasses

import numpy as np

from fdx.signal.frames import window_starts
from fdx.types import SplitError

NUM_BLOCKS = 5
NO_BLOCK = -1
DEFAULT_GUARD_S = 0.1


@dataclasses.dataclass(frozen=True)
class Windowing:
    """How a recording is cut, in samples at the dataset's common rate.

    Attributes:
      window_length: samples of a window (a chunk).
      hop_length: samples between the starts of neighbouring windows of a block; below window_length they overlap.
      guard_length: samples between blocks that belong to no window.
    """

    window_length: int
    hop_length: int
    guard_length: int


def time_blocks(num_samples: int, windowing: Windowing, recording: str = 'recording') -> list[tuple[int, int]]:
    """Edges (first sample, one past the last) of the NUM_BLOCKS blocks of a recording.

    The blocks share the recording's whole windows as evenly as possible, with more in earlier blocks, and share the
    remaining samples equally. For example, 30 s in chunks of 1.6 s give blocks of 4, 4, 4, 3 and 3 chunks, so none of
    the 18 is lost.

    Raises:
      SplitError: a block would hold no window; the text names the recording and the protocols that fit.
    """
    usable = num_samples - (NUM_BLOCKS - 1) * windowing.guard_length
    whole = max(usable, 0) // windowing.window_length
    if whole < NUM_BLOCKS:
        needed = NUM_BLOCKS * windowing.window_length + (NUM_BLOCKS - 1) * windowing.guard_length
        raise SplitError(
            f'{recording}: {num_samples} samples are too short for time_blocks, which needs {needed} '
            f'({NUM_BLOCKS} windows of {windowing.window_length} and {NUM_BLOCKS - 1} guards of '
            f'{windowing.guard_length}); protocols that fit: by_recording, by_bearing, by_domain, random_windows; '
            'or leave it out with `exclude_recordings`'
        )
    spare, extra = divmod(usable - whole * windowing.window_length, NUM_BLOCKS)
    edges, start = [], 0
    for i in range(NUM_BLOCKS):
        windows = whole // NUM_BLOCKS + (i < whole % NUM_BLOCKS)
        stop = start + windows * windowing.window_length + spare + (i < extra)
        edges.append((start, stop))
        start = stop + windowing.guard_length
    return edges


def cut_windows(num_samples: int, windowing: Windowing, recording: str = 'recording') -> tuple[np.ndarray, np.ndarray]:
    """Windows of a recording: (first samples int64 [N], blocks int32 [N]).

    A recording that is too short for its blocks is cut as one piece with block NO_BLOCK. Protocols that split by
    recording, bearing or domain can use it; `time_blocks` refuses it by name.
    """
    try:
        edges = time_blocks(num_samples, windowing, recording)
    except SplitError:
        starts = window_starts(num_samples, windowing.window_length, windowing.hop_length)
        return starts, np.full(len(starts), NO_BLOCK, np.int32)
    parts = [window_starts(b - a, windowing.window_length, windowing.hop_length, first=a) for a, b in edges]
    blocks = [np.full(len(part), i, np.int32) for i, part in enumerate(parts)]
    return np.concatenate(parts), np.concatenate(blocks)


def fold_blocks(fold: int) -> dict[str, tuple[int, ...]]:
    """Blocks of each split in a fold: fold 0 trains on 0-2, validates on 3, tests on 4; fold f is rotated by f."""
    if not 0 <= fold < NUM_BLOCKS:
        raise SplitError(f'fold {fold}: time_blocks has folds 0 to {NUM_BLOCKS - 1}')
    order = [(i + fold) % NUM_BLOCKS for i in range(NUM_BLOCKS)]
    return {'train': tuple(order[:-2]), 'validation': (order[-2],), 'test': (order[-1],)}
