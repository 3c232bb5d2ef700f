"""Scaling and network as one function: what is folded in, what is not, and that it is what the front end would do."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.export.graph import folded_scaling, identity, inference
from fdx.export.litert import to_flatbuffer
from fdx.models import create_model
from fdx.predict.backends.litert import LitertModel
from fdx.signal.front_ends import create_front_end
from fdx.signal.readings import ReadingsInput, neutral_gain
from fdx.signal.scaling import is_neutral

RATE_HZ = 20480.0
READINGS = ReadingsInput('readings', ('rpm', 'temperature_c', 'vibration_g', 'current_a'))
# Thousands of rpm beside hundredths of g.
ZSCORES = ((1600.0, 24.0, 0.12, 3.5), (200.0, 5.0, 0.02, 0.7))
LOG_MEL = ('vggish_train', 'triaxial_mel', 'multi_resolution_mel_train')


@pytest.fixture(scope='module')
def readings() -> np.ndarray:
    rng = np.random.default_rng(0)
    return (np.array(ZSCORES[0]) + np.array(ZSCORES[1]) * rng.normal(0, 2, (50, 4))).astype(np.float32)


def log_mel(front_end, channels: int) -> np.ndarray:
    """Patches [8, 5, 6, C] over the whole range of log(mel + offset): from silence up to 1e4."""
    rng = np.random.default_rng(1)
    mel = 10 ** rng.uniform(-6, 4, (8, 5, 6, channels))
    mel[0] = 0.0
    return np.log(mel + front_end.log_offset).astype(np.float32)


def drawn(model, x) -> dict:
    """Variables of a model, all within 0.1 and 1."""
    rng, shapes = np.random.default_rng(2), jax.eval_shape(model.init, jax.random.key(0), x)
    return jax.tree.map(lambda s: rng.uniform(0.1, 1, s.shape).astype(s.dtype), shapes)


def test_probabilities_are_the_softmax_of_the_scaled_input():
    model = create_model('mlp', 3)
    x = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
    variables = drawn(model, x)
    found = inference(model, variables, lambda x: 2 * x + 1)(x)
    logits = np.asarray(model.apply(variables, 2 * x + 1)[0], np.float64)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.abs(found - inference(model, variables, identity)(x)).max() > 0.05


def test_a_model_of_several_devices_runs_alone():
    """In training its norms ask all devices of an axis, which the exported function does not have."""
    x = np.random.default_rng(0).standard_normal((2, 19, 9, 1)).astype(np.float32)
    alone = create_model('cnn_small', 3, width_multiplier=1 / 8)
    variables = drawn(alone, x)
    many = create_model('cnn_small', 3, width_multiplier=1 / 8, axis_name='devices')
    found, expected = (jax.jit(inference(model, variables, identity))(x) for model in (many, alone))
    np.testing.assert_array_equal(found, expected)
    assert many.axis_name == 'devices'


def test_z_scores_fold_into_what_the_front_end_computes(readings):
    expected = READINGS.with_gain(readings, ZSCORES)
    scale = folded_scaling(READINGS, ZSCORES)
    np.testing.assert_allclose(scale(jnp.asarray(readings)), expected, rtol=0, atol=1e-5)
    assert np.abs(expected).max() > 4
    model = LitertModel(to_flatbuffer(lambda x: scale(x), (1, 4)))
    np.testing.assert_allclose([model.run(r) for r in readings], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize('name', LOG_MEL)
@pytest.mark.parametrize('gain', [0.037, 1.0 / 3, 100.0])
def test_a_gain_folds_into_log_mel_images(name, gain):
    """The front end computes in float64: in float32 near silence the difference grows with the gain, by 7e-8."""
    front_end = create_front_end(name, RATE_HZ)
    patches = log_mel(front_end, 1)
    expected = front_end.with_gain(patches, gain)
    found = folded_scaling(front_end, gain)(jnp.asarray(patches))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert np.abs(expected - patches).max() > 1


def test_a_gain_a_channel_folds_likewise_in_litert():
    front_end, gain = create_front_end('triaxial_mel', RATE_HZ), (0.05, 1.0, 40.0)
    patches = log_mel(front_end, 3)
    expected = front_end.with_gain(patches, gain)
    scale = folded_scaling(front_end, gain)
    model = LitertModel(to_flatbuffer(lambda x: scale(x), (1, 5, 6, 3)))
    np.testing.assert_allclose([model.run(p) for p in patches], expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(expected[..., 1], patches[..., 1], rtol=0, atol=1e-5)


@pytest.mark.parametrize('name', ['musicnn_train', 'triaxial_mel_paper'])
def test_images_without_such_an_offset_are_not_folded(name):
    front_end = create_front_end(name, RATE_HZ)
    assert front_end.scaling == 'train'
    assert folded_scaling(front_end, 0.5) is None
    assert folded_scaling(front_end, (0.5,)) is None


@pytest.mark.parametrize('name', [*LOG_MEL, 'musicnn_train', 'fault_orders', 'waveform'])
def test_a_gain_of_one_needs_no_folding(name):
    front_end = create_front_end(name, RATE_HZ)
    for gain in (1.0, (1.0,), (1.0, 1.0, 1.0)):
        assert folded_scaling(front_end, gain) is identity


def test_neutral_gains():
    assert is_neutral(1.0)
    assert is_neutral((1.0, 1.0))
    assert not is_neutral(0.999)
    assert not is_neutral((1.0, 0.5))
    # Means and deviations of a table: even those that change nothing are of another kind.
    assert not is_neutral(((1.0, 1.0), (1.0, 1.0)))


def test_what_is_left_to_scale_where_scaling_is_folded(readings):
    front_end = create_front_end('triaxial_mel', RATE_HZ)
    assert neutral_gain(front_end, 0.2) == 1.0
    assert neutral_gain(front_end, (0.2, 3.0, 4.0)) == (1.0, 1.0, 1.0)
    assert neutral_gain(READINGS, ZSCORES) == ((0.0,) * 4, (1.0,) * 4)
    np.testing.assert_array_equal(READINGS.with_gain(readings, neutral_gain(READINGS, ZSCORES)), readings)
    patches = log_mel(front_end, 3)
    np.testing.assert_array_equal(front_end.with_gain(patches, neutral_gain(front_end, (0.2, 3.0, 4.0))), patches)
