"""The frame-count law, and framing of a signal without copies.

Law, for every front end, with n samples, a window of w samples and a hop of h samples:

    frames(n) = 0                      if n < w
                1 + (n - w) // h       otherwise

There is no padding or centring: frame i covers samples [i h, i h + w). A front end that centres its frames pads the
signal first and then obeys the same law.
"""

from __future__ import annotations

import numpy as np

from fdx.types import ConfigError


def num_frames(num_samples: int, window_length: int, hop_length: int) -> int:
    """Number of whole frames in `num_samples` samples.

    Raises:
      ConfigError: a window or a hop below 1 sample, or a negative number of samples.
    """
    if window_length < 1 or hop_length < 1 or num_samples < 0:
        raise ConfigError(
            f'cannot frame {num_samples} samples with window_length={window_length}, hop_length={hop_length}: '
            'window and hop must be at least 1 sample'
        )
    return 0 if num_samples < window_length else 1 + (num_samples - window_length) // hop_length


def num_centred_frames(num_samples: int, window_length: int, hop_length: int) -> int:
    """Number of frames centred at multiples of the hop, by the law for a signal padded by half a window per end."""
    return num_frames(num_samples + 2 * (window_length // 2), window_length, hop_length)


def samples_for_frames(frames: int, window_length: int, hop_length: int) -> int:
    """Fewest samples that hold `frames` frames: the inverse of the law."""
    return 0 if frames == 0 else window_length + (frames - 1) * hop_length


def frame(x: np.ndarray, window_length: int, hop_length: int) -> np.ndarray:
    """Read-only view [..., frames, window_length] of x [..., T]."""
    count = num_frames(x.shape[-1], window_length, hop_length)
    if count == 0:
        return np.empty((*x.shape[:-1], 0, window_length), x.dtype)
    views = np.lib.stride_tricks.sliding_window_view(x, window_length, axis=-1)
    return views[..., : (count - 1) * hop_length + 1 : hop_length, :]


def window_starts(num_samples: int, window_length: int, hop_length: int, first: int = 0) -> np.ndarray:
    """First samples (int64 [N]) of the windows that lie wholly in [first, first + num_samples)."""
    return first + hop_length * np.arange(num_frames(num_samples, window_length, hop_length), dtype=np.int64)
