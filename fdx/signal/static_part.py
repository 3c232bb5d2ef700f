"""A slow curve through both ends of a recording, which is set aside while a filter runs over it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

StaticPart = Callable[[np.ndarray], np.ndarray]
# In recordings longer than this many samples, the lines of the static part bend to a constant HELD_SHARE times the
# fitted samples from the ends. A slope measured in 10 ms and continued for a day would reach millions of times the
# vibration, whose digits float32 would then lose. All public data sets that fdx reads have shorter recordings.
LONG_SAMPLES = 2**20
HELD_SHARE = 16


def static_part(head: np.ndarray, tail: np.ndarray, num_samples: int) -> StaticPart:
    """A slow curve through both ends of a recording, as a function of the index: [N] -> float32 [N, C].

    The filter assumes zeros outside the recording. That suits a vibration, but gravity of 16,000 counts would end in a
    step that rings through the first and the last window. So a curve is subtracted before filtering and added back
    afterwards. It blends two straight lines, each fitted to the samples at one end, over the whole recording. An offset
    and a steady drift pass unchanged. Each line is fitted to a few times the filter's reach, so that it does not depend
    on distant blocks. In a recording of more than LONG_SAMPLES the lines become constant away from the ends.

    Args:
      head: float32 [n] or [n, C], the first samples; n is a few times the filter's reach, or all of them.
      tail: its last n samples.
      num_samples: samples of the recording.
    """
    held = HELD_SHARE * len(head) if num_samples > LONG_SAMPLES else None
    start, stop = _fitted_line(head, 0, held), _fitted_line(tail, num_samples - len(tail), held)
    last = max(num_samples - 1, 1)

    def static(at: np.ndarray) -> np.ndarray:
        weight = 0.5 + 0.5 * np.cos(np.pi * np.clip(at / last, 0, 1))
        if head.ndim == 2:
            weight = weight[:, None]
        return (weight * start(at) + (1 - weight) * stop(at)).astype(np.float32)

    return static


def _fitted_line(x: np.ndarray, first: int, held: float | None) -> Callable[[np.ndarray], np.ndarray]:
    """The least-squares line through x [T] or [T, C], whose first sample has index `first`: indices [N] -> [N(, C)].

    From about `held` samples away from x on it is constant; None: never.
    """
    mean, middle = x.mean(axis=0, dtype=np.float64), (len(x) - 1) / 2
    offsets = np.arange(len(x)) - middle
    slope = (offsets @ (x - mean)) / max(float(offsets @ offsets), 1.0)

    def line(at: np.ndarray) -> np.ndarray:
        away = at - first - middle
        return mean + np.multiply.outer(away if held is None else held * np.tanh(away / held), slope)

    return line
