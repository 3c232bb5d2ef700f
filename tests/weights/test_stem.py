"""The rule for one channel and three: images with one content in all channels keep their logits."""

from __future__ import annotations

import logging

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.models import create_model
from fdx.types import WeightsError
from fdx.weights.pretrained import load_pretrained, read_pretrained
from fdx.weights.stem import adapt_stem, stem_change
from fdx.weights.structure import variable_shapes


def tree(kernel):
    return {'stem': {'conv': {'kernel': kernel}, 'bn': {'scale': np.ones(2)}}, 'head': {'bias': np.ones(3)}}


def kernel_of(params):
    return params['stem']['conv']['kernel']


def test_three_channels_are_summed_and_one_is_shared_out():
    kernel = np.arange(12, dtype=np.float32).reshape(1, 2, 3, 2)
    one = kernel_of(adapt_stem(tree(kernel), 1))
    assert one.tolist() == [[[[6, 9]], [[24, 27]]]]  # 0 + 2 + 4, 1 + 3 + 5, ...
    three = kernel_of(adapt_stem(tree(one), 3))
    assert three.tolist() == [[[[2, 3]] * 3, [[8, 9]] * 3]]
    assert one.dtype == three.dtype == np.float32


def test_only_the_stem_is_changed_and_it_is_said(caplog):
    params = tree(np.ones((7, 7, 3, 2), np.float32))
    with caplog.at_level(logging.INFO, logger='fdx.weights.stem'):
        found = adapt_stem(params, 1)
    assert caplog.messages == ['the stem kernel is summed over its 3 input channels for 1 channel']
    assert caplog.messages == [stem_change(params, 1)]
    assert kernel_of(params).shape == (7, 7, 3, 2)
    assert found['stem']['bn']['scale'] is params['stem']['bn']['scale'] and found['head'] is params['head']
    words = 'the stem kernel of 1 input channel is copied to 3 and divided by 3'
    assert stem_change(tree(np.ones((7, 7, 1, 2))), 3) == words


def test_the_same_channels_and_other_networks_are_left_alone():
    params = tree(jnp.ones((7, 7, 3, 2)))
    assert stem_change(params, 3) is None and kernel_of(adapt_stem(params, 3)) is kernel_of(params)
    vggish = {'stage1': {'conv1': {'kernel': np.ones((3, 3, 3, 2))}}}
    for other in (vggish, tree(np.ones((3, 2))), {'stem': np.ones(1)}):
        assert stem_change(other, 1) is None and adapt_stem(other, 1) == other


@pytest.mark.parametrize(('given', 'channels'), [(3, 2), (2, 1), (4, 3), (1, 2), (0, 1)])
def test_other_numbers_of_channels_are_an_error(given, channels):
    with pytest.raises(WeightsError, match=f'stem/conv/kernel .* {given} input channels, .* {channels}: .*at random'):
        adapt_stem(tree(np.ones((7, 7, given, 2), np.float32)), channels)


def test_grey_images_keep_their_logits(resnet_pth, slim_resnet):
    model = create_model('resnet50', 7, **slim_resnet)
    logits = jax.jit(lambda v, x: model.apply(v, x)[0])
    grey = np.random.default_rng(0).standard_normal((2, 40, 24, 1)).astype(np.float32)
    colour = np.repeat(grey, 3, axis=-1)
    three = load_pretrained(resnet_pth, model, input_shape=(40, 24, 3))
    one, notes = read_pretrained(resnet_pth, model, input_shape=(40, 24, 1))[:2]
    assert notes[1:] == ('the stem kernel is summed over its 3 input channels for 1 channel',)
    assert jax.tree.map(np.shape, one) == jax.tree.map(lambda s: s.shape, variable_shapes(model, (40, 24, 1)))
    expected = logits(three, colour)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(logits(one, grey), expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    back = {**one, 'params': adapt_stem(one['params'], 3)}
    np.testing.assert_allclose(logits(back, colour), expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    assert np.abs(kernel_of(back['params']) - kernel_of(three['params'])).max() > 0.01


def test_weights_of_one_channel_serve_three(tmp_path, resnet_names, torch_bytes, slim_resnet):
    state = resnet_names.seeded_state(depths=slim_resnet['depths'], multiplier=1 / 16, channels=1, classes=7)
    (tmp_path / 'one.pth').write_bytes(torch_bytes.state_file(state))
    model = create_model('resnet50', 7, **slim_resnet)
    variables, notes = read_pretrained(tmp_path / 'one.pth', model, input_shape=(40, 24, 3))[:2]
    found, kernel = kernel_of(variables['params']), state['conv1.weight'].transpose(2, 3, 1, 0)
    assert found.shape == (7, 7, 3, 4) and notes[1].startswith('the stem kernel of 1 input channel')
    np.testing.assert_allclose(found[:, :, [1]] * 3, kernel, rtol=1e-6)
    np.testing.assert_array_equal(found[:, :, 0], found[:, :, 2])


def test_a_file_of_other_channels_names_the_file(resnet_pth, slim_resnet):
    with pytest.raises(
        WeightsError, match=r'resnet50-tiny\.pth: stem/conv/kernel .* 3 input channels, .* 2: .*at random'
    ):
        load_pretrained(resnet_pth, create_model('resnet50', 7, **slim_resnet), input_shape=(40, 24, 2))


def test_a_stem_of_another_size_is_still_a_difference(tmp_path, resnet_state, torch_bytes, slim_resnet):
    resnet_state['conv1.weight'] = resnet_state['conv1.weight'][:, :, 1:, 1:]
    (tmp_path / 'six.pth').write_bytes(torch_bytes.state_file(resnet_state))
    with pytest.raises(WeightsError, match=r'\n- conv1\.weight \[4, 3, 7, 7\]\n\+ conv1\.weight \[4, 3, 6, 6\]$'):
        load_pretrained(tmp_path / 'six.pth', create_model('resnet50', 7, **slim_resnet), input_shape=(40, 24, 1))
