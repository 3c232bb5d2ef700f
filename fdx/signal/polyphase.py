"""Polyphase filters as matrix products: twenty times as fast as one output sample after the other, equal to rounding.

The filter between two rates repeats itself after `up` outputs, for which the input moves on by `down` samples. So the
outputs at one place of this cycle are a matrix product: rows of the input, `stride` samples apart, by the filter's taps
for some thirty neighbouring outputs. Some of the products are with zeros, but a BLAS does thirty in the time of one.
"""

from __future__ import annotations

import dataclasses

import numpy as np

# A filter that needs more numbers than this (16 MB) is left to scipy.signal.resample_poly: one between rates very far
# apart, as from 48 kHz to 50 Hz.
MOST_VALUES = 1 << 22
# Outputs that are neighbours and share a matrix.
OUTPUTS = 32
# All products have one size, so that an output's rounding does not depend on how much comes after it; and so few
# operations that OpenBLAS uses one thread, because with two it cuts them elsewhere and rounds differently.
ONE_THREAD = 1 << 18
# A BLAS takes rows in groups; one row alone is no matrix product.
FULL_ROWS, FEWEST_ROWS = 8, 2
# Products that are asked for together, while their input is in the cache.
TOGETHER = 32


@dataclasses.dataclass(frozen=True)
class Polyphase:
    """A filter between two rates, laid out as matrices.

    Attributes:
      up, down: output rate over input rate.
      stride: input samples from one row to the next, a multiple of `down`.
      rows: of a block.
      first: input sample that the first tap of the first output falls on, at most 0.
      matrices: float32 [W, G] each, taps of G neighbouring outputs; one after the other they make up a row's outputs.
      offsets: the input sample of each one's first tap.
    """

    up: int
    down: int
    stride: int
    rows: int
    first: int
    matrices: tuple[np.ndarray, ...]
    offsets: tuple[int, ...]

    @property
    def grid(self) -> int:
        """Input samples of a block. A signal that begins at a multiple of it is rounded as the whole."""
        return self.stride * self.rows

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """float32 [ceil(T up / down)] of float32 x [T], which is zero outside."""
        wanted = -(-len(x) * self.up // self.down)
        per_row = self.stride // self.down * self.up
        blocks = max(1, -(-wanted // (per_row * self.rows)))
        width = len(self.matrices[0])
        padded = np.zeros(blocks * self.grid + width + self.offsets[-1] - self.first, np.float32)
        padded[-self.first : len(x) - self.first] = x
        out = np.empty((blocks, self.rows, per_row), np.float32)
        strides = tuple(padded.itemsize * step for step in (self.grid, self.stride, 1))
        for i in range(0, blocks, TOGETHER):
            column, together = 0, out[i : i + TOGETHER]
            for matrix, offset in zip(self.matrices, self.offsets):
                begin = padded[i * self.grid + offset - self.first :]
                shape = (len(together), self.rows, width)
                windows = np.lib.stride_tricks.as_strided(begin, shape, strides, writeable=False)
                np.matmul(windows, matrix, out=together[:, :, column : column + matrix.shape[1]])
                column += matrix.shape[1]
        return out.reshape(-1)[:wanted]


def polyphase(taps: np.ndarray, up: int, down: int) -> Polyphase | None:
    """Lays out a filter, or None where that takes too much memory.

    Args:
      taps: [L], L odd, a linear-phase low-pass at `up` times the input rate whose taps add up to 1.
      up: output rate over input rate is up / down.
      down: see `up`.
    """
    half = len(taps) // 2
    width = -(-(OUTPUTS - 1) * down // up) - (-len(taps) // up) + 1
    cycles = -(-width // down)
    rows = ONE_THREAD // (width * OUTPUTS)
    if rows < FEWEST_ROWS or cycles * up * width > MOST_VALUES:
        return None
    rows = rows // FULL_ROWS * FULL_ROWS or rows
    offsets, matrices = [], []
    for begin in range(0, cycles * up, OUTPUTS):
        outputs = np.arange(begin, min(begin + OUTPUTS, cycles * up))
        offset = -(-(begin * down - half) // up)
        place = outputs * down + half - (offset + np.arange(width)[:, None]) * up
        inside = (place >= 0) & (place < len(taps))
        matrices.append((up * np.where(inside, taps[np.where(inside, place, 0)], 0)).astype(np.float32))
        offsets.append(offset)
    return Polyphase(up, down, cycles * down, rows, offsets[0], tuple(matrices), tuple(offsets))
