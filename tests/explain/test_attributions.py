"""The laws of the methods: completeness, what a linear network must get, and the check of random weights."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

from fdx.explain.explanation import rank_correlation
from fdx.explain.grad_cam import grad_cam
from fdx.explain.integrated_gradients import integrated_gradients
from fdx.explain.network import Network
from fdx.explain.occlusion import cells_of, occlusion
from fdx.explain.spectral import attribution_of_frequencies
from fdx.types import ConfigError


def test_log_odds_are_those_of_the_softmax(small, image):
    images = np.stack([image, 2 * image, 0 * image])
    p = scipy.special.softmax(small.logits(images).astype(np.float64), axis=1)
    for which in range(3):
        found = small.log_odds(images, np.full(3, which, np.int32))
        np.testing.assert_allclose(found, np.log(p[:, which] / (1 - p[:, which])), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ('model', 'shape', 'options'),
    [
        ('cnn_small', (16, 12, 2), {'width_multiplier': 0.25}),
        ('cnn1d', (64, 1, 1), {'width_multiplier': 0.125}),
        ('band_linear', (8, 6, 1), {}),
        ('mlp', (5,), {}),
    ],
)
def test_integrated_gradients_add_up_to_the_change_of_the_score(make_network, model, shape, options):
    """Completeness, for networks of every kind of input."""
    network = make_network(model, shape, **options)
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    found = integrated_gradients(network, x, np.full(shape, 0.1, np.float32), 1, steps=128)
    assert found.values.shape == shape
    assert abs(found.difference) > 1e-3
    assert found.gap < 0.02 * abs(found.difference) + 1e-3


def test_values_that_are_as_in_the_baseline_get_nothing(small, image):
    baseline = image.copy()
    baseline[4:8] += 1
    values = integrated_gradients(small, image, baseline, 0, steps=8).values
    assert np.abs(values[:4]).max() == np.abs(values[8:]).max() == 0 < np.abs(values[4:8]).max()


def test_a_linear_score_is_explained_exactly(make_network):
    """Two classes of a linear network: the log odds are linear, so both methods give weight times shift."""
    network = make_network('band_linear', (8, 6, 1))
    x = np.random.default_rng(0).normal(size=(8, 6, 1)).astype(np.float32)
    kernel = np.asarray(network.variables['params']['head']['kernel']).copy()
    # The third class never wins, so that the first two are alone.
    kernel[:, 2] = 0
    variables = {**network.variables, 'params': {**network.variables['params']}}
    variables['params']['head'] = {'kernel': kernel, 'bias': np.array([0, 0, -50], np.float32)}
    linear = Network(network.model, variables, network.input_shape)
    scale = 1 / np.sqrt(1 + 1e-2)
    want = x[..., 0] * (kernel[:, 0] - kernel[:, 1])[None, :] * scale / 8
    zero = np.zeros_like(x)
    np.testing.assert_allclose(integrated_gradients(linear, x, zero, 0, 4).values[..., 0], want, atol=1e-5)

    def score(images):
        return linear.log_odds(images, np.zeros(len(images), np.int32))

    np.testing.assert_allclose(occlusion(score, x, zero)[..., 0], want, atol=1e-5)


def test_explanations_change_when_weights_are_random(small, image):
    """The sanity check of Adebayo et al. (2018): what was learned decides the picture, and not the input alone."""
    zero, other = np.zeros_like(image), small.with_random_weights(seed=7)
    first, again = (integrated_gradients(small, image, zero, 1, 8).values for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert rank_correlation(first, again) == pytest.approx(1.0)
    assert rank_correlation(first, integrated_gradients(other, image, zero, 1, 8).values) < 0.7
    assert not np.allclose(grad_cam(small, image, 1), grad_cam(other, image, 1))


def test_grad_cam_weighs_the_last_map_by_its_mean_gradients(small, image):
    assert small.map_stage == 'stage3'
    maps, gradients = small.map_and_gradients(image[None], np.array([1], np.int32))
    heat = np.maximum((maps[0] * gradients[0].mean(axis=(0, 1))).sum(axis=-1), 0)
    found = grad_cam(small, image, 1)
    assert found.shape == image.shape and found.min() >= 0
    np.testing.assert_array_equal(found[..., 0], found[..., 1])
    assert found.max() <= heat.max() + 1e-6
    # The gradient of the map is that of the score: a small step along it changes the score as it says.
    step = 1e-2 * gradients[0] / np.linalg.norm(gradients[0])

    def score(m):
        logits = small.model.apply(small.variables, m[None], train=False, start=3)[0][0]
        return logits[1] - scipy.special.logsumexp(np.delete(np.asarray(logits, np.float64), 1))

    assert score(maps[0] + step) - score(maps[0]) == pytest.approx(1e-2 * np.linalg.norm(gradients[0]), rel=0.05)


def test_a_network_without_convolutions_has_no_grad_cam(make_network):
    for model, shape in (('band_linear', (8, 6, 1)), ('mlp', (5,))):
        network = make_network(model, shape)
        assert network.map_stage is None
        with pytest.raises(ConfigError, match=rf'{model} has no convolution.*`methods`'):
            network.map_and_gradients(np.zeros((1, *shape), np.float32), np.zeros(1, np.int32))


@pytest.mark.parametrize('shape', [(96, 64, 1), (24, 6, 3), (1024, 1, 1), (7, 5, 8), (9,), (1, 1, 1)])
def test_cells_cover_every_value_once(shape):
    seen = np.zeros(shape, int)
    for cell in cells_of(shape):
        seen[cell] += 1
    assert (seen == 1).all()
    assert len(cells_of(shape)) <= 12 * 12 * 5


def test_frequencies_are_worth_what_the_samples_are_worth():
    rng = np.random.default_rng(0)
    for length in (64, 65):
        shift, gradient = rng.normal(size=(2, length, 1, 2))
        worth = attribution_of_frequencies(shift, gradient)
        assert worth.shape == (length // 2 + 1, 1, 2)
        np.testing.assert_allclose(worth.sum(axis=0), (shift * gradient).sum(axis=0))
    t = np.arange(64)
    tone = np.cos(2 * np.pi * 5 * t / 64)[:, None, None]
    assert attribution_of_frequencies(tone, tone)[:, 0, 0].argmax() == 5
