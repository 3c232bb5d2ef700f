"""torchvggish's names and layouts, against features that an independent implementation computed."""

from __future__ import annotations

import logging

import jax
import numpy as np
import pytest

from fdx.models import create_model
from fdx.types import WeightsError
from fdx.weights.names import Entry, NameTable, convert_state_dict
from fdx.weights.trees import flatten_tree
from fdx.weights.vggish import TABLE, convert_vggish


@pytest.fixture(scope='module')
def golden(golden_folder):
    with np.load(golden_folder / 'vggish_features.npz') as arrays:
        return dict(arrays)


@pytest.mark.parametrize(('name', 'multiplier'), [('eighth', 0.125), ('full', 1.0)])
def test_features_agree_with_torch(name, multiplier, golden, make_vggish):
    params = convert_vggish(make_vggish.seeded_state_dict(multiplier), width_multiplier=multiplier)
    model = create_model('vggish', 1, width_multiplier=multiplier)
    x = make_vggish.seeded_input()[..., None]
    _, features = jax.jit(lambda p, v: model.apply({'params': p}, v, stop=7))(params, x)
    found = {
        'stage4_mean': features['stage4'].mean(axis=(1, 2)),
        'embedding_linear': features['embedding_linear'],
        'embedding': features['embedding'],
    }
    for key, value in found.items():
        expected = golden[f'{name}_{key}']
        assert value.shape == expected.shape
        assert np.abs(value - expected).max() < 1e-4 * np.abs(expected).max(), key
    assert np.abs(golden[f'{name}_embedding_linear'] - golden[f'{name}_embedding']).max() > 1.0


def test_conversion_can_be_undone(slim_state, slim_width):
    flat = flatten_tree(convert_vggish(slim_state, width_multiplier=slim_width))
    assert set(flat) == {e.target for e in TABLE.entries}
    for e in TABLE.entries:
        back = {'conv': (3, 2, 0, 1), 'linear': (1, 0), 'vector': (0,)}[e.layout]
        np.testing.assert_array_equal(flat[e.target].transpose(back), slim_state[e.source], err_msg=e.source)
        assert flat[e.target].flags.c_contiguous and flat[e.target].dtype == np.float32


def test_pca_parameters_are_left_out_and_logged(slim_state, slim_width, caplog):
    plain = convert_vggish(slim_state, width_multiplier=slim_width)
    slim_state['pproc.pca_means'] = np.zeros((128, 1), np.float32)
    slim_state['pproc.pca_eigen_vectors'] = np.zeros((128, 128), np.float32)
    with caplog.at_level(logging.INFO, logger='fdx.weights.names'):
        found = convert_vggish(slim_state, width_multiplier=slim_width)
    assert jax.tree.all(jax.tree.map(np.array_equal, found, plain))
    assert caplog.messages == ['left out on purpose, fdx does not use them: pproc.pca_eigen_vectors, pproc.pca_means']


def test_the_error_prints_the_whole_difference(slim_state, slim_width):
    del slim_state['features.3.bias']
    slim_state['features.0.weight'] = np.zeros((1, 3, 3, 3), np.float32)
    slim_state['xpproc.a'] = np.zeros(2, np.float32)
    with pytest.raises(WeightsError, match='torchvggish') as e:
        convert_vggish(slim_state, width_multiplier=slim_width)
    assert str(e.value).splitlines()[1:] == [
        '- features.0.weight [1, 1, 3, 3]',
        '+ features.0.weight [1, 3, 3, 3]',
        '- features.3.bias [2]',
        '+ xpproc.a [2]',
    ]


def test_a_transposed_linear_layer_is_an_error(slim_state, slim_width):
    slim_state['embeddings.0.weight'] = slim_state['embeddings.0.weight'].T
    with pytest.raises(WeightsError, match=r'(?s)- embeddings\.0\.weight \[64, 192\]\n\+ embeddings\.0\.weight \[192'):
        convert_vggish(slim_state, width_multiplier=slim_width)


def test_another_width_is_an_error(slim_state):
    with pytest.raises(WeightsError, match=r'- features\.13\.weight \[512, 512, 3, 3\]'):
        convert_vggish(slim_state)


def test_values_that_are_not_finite_are_an_error(slim_state, slim_width):
    slim_state['embeddings.2.bias'] = np.full(64, np.nan, np.float32)
    with pytest.raises(WeightsError, match=r'embeddings\.2\.bias: 64 of 64 .*not finite'):
        convert_vggish(slim_state, width_multiplier=slim_width)


def test_half_precision_becomes_the_models(slim_state, slim_width):
    half = {k: v.astype(np.float16) for k, v in slim_state.items()}
    flat = flatten_tree(convert_vggish(half, width_multiplier=slim_width))
    assert flat['fc2/bias'].dtype == np.float32
    np.testing.assert_array_equal(flat['fc2/bias'], half['embeddings.2.bias'].astype(np.float32))


def test_a_table_that_does_not_cover_the_model_is_an_error():
    table = NameTable('a test', (Entry('w', 'fc/kernel', 'linear'),))
    template = {'fc': {'kernel': np.zeros((2, 3)), 'bias': np.zeros(3)}}
    with pytest.raises(WeightsError, match=r'(?s)name table of a test .*:\n- fc/bias \[3\]$'):
        convert_state_dict({'w': np.zeros((3, 2))}, table, template)
