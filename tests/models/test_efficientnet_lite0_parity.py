"""EfficientNet-Lite0 against arrays that its port to torch computed (tests/golden/make_efficientnet_lite0.py)."""

from __future__ import annotations

import importlib.util
import pathlib

import jax
import numpy as np
import optax
import pytest

from fdx.models import create_model
from fdx.models.inverted_bottleneck import MOMENTUM
from fdx.weights.efficientnet_lite0 import TABLE
from fdx.weights.names import LAYOUTS, convert_state_dict
from fdx.weights.structure import file_template, file_tree, tree_variables
from fdx.weights.trees import flatten_tree

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / 'golden'


@pytest.fixture(scope='module')
def made():
    path = GOLDEN / 'make_efficientnet_lite0.py'
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def expected():
    with np.load(GOLDEN / 'efficientnet_lite0.npz') as arrays:
        return dict(arrays)


@pytest.fixture(scope='module')
def model(made):
    return create_model('efficientnet_lite0', made.CLASSES)


@pytest.fixture(scope='module')
def variables(made, model):
    template = file_template(model, classes=made.CLASSES)
    return tree_variables(convert_state_dict(made.seeded_state_dict(), TABLE, template))


def torch_names(variables) -> dict[str, np.ndarray]:
    """fdx's variables as a state dict of the port, in torch's layouts."""
    flat = flatten_tree(file_tree(variables))
    return {e.source: np.asarray(flat[e.target]).transpose(np.argsort(LAYOUTS[e.layout])) for e in TABLE.entries}


def with_the_ports_momentum(before, after):
    """The state dict `after` a step, its running statistics moved by 0.01 of the way, as the port moves them."""
    running = ('running_mean', 'running_var')
    return {
        name: before[name] + (0.01 / MOMENTUM) * (np.float64(value) - before[name]) if name.endswith(running) else value
        for name, value in after.items()
    }


def test_logits_in_evaluation(made, model, variables, expected):
    forward = jax.jit(lambda v, x: model.apply(v, x)[0])
    for i, shape in enumerate(made.SHAPES):
        logits = forward(variables, made.seeded_images(shape))
        assert logits.shape == (shape[0], made.CLASSES)
        np.testing.assert_allclose(logits, expected[f'logits_{i}'], rtol=0, atol=1e-4, err_msg=str(shape))
        # The tolerance means something: logits are far larger.
        assert np.abs(expected[f'logits_{i}']).max() > 1


def training_step(made, model, variables):
    """(loss, variables) after one step of gradient descent by fdx."""

    @jax.jit
    def step(variables, x, labels):
        def loss_fn(params):
            (logits, _), new = model.apply({**variables, 'params': params}, x, train=True, mutable=['batch_stats'])
            return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean(), new

        (loss, new), grads = jax.value_and_grad(loss_fn, has_aux=True)(variables['params'])
        params = jax.tree.map(lambda p, g: p - made.LEARNING_RATE * g, variables['params'], grads)
        return loss, {'params': params, **new}

    return step(variables, made.seeded_images(made.TRAIN_SHAPE, made.TRAIN_SEED), made.seeded_labels())


def test_a_training_step(made, model, variables, expected):
    loss, after = training_step(made, model, variables)
    assert abs(float(loss) - expected['loss']) < 1e-4
    before = made.seeded_state_dict()
    found = made.summary(before, with_the_ports_momentum(before, torch_names(after)))
    names = [name for name in before if not name.endswith('num_batches_tracked')]
    assert found['projections'].shape == (len(names), made.SIGNS)
    assert set(found) == set(expected) - {'loss', *(f'logits_{i}' for i in range(len(made.SHAPES)))}
    for key, value in found.items():
        difference = np.abs(np.asarray(value, np.float64) - expected[key])
        assert difference.max() < 1e-4, (key, difference.max())
    off = dict(zip(names, np.abs(found['projections'] - expected['projections']).max(1)))
    moved = dict(zip(names, expected['change_norms']))
    kernels = [n for n in names if n.endswith('conv.weight') or n.startswith(('_conv', '_fc'))]
    assert len(kernels) == 51 and min(moved[n] for n in kernels) > 1e-3
    assert max(off[n] / moved[n] for n in kernels) < 1e-3
    # Norms' scales are near 1, so that their small change has fewer digits.
    learnt = [n for n in names if not n.endswith(('running_mean', 'running_var'))]
    assert max(off[n] for n in learnt) < 2e-5
    # What the last norm of a block adds, the norms behind the next 1x1 convolutions take away: no gradient reaches it.
    added = [n for n in learnt if n.endswith('_bn2.bias')]
    assert len(added) == 16 and max(moved[n] for n in added) < 1e-6
    assert min(moved[n] for n in learnt if n not in added) > 2e-4
    # The port's statistics move by a hundredth of the way.
    for key in (f'{name}.{kind}' for name in made.WHOLE for kind in ('running_mean', 'running_var')):
        np.testing.assert_allclose(found[f'after_{key}'], expected[f'after_{key}'], rtol=0, atol=1e-5)
        assert np.abs(expected[f'after_{key}'] - before[key]).max() > 1e-3, key
        if key.endswith('var'):
            assert np.all(expected[f'after_{key}'] > 0.98 * before[key])
