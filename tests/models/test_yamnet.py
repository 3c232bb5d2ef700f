"""YAMNet: sizes of the published network, stages, norms and embedding; tests/weights/test_yamnet.py has its parity."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.models import create_model
from fdx.models.yamnet import CLASSES, WIDTHS, YAMNet, norm_paths
from fdx.train.partition import freezing_rules, frozen_norms, frozen_prefix, trainable_mask


def shapes_of(model, shape=(96, 64, 1)):
    variables = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, *shape)))
    return variables, jax.eval_shape(model.apply, variables, jnp.zeros((2, *shape)))


@pytest.fixture(scope='module')
def published():
    return shapes_of(create_model('yamnet', CLASSES))


def test_the_published_network_has_its_sizes(published):
    """3,740,425 values of TensorFlow's network and scales: its 3.75 million count the statistics, too."""
    variables, (logits, features) = published
    count = {kind: sum(leaf.size for leaf in jax.tree.leaves(tree)) for kind, tree in variables.items()}
    norms = sum(leaf.size for leaf in jax.tree.leaves(variables['batch_stats'])) // 2
    assert count == {'params': 3740425, 'batch_stats': 2 * norms} and norms == 10944
    assert logits.shape == (2, 521)
    assert features['embedding'].shape == (2, 1024) and features['stage13'].shape == (2, 3, 2, 1024)
    assert [features[f'stage{i}'].shape[-1] for i in range(1, 14)] == list(WIDTHS)
    rows = [features[name].shape[1] for name in YAMNet.STAGES[:-1]]
    assert rows == [48, 48, 24, 24, 12, 12, 6, 6, 6, 6, 6, 6, 3, 3]


@pytest.mark.parametrize('shape', [(1, 1, 1), (61, 47, 1), (16, 64, 1)])
def test_patches_of_any_size_have_one_embedding(shape):
    _, (logits, features) = shapes_of(create_model('yamnet', 3, width_multiplier=1 / 8), shape)
    assert (logits.shape, features['embedding'].shape) == ((2, 3), (2, 128))


def test_norms_are_named_in_the_order_of_the_network(published):
    assert norm_paths()[:3] == ('stem/bn', 'stage1/depthwise_bn', 'stage1/pointwise_bn')
    assert (len(norm_paths()), norm_paths()[-1]) == (27, 'stage13/pointwise_bn')


def test_blocks_are_frozen_with_the_stem_in_front_of_them(published):
    params, stats = (published[0][kind] for kind in ('params', 'batch_stats'))
    mask = trainable_mask(params, freezing_rules('first_blocks:6', YAMNet(3)))
    assert frozen_prefix(YAMNet(3), mask) == 7
    frozen = frozen_norms(stats, mask)
    assert set(frozen) == set(norm_paths()[: 1 + 2 * 6])


def test_rules_can_train_all_but_the_norms(published, tmp_path):
    """What a folded network is fine-tuned with: its norms stay the identity."""
    path = tmp_path / 'rules.txt'
    path.write_text('freeze .*bn/.*\ntrain (?!.*bn/).*  # convolutions and classifier\n')
    mask = trainable_mask(published[0]['params'], freezing_rules(str(path), YAMNet(3)))
    assert set(frozen_norms(published[0]['batch_stats'], mask)) == set(norm_paths())
    assert frozen_prefix(YAMNet(3), mask) == 0


def test_the_embedding_is_the_mean_of_the_last_map():
    model = YAMNet(3)
    y = np.random.default_rng(0).standard_normal((2, 3, 2, 1024)).astype(np.float32)
    np.testing.assert_allclose(model.embed(jnp.asarray(y)), y.mean((1, 2)), rtol=1e-5, atol=1e-6)
