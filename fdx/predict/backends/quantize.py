"""Affine quantisation as TensorFlow Lite does it: real = scale * (code - zero_point).

Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only inference", CVPR 2018;
TensorFlow Lite 8-bit quantization specification (tensorflow.org/lite/performance/quantization_spec).

Halves are rounded away from zero, as C's `round` does. TensorFlow Lite's reference kernels call it, also those for
microcontrollers (NumPy's `round` goes to the even neighbour). The kernels divide in float32; here all is
float64, so a value within float32's rounding of the middle between two codes may differ by one code.

docs/quantization.md works through an example.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from fdx.types import ConfigError, DataError

DTYPES = ('int8', 'uint8', 'int16')


@dataclasses.dataclass(frozen=True, eq=False)
class Quantization:
    """How the codes of one tensor stand for real numbers.

    Attributes:
      scale: float64 [] or [C], the real step from one code to the next.
      zero_point: int64, same shape: the code of real 0.
      dtype: integer type of the codes, one of DTYPES.
      axis: the channel axis of the tensor for [C] (negative: from the end), None for [].
      narrow: the lowest code of the type is not used, so that int8 is -127..127.

    Raises:
      ConfigError: an unknown dtype, or an axis that does not fit the shape of the scale.
      DataError: a scale that is not a positive number, a zero point that is not a code, or different shapes.
    """

    scale: np.ndarray
    zero_point: np.ndarray
    dtype: str = 'int8'
    axis: int | None = None
    narrow: bool = False

    def __post_init__(self):
        qmin, qmax = _code_range(self.dtype, self.narrow)
        scale, zero = _real_array(self.scale, 'scale'), _real_array(self.zero_point, 'zero point')
        _check_shapes('zero point', zero, 'scale', scale, self.axis)
        if not (scale > 0).all():
            raise DataError(f'scale {scale.tolist()}: a scale is a number above 0')
        if not ((zero >= qmin) & (zero <= qmax) & (zero % 1 == 0)).all():
            raise DataError(f'zero point {zero.tolist()} is not a whole number from {qmin} to {qmax}')
        object.__setattr__(self, 'scale', scale)
        object.__setattr__(self, 'zero_point', zero.astype(np.int64))

    @property
    def qmin(self) -> int:
        """The lowest code."""
        return _code_range(self.dtype, self.narrow)[0]

    @property
    def qmax(self) -> int:
        """The highest code."""
        return _code_range(self.dtype, self.narrow)[1]


def affine(
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    *,
    dtype: str = 'int8',
    symmetric: bool = False,
    narrow: bool | None = None,
    axis: int | None = None,
) -> Quantization:
    """The quantisation of a range of reals.

    The range is widened to hold 0, because padding and ReLU need an exact code for it. With steps = qmax - qmin,

        scale = (high - low) / steps    zero_point = round(qmin - low / scale), within [qmin, qmax]

    and where `symmetric`, as weights are, scale = max(|low|, |high|) / qmax and zero_point = 0.

    A range without width, or with a scale below float32's normal numbers (1.2e-38, as the weights of dead channels
    have), counts as a range of zeros: scale 1, zero point 0, or the lowest code if 0 is not a code.

    Args:
      low: float [], or [C] for one range per channel, in the unit of the tensor.
      high: same shape and unit.
      dtype: one of DTYPES.
      symmetric: zero point 0; for signed types.
      narrow: leave out the lowest code (-128 of int8); None: where `symmetric`, as TensorFlow Lite's weights have it.
      axis: the channel axis of [C], None for [].

    Raises:
      ConfigError: an unknown dtype, a symmetric unsigned one, or an axis that does not fit the shape of the range.
      DataError: limits of two shapes, not finite, low above high, or too far apart for a scale in float32.
    """
    narrow = symmetric if narrow is None else narrow
    qmin, qmax = _code_range(dtype, narrow)
    if symmetric and dtype.startswith('u'):
        raise ConfigError(f'symmetric {dtype}: with zero point 0 no code is negative; use int8 or int16')
    lowest, highest = _real_array(low, 'low'), _real_array(high, 'high')
    _check_shapes('low', lowest, 'high', highest, axis)
    if (lowest > highest).any():
        raise DataError(f'low {lowest.tolist()} is above high {highest.tolist()}; are they swapped?')
    lowest, highest = np.minimum(lowest, 0), np.maximum(highest, 0)
    scale, zeros = _scale(lowest, highest, symmetric, qmin, qmax)
    # low / scale, with the factors in an order that keeps [-a, a] at exactly half a code for every a.
    below = lowest / np.where(zeros, 1, highest - lowest) * (qmax - qmin)
    zero_point = np.where(zeros | symmetric, 0, _round_away(qmin - below))
    return Quantization(scale, np.clip(zero_point, qmin, qmax), dtype, axis, narrow)


def fit(
    values: npt.ArrayLike,
    *,
    axis: int | None = None,
    dtype: str = 'int8',
    symmetric: bool = False,
    narrow: bool | None = None,
) -> Quantization:
    """`affine` from the smallest to the largest of `values`, channel by channel where an axis is given.

    Args:
      values: float [...], weights, or the readings of a representative data set.
      axis: the channel axis (the last of a Flax kernel), kept as its positive number; None: one range for the tensor.
      dtype: see `affine`.
      symmetric: see `affine`.
      narrow: see `affine`.

    Raises:
      ConfigError: see `affine`; an axis that the values do not have.
      DataError: see `affine`; no values.
    """
    values = _real_array(values, 'values')
    if values.size == 0:
        raise DataError(f'values {list(values.shape)}: an empty array has no range; give at least one value')
    others = None
    if axis is not None:
        axis = _positive_axis(axis, values.ndim)
        others = tuple(i for i in range(values.ndim) if i != axis)
    low, high = values.min(axis=others), values.max(axis=others)
    return affine(low, high, dtype=dtype, symmetric=symmetric, narrow=narrow, axis=axis)


def quantise(values: npt.ArrayLike, q: Quantization) -> np.ndarray:
    """Reals to codes: round(values / scale) + zero_point, saturated to [qmin, qmax]; q.dtype, same shape.

    Args:
      values: float [...].
      q: of the tensor; [C] is laid along its axis.

    Raises:
      ConfigError: the values do not have the channel axis.
      DataError: values that are not finite, or another number of channels.
    """
    values = _real_array(values, 'values')
    scale, zero_point = _along_axis(q, values.shape)
    with np.errstate(over='ignore'):
        steps = values / scale
    # Saturated before it is rounded: the limits are whole numbers, so the codes are the same, and no infinity is left.
    steps = np.clip(steps, q.qmin - zero_point, q.qmax - zero_point)
    return (_round_away(steps) + zero_point).astype(q.dtype)


def dequantise(codes: npt.ArrayLike, q: Quantization) -> np.ndarray:
    """Codes to reals: scale * (codes - zero_point), float64, same shape.

    Args:
      codes: integers [...].
      q: of the tensor; [C] is laid along its axis.

    Raises:
      ConfigError: the codes do not have the channel axis.
      DataError: codes that are not integers or that q.dtype cannot hold, or another number of channels.
    """
    codes = np.asarray(codes)
    if codes.dtype.kind not in 'iu':
        raise DataError(f'codes of {codes.dtype}: codes are integers; `quantise` makes them of reals')
    least, most = _code_range(q.dtype, narrow=False)
    outside = codes[(codes < least) | (codes > most)]
    if outside.size:
        raise DataError(
            f'code {outside[0]} is outside {q.dtype} ({outside.size} of {codes.size}): they are of another type'
        )
    scale, zero_point = _along_axis(q, codes.shape)
    return scale * (codes.astype(np.int64) - zero_point)


def _scale(low: np.ndarray, high: np.ndarray, symmetric: bool, qmin: int, qmax: int) -> tuple[np.ndarray, np.ndarray]:
    """The scale of ranges that hold 0, and where they are ranges of zeros; checked against float32 of the file."""
    with np.errstate(over='ignore'):
        scale = np.maximum(-low, high) / qmax if symmetric else (high - low) / (qmax - qmin)
    limits = np.finfo(np.float32)
    if (scale > limits.max).any():
        raise DataError(f'low {low.tolist()}, high {high.tolist()}: the scale is beyond float32; rescale the values')
    zeros = scale < limits.tiny
    return np.where(zeros, 1, scale), zeros


def _round_away(x: np.ndarray) -> np.ndarray:
    """Nearest whole numbers, halves away from zero; adding 0.5 first would round 0.49999999999999994 up."""
    whole = np.trunc(x)
    return whole + np.where(np.abs(x - whole) >= 0.5, np.sign(x), 0)


def _code_range(dtype: str, narrow: bool) -> tuple[int, int]:
    if dtype not in DTYPES:
        raise ConfigError(f'dtype {dtype!r}; known: {", ".join(DTYPES)}')
    limits = np.iinfo(dtype)
    return int(limits.min) + int(narrow), int(limits.max)


def _along_axis(q: Quantization, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Scale and zero point that broadcast against a tensor of `shape`."""
    if q.axis is None:
        return q.scale, q.zero_point
    axis = _positive_axis(q.axis, len(shape))
    if shape[axis] != q.scale.size:
        raise DataError(f'axis {axis} of {list(shape)} has {shape[axis]} channels, the quantisation {q.scale.size}')
    laid = [-1 if i == axis else 1 for i in range(len(shape))]
    return q.scale.reshape(laid), q.zero_point.reshape(laid)


def _positive_axis(axis: int, ndim: int) -> int:
    if not -ndim <= axis < ndim:
        raise ConfigError(f'axis {axis} of an array with {ndim} dimensions: name the axis of its channels')
    return axis % ndim


def _real_array(values: npt.ArrayLike, what: str) -> np.ndarray:
    array = np.asarray(values)
    # bfloat16 is filed under 'V' (void).
    if array.dtype.kind not in 'biufV':
        raise DataError(f'{what} of {array.dtype}: give real numbers')
    array = array.astype(np.float64)
    bad = array[~np.isfinite(array)]
    if bad.size:
        raise DataError(f'{what}: {bad.size} of {array.size} are not finite ({bad[0]}); mend or drop them first')
    return array


def _check_shapes(name: str, a: np.ndarray, other: str, b: np.ndarray, axis: int | None) -> None:
    """Both are numbers without an axis, or [C] with one."""
    if a.shape != b.shape:
        raise DataError(f'{name} {list(a.shape)} and {other} {list(b.shape)} differ in shape')
    if a.ndim != (0 if axis is None else 1) or a.size == 0:
        raise ConfigError(f'{name} {list(a.shape)} with axis {axis}: give numbers and no axis, or [C] and its axis')
