"""Affine quantisation: laws over random ranges, the worked example, and the numbers of docs/quantization.md."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from fdx.predict.backends.quantize import DTYPES, Quantization, affine, dequantise, fit, quantise
from fdx.types import ConfigError, DataError

PAGE = pathlib.Path(__file__).parents[2] / 'docs' / 'quantization.md'
SEEDS = range(40)


def random_range(seed):
    """Limits of any size; on both sides of zero, or on one."""
    rng = np.random.default_rng(seed)
    low, high = np.sort(rng.standard_normal(2)) * 10 ** rng.uniform(-6, 6)
    return low + rng.choice([0, 0, 3]) * (high - low), high + 3 * (high - low), rng


@pytest.fixture(params=[(d, s) for d in DTYPES for s in (False, True) if not (s and d == 'uint8')], ids=str)
def kind(request):
    return dict(zip(('dtype', 'symmetric'), request.param))


@pytest.mark.parametrize('seed', SEEDS)
def test_laws_of_every_range(seed, kind):
    low, high, rng = random_range(seed)
    q = affine(low, high, **kind)
    info = np.iinfo(kind['dtype'])
    assert (q.qmin, q.qmax) == (info.min + kind['symmetric'], info.max)
    inside = np.sort(np.concatenate([[low, high], rng.uniform(low, high, 500)]))
    codes = quantise(inside, q)
    # Codes of the type, in its range, in the order of the reals.
    assert codes.dtype == kind['dtype']
    assert q.qmin <= codes.min() and codes.max() <= q.qmax
    assert (np.diff(codes.astype(int)) >= 0).all()
    # Half a step there and back, and no finer: 500 points do not all fall on codes.
    error = np.abs(dequantise(codes, q) - inside)
    assert error.max() <= q.scale / 2 * (1 + 1e-9)
    assert error.max() > q.scale / 4
    # Codes are fixed points; real 0 is one of them.
    np.testing.assert_array_equal(quantise(dequantise(codes, q), q), codes)
    assert quantise(0.0, q) == q.zero_point
    assert dequantise(quantise(0.0, q), q) == 0
    # Beyond the range: the end codes, however far.
    width = max(abs(low), abs(high))
    far = np.array([-3 * width, 3 * width, -1e300, 1e300])
    assert quantise(far, q).tolist() == [q.qmin, q.qmax, q.qmin, q.qmax]


@pytest.mark.parametrize('seed', SEEDS)
def test_scale_and_zero_point_are_those_of_the_definition(seed):
    low, high, _ = random_range(seed)
    wide_low, wide_high = min(low, 0), max(high, 0)
    for dtype, steps, qmin in (('int8', 255, -128), ('uint8', 255, 0), ('int16', 65535, -32768)):
        q = affine(low, high, dtype=dtype)
        np.testing.assert_allclose(q.scale, (wide_high - wide_low) / steps, rtol=1e-15)
        assert abs(q.zero_point - (qmin - wide_low / q.scale)) <= 0.5 + 1e-9
        # The widened range is covered but for the half step that the zero point was rounded by.
        np.testing.assert_allclose(dequantise([q.qmin, q.qmax], q), [wide_low, wide_high], atol=q.scale * 0.5001)
    for dtype, qmax in (('int8', 127), ('int16', 32767)):
        q = affine(low, high, dtype=dtype, symmetric=True)
        assert q.zero_point == 0
        np.testing.assert_allclose(q.scale, max(abs(low), abs(high)) / qmax, rtol=1e-15)
        assert quantise([-1e9, 1e9], q).tolist() == [-qmax, qmax]


@pytest.mark.parametrize('seed', SEEDS)
def test_a_channel_is_a_tensor_by_itself(seed, kind):
    rng = np.random.default_rng(seed)
    shape, axis = [((3, 3, 2, 5), -1), ((4, 7), 0), ((2, 6, 3), 1)][seed % 3]
    channels = shape[axis]
    sizes = np.expand_dims(10 ** rng.uniform(-3, 3, channels), [i for i in range(len(shape)) if i != axis % len(shape)])
    values = (rng.standard_normal(shape) + 0.5) * sizes
    q = fit(values, axis=axis, **kind)
    assert q.scale.shape == q.zero_point.shape == (channels,)
    assert q.axis == axis % len(shape)
    codes = quantise(values, q)
    reals = dequantise(codes, q)
    for c in range(channels):
        values_c, codes_c, reals_c = (np.take(a, c, axis) for a in (values, codes, reals))
        q_c = fit(values_c, **kind)
        assert (q.scale[c], q.zero_point[c]) == (q_c.scale, q_c.zero_point)
        np.testing.assert_array_equal(codes_c, quantise(values_c, q_c))
        np.testing.assert_array_equal(reals_c, dequantise(codes_c, q_c))
    # The same from a file, where the axis may be counted from the end.
    np.testing.assert_array_equal(quantise(values, Quantization(q.scale, q.zero_point, q.dtype, axis, q.narrow)), codes)


def test_narrow_leaves_out_the_lowest_code():
    assert (affine(-1, 1, narrow=True).qmin, affine(-1, 1).qmin) == (-127, -128)
    assert affine(-1, 1, narrow=True).scale == 2 / 254
    assert affine(-1, 1, narrow=True).zero_point == 0
    # TensorFlow Lite's int16 activations: symmetric, and all codes are used.
    q = affine(-1, 1, dtype='int16', symmetric=True, narrow=False)
    assert q.scale == 1 / 32767
    assert quantise(-9, q) == -32768


def test_ranges_of_zeros():
    for low, high in ((0, 0), (0, 1e-37), (-5e-324, 0)):
        for settings in ({}, {'symmetric': True}, {'dtype': 'uint8'}):
            q = affine(low, high, **settings)
            assert (q.scale, q.zero_point) == (1, 0)
            assert dequantise(quantise(high, q), q) == 0
    assert affine(0, 0, dtype='uint8', narrow=True).zero_point == 1
    # A dead channel beside a live one.
    q = fit([[0.0, 1.27], [0.0, -1.27]], axis=1, symmetric=True)
    np.testing.assert_allclose(q.scale, [1, 0.01], rtol=1e-15)
    # The smallest range that float32 can still scale keeps its step.
    assert affine(0, 255 * 2e-38).scale == pytest.approx(2e-38, abs=0, rel=1e-12)


def test_halves_are_rounded_away_from_zero():
    q = Quantization(1.0, 0)
    reals = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999999999999994, -0.49999999999999994]
    assert quantise(reals, q).tolist() == [1, 2, 3, -1, -2, -3, 0, 0]
    # The quotient is rounded, not the sum with the zero point: there 0.5 - 1 would become -1.
    assert quantise([0.5, -0.5], Quantization(1.0, -1)).tolist() == [0, -2]


def test_every_range_that_is_centred_has_zero_point_minus_1():
    sizes = 10 ** np.random.default_rng(0).uniform(-9, 9, 2000)
    assert set(affine(-sizes, sizes, axis=0).zero_point.tolist()) == {-1}
    assert set(affine(-sizes, sizes, axis=0, dtype='uint8').zero_point.tolist()) == {128}
    # By way of the scale, rounding noise moves many of them to 0.
    noisy = -128 + sizes / (2 * sizes / 255)
    assert 0.05 < (noisy > -0.5).mean() < 0.4


def test_what_it_takes_and_gives():
    q = affine(np.float32(-1), np.float32(1))
    assert q.scale.dtype == np.float64 and q.zero_point.dtype == np.int64
    assert quantise(np.float32([[0.5]]), q).shape == (1, 1)
    assert quantise([True, False], q).tolist() == [127, -1]
    assert dequantise(np.int64([127, -1]), q).dtype == np.float64
    assert dequantise(np.uint8([200]), affine(0, 255, dtype='uint8')).tolist() == [200]
    with pytest.raises(AttributeError):
        q.scale = 1


def table(header):
    """Rows of the page's table whose header starts with `header`, as text."""
    lines = PAGE.read_text(encoding='utf-8').splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(header)) + 2
    rows = []
    for line in lines[start:]:
        if not line.startswith('|'):
            break
        rows.append([cell.strip() for cell in line.strip('|').split('|')])
    return rows


def read_back(code, q, real):
    """Two cells: the real of a code, and its error."""
    back = float(dequantise(code, q))
    return [f'{back:.6f}', f'{back - real:+.6f}']


def test_the_page_works_through_the_example():
    q = affine(-1, 1)
    assert q.scale == 2 / 255
    assert q.qmin - -1 / q.scale == -0.5
    assert q.zero_point == -1
    assert round(-0.5) == 0
    rows = table('| real | code | read back')
    assert [row[0] for row in rows] == ['-1', '-0.5', '0', '0.003', '0.12', '0.5', '1', '1.2']
    for row in rows:
        code = quantise(float(row[0]), q)
        assert row[1:] == [str(code), *read_back(code, q, float(row[0]))]
    page = PAGE.read_text(encoding='utf-8')
    assert f'= 2 / 255 = {q.scale:.6f}' in page
    assert f'half a step, {q.scale / 2:.6f}.' in page
    assert f'float32 min / scale is {np.float32(-1) / np.float32(q.scale):.5f},' in page


def test_the_page_shows_the_error_of_the_wrong_zero_point():
    right = affine(-1, 1)
    wrong_number = round(-1 / float(right.scale))
    assert wrong_number == -128
    assert round(float(np.float32(-1) / np.float32(right.scale))) == -127
    wrong = Quantization(right.scale, wrong_number)
    rows = table('| real | code with -128')
    assert [row[0] for row in rows] == ['-1', '-0.5', '0', '0.12', '0.5', '1']
    for row in rows:
        real = float(row[0])
        code = quantise(real, wrong)
        assert row[1:] == [str(code), *read_back(code, wrong, real), *read_back(code, right, real)]
    # Codes 1 to 127 stay unused; on both sides an error of 1; on one side 0 is off by 127 steps.
    reals = np.linspace(-1, 1, 1001)
    codes = quantise(reals, wrong)
    assert codes.max() == 0
    assert np.abs(dequantise(codes, wrong) - reals).max() == 1
    assert dequantise(quantise(0, wrong), right) == -127 * right.scale
    page = PAGE.read_text(encoding='utf-8')
    assert f'an error of up to {1:.6f}' in page
    assert f'real 0 reads as {-127 * right.scale:.6f}' in page
    # Where it belongs: unsigned codes with the number added.
    unsigned = np.clip(np.round(reals / right.scale) - wrong_number, 0, 255)
    assert np.abs(right.scale * (unsigned + wrong_number) - reals).max() < right.scale


def test_the_page_gives_small_channels_their_own_scale():
    rows = table('| channel | weight')
    kernel = np.zeros((2, 2))
    for i, row in enumerate(rows):
        kernel[i % 2, int(row[0])] = float(row[1])
    tensor, channel = fit(kernel, symmetric=True), fit(kernel, axis=-1, symmetric=True)
    np.testing.assert_allclose(tensor.scale, 0.01, rtol=1e-12)
    np.testing.assert_allclose(channel.scale, [0.01, 0.0001], rtol=1e-12)
    codes = quantise(kernel, tensor), quantise(kernel, channel)
    reals = dequantise(codes[0], tensor), dequantise(codes[1], channel)
    assert len(rows) == 4
    for i, row in enumerate(rows):
        at = i % 2, int(row[0])
        assert row[2:] == [cell for c, r in zip(codes, reals) for cell in (str(c[at]), f'{r[at]:.4f}')]


def test_the_page_standardises_readings():
    shared, standard = affine(0, 2200), affine(-4, 4)
    rows = table('| reading | mean')
    assert len(rows) == 8
    for row in rows:
        mean, deviation, value = map(float, row[1:4])
        raw, code = quantise(value, shared), quantise((value - mean) / deviation, standard)
        assert row[4:6] == [str(raw), f'{dequantise(raw, shared):.2f}']
        assert row[6:8] == [str(code), f'{dequantise(code, standard) * deviation + mean:.2f}']
        assert row[8] == f'{standard.scale * deviation:.4f}'
    page = PAGE.read_text(encoding='utf-8')
    assert f'0 to 2200 have steps of {shared.scale:.2f}: everything below {shared.scale / 2:.2f} is one code' in page
    assert set(quantise(np.linspace(0, 4.31, 100), shared).tolist()) == {-128}
    assert quantise(4.32, shared) == -127


def test_the_zero_point_of_activations_goes_into_the_bias():
    rng = np.random.default_rng(0)
    weights, inputs = rng.standard_normal((16, 4)), rng.uniform(-0.3, 2, 16)
    q_w, q_a = fit(weights, symmetric=True), fit(inputs)
    w, a = quantise(weights, q_w).astype(np.int32), quantise(inputs, q_a).astype(np.int32)
    assert q_a.zero_point != 0
    total = a @ w - q_a.zero_point * w.sum(axis=0)
    wanted = dequantise(a, q_a) @ dequantise(w, q_w)
    np.testing.assert_allclose(q_w.scale * q_a.scale * total, wanted, rtol=1e-12)


@pytest.mark.parametrize(
    ('call', 'error', 'message'),
    [
        (lambda: affine(1, -1), DataError, 'low 1.0 is above high -1.0'),
        (lambda: affine([0, 2], [1, 1], axis=0), DataError, r'low \[0.0, 2.0\] is above high \[1.0, 1.0\]'),
        (lambda: affine(np.nan, 1), DataError, 'low: 1 of 1 are not finite'),
        (lambda: affine(0, np.inf), DataError, r'high: 1 of 1 are not finite \(inf\)'),
        (lambda: affine(-1e308, 1e308), DataError, 'the scale is beyond float32'),
        (lambda: affine(0, 1e42, symmetric=True), DataError, 'the scale is beyond float32'),
        (lambda: affine(0, [1, 1], axis=0), DataError, r'low \[\] and high \[2\] differ in shape'),
        (lambda: affine([0, 0], [1, 1]), ConfigError, r'low \[2\] with axis None: give numbers and no axis'),
        (lambda: affine(0, 1, axis=0), ConfigError, r'low \[\] with axis 0'),
        (lambda: affine([], [], axis=0), ConfigError, r'low \[0\] with axis 0'),
        (lambda: affine('a', 1), DataError, 'low of <U1: give real numbers'),
        (lambda: affine(0, 1, dtype='int4'), ConfigError, "dtype 'int4'; known: int8, uint8, int16"),
        (lambda: affine(0, 1, dtype='uint8', symmetric=True), ConfigError, 'symmetric uint8: .* use int8 or int16'),
        (lambda: fit([]), DataError, r'values \[0\]: an empty array'),
        (lambda: fit([1.0, np.nan]), DataError, 'values: 1 of 2 are not finite'),
        (lambda: fit([[1.0]], axis=2), ConfigError, 'axis 2 of an array with 2 dimensions'),
        (lambda: quantise([np.nan, np.inf, 0], affine(0, 1)), DataError, 'values: 2 of 3 are not finite'),
        (lambda: quantise(np.ones((2, 3)), affine([0, 0], [1, 1], axis=1)), DataError, r'of \[2, 3\] has 3 channels'),
        (lambda: quantise(1.0, affine([0, 0], [1, 1], axis=0)), ConfigError, 'axis 0 of an array with 0 dimensions'),
        (lambda: dequantise([0.5], affine(0, 1)), DataError, 'codes of float64: codes are integers'),
        (lambda: dequantise([3, 128], affine(0, 1)), DataError, r'code 128 is outside int8 \(1 of 2\)'),
        (lambda: Quantization(0.0, 0), DataError, 'scale 0.0: a scale is a number above 0'),
        (lambda: Quantization(1.0, 128), DataError, 'zero point 128.0 is not a whole number from -128 to 127'),
        (lambda: Quantization(1.0, -128, narrow=True), DataError, 'from -127 to 127'),
        (lambda: Quantization(1.0, 0.5), DataError, 'zero point 0.5 is not a whole number'),
        (lambda: Quantization([1.0, 1.0], 0, axis=0), DataError, r'zero point \[\] and scale \[2\] differ in shape'),
        (lambda: Quantization([1.0, 1.0], [0, 0]), ConfigError, r'zero point \[2\] with axis None'),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
