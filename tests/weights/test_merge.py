"""Law 9: weights load strictly."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.types import WeightsError
from fdx.weights.merge import merge_params, merge_variables
from fdx.weights.trees import flatten_tree, shape_difference, unflatten_tree


def tree(value: float, classes: int = 3):
    return {
        'stage1': {
            'conv1': {'kernel': np.full((3, 3, 1, 2), value, np.float32), 'bias': np.full(2, value, np.float32)}
        },
        'header': {'kernel': np.full((2, 2), value, np.float32)},
        'head': {'kernel': np.full((2, classes), value, np.float32)},
    }


def test_loaded_arrays_replace_all_but_the_head():
    merged = merge_params(tree(0.0), tree(1.0, classes=7))
    assert {k: (float(v.mean()), v.shape) for k, v in flatten_tree(merged).items()} == {
        'stage1/conv1/kernel': (1.0, (3, 3, 1, 2)),
        'stage1/conv1/bias': (1.0, (2,)),
        'header/kernel': (1.0, (2, 2)),
        'head/kernel': (0.0, (2, 3)),
    }


def test_the_head_may_be_absent_and_replace_may_be_deep_or_empty():
    loaded = tree(1.0)
    del loaded['head'], loaded['stage1']['conv1']['bias']
    merged = merge_params(tree(0.0), loaded, replace=('head', 'stage1/conv1/bias'))
    assert merged['stage1']['conv1']['bias'].tolist() == [0.0, 0.0]
    assert merged['stage1']['conv1']['kernel'].mean() == 1.0
    assert merge_params(tree(0.0), tree(1.0), replace=())['head']['kernel'].mean() == 1.0


def test_the_error_prints_the_whole_difference():
    loaded = tree(1.0)
    del loaded['header']
    loaded['stage1']['conv1']['bias'] = np.ones(4, np.float32)
    loaded['stage9'] = {'kernel': np.ones((1, 5), np.float32)}
    with pytest.raises(WeightsError) as e:
        merge_params(tree(0.0), loaded)
    assert str(e.value).splitlines()[1:] == [
        '- header/kernel [2, 2]',
        '- stage1/conv1/bias [2]',
        '+ stage1/conv1/bias [4]',
        '+ stage9/kernel [1, 5]',
    ]


def test_without_replace_another_head_is_an_error():
    with pytest.raises(WeightsError, match=r'(?s)- head/kernel \[2, 3\]\n\+ head/kernel \[2, 7\]'):
        merge_params(tree(0.0), tree(1.0, classes=7), replace=())


def test_a_prefix_that_matches_nothing_is_an_error():
    with pytest.raises(WeightsError, match="replace='hea' .* head, header, stage1"):
        merge_params(tree(0.0), tree(1.0), replace=('hea',))


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_values_that_are_not_finite_are_an_error(bad):
    loaded = tree(1.0)
    loaded['stage1']['conv1']['kernel'][1, 1, 0, 1] = bad
    with pytest.raises(WeightsError, match='stage1/conv1/kernel: 1 of 18 .*not finite'):
        merge_params(tree(0.0), loaded)
    loaded = tree(1.0)
    loaded['head']['kernel'][:] = bad
    assert merge_params(tree(0.0), loaded)['head']['kernel'].mean() == 0.0


def test_the_dtype_is_that_of_the_model():
    init = {'a': jax.ShapeDtypeStruct((2,), jnp.bfloat16), 'b': jnp.zeros(1, jnp.int32), 'head': jnp.zeros(1)}
    merged = merge_params(init, {'a': np.array([1.0, 1.00390625]), 'b': np.array([3], np.int64)})
    assert merged['a'].dtype == jnp.bfloat16 and merged['a'].tolist() == [1.0, 1.0]
    assert merged['b'].dtype == np.int32 and merged['b'].tolist() == [3]
    with pytest.raises(WeightsError, match='b: .* float64, the model .*int32'):
        merge_params(init, {'a': np.ones(2), 'b': np.ones(1)})
    with pytest.raises(WeightsError, match='a: 1 of 2 .*not finite .*float16'):
        merge_params({'a': np.zeros(2, np.float16)}, {'a': np.array([1e6, 1.0])}, replace=())


def test_flat_names_and_trees_are_each_others_reverse():
    flat = flatten_tree(tree(1.0))
    again = unflatten_tree(flat)
    assert jax.tree.structure(again) == jax.tree.structure(tree(1.0))
    assert shape_difference(flat, flatten_tree(again)) == []


@pytest.mark.parametrize('names', [('a', 'a/b'), ('a/b', 'a'), ('a//b',), ('',), ('/a',), ('a/',)])
def test_names_that_are_no_tree_are_refused(names):
    with pytest.raises(WeightsError):
        unflatten_tree({name: np.zeros(1) for name in names})


@pytest.mark.parametrize('bad', [{'a/b': 1}, {'': 1}, {3: 1}, {'a': {}}])
def test_trees_that_have_no_flat_names_are_refused(bad):
    with pytest.raises(WeightsError):
        flatten_tree(bad)


def variables(value: float, classes: int = 3):
    return {
        'params': {'stem': {'scale': np.full(2, value)}, 'head': {'bias': np.full(classes, value)}},
        'batch_stats': {'stem': {'mean': np.full(2, value)}, 'tail': {'mean': np.full(1, value)}},
    }


def test_variables_are_merged_with_their_statistics():
    merged = merge_variables(variables(0.0), variables(1.0, classes=7))
    assert jax.tree.map(list, merged) == {
        'params': {'stem': {'scale': [1, 1]}, 'head': {'bias': [0, 0, 0]}},
        'batch_stats': {'stem': {'mean': [1, 1]}, 'tail': {'mean': [1]}},
    }
    merged = merge_variables(variables(0.0), variables(1.0), replace=('stem',))
    assert jax.tree.map(float, jax.tree.map(np.max, merged)) == {
        'params': {'stem': {'scale': 0}, 'head': {'bias': 1}},
        'batch_stats': {'stem': {'mean': 0}, 'tail': {'mean': 1}},
    }


def test_statistics_are_merged_strictly():
    loaded = variables(1.0)
    del loaded['batch_stats']['tail']
    loaded['params']['stem']['bias'] = np.ones(2)
    with pytest.raises(WeightsError) as e:
        merge_variables(variables(0.0), loaded)
    assert str(e.value).splitlines()[1:] == ['- batch_stats/tail/mean [1]', '+ stem/bias [2]']
    without = {'params': variables(1.0)['params']}
    assert merge_variables(without, without) == without
    with pytest.raises(WeightsError, match=r'\n\+ batch_stats/stem/mean \[2\]\n\+ batch_stats/tail/mean \[1\]$'):
        merge_variables(without, variables(1.0))
    with pytest.raises(WeightsError, match=r'\n- batch_stats/stem/mean \[2\]\n- batch_stats/tail/mean \[1\]$'):
        merge_variables(variables(1.0), without)
