"""ResNet-50 by fdx on the seeded weights of tests/golden/make_resnet50.py, to hold against torchvision's arrays."""

from __future__ import annotations

import importlib.util
import pathlib

import jax
import numpy as np
import optax
import pytest

from fdx.models import create_model
from fdx.weights.names import LAYOUTS, convert_state_dict
from fdx.weights.resnet50 import TABLE
from fdx.weights.structure import file_template, file_tree, tree_variables
from fdx.weights.trees import flatten_tree

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / 'golden'


@pytest.fixture(scope='session')
def golden_folder():
    return GOLDEN


@pytest.fixture(scope='session')
def make_resnet50():
    path = GOLDEN / 'make_resnet50.py'
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def torch_names(variables) -> dict[str, np.ndarray]:
    """fdx's variables as a state dict of torchvision, in torch's layouts."""
    flat = flatten_tree(file_tree(variables))
    return {e.source: np.asarray(flat[e.target]).transpose(np.argsort(LAYOUTS[e.layout])) for e in TABLE.entries}


@pytest.fixture(scope='session')
def fdx_arrays(make_resnet50):
    """What `make_resnet50.torch_arrays` computes, by fdx: logits, loss, and the summary of one training step."""
    made = make_resnet50
    model, state = create_model('resnet50', made.CLASSES), made.seeded_state_dict()
    variables = tree_variables(convert_state_dict(state, TABLE, file_template(model, classes=made.CLASSES)))
    forward = jax.jit(lambda v, x: model.apply(v, x)[0])
    arrays = {f'logits_{i}': forward(variables, made.seeded_images(s)) for i, s in enumerate(made.SHAPES)}

    @jax.jit
    def step(variables, x, labels):
        def loss_fn(params):
            (logits, _), new = model.apply({**variables, 'params': params}, x, train=True, mutable=['batch_stats'])
            return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean(), new

        (loss, new), grads = jax.value_and_grad(loss_fn, has_aux=True)(variables['params'])
        params = jax.tree.map(lambda p, g: p - made.LEARNING_RATE * g, variables['params'], grads)
        return loss, {'params': params, **new}

    loss, after = step(variables, made.seeded_images(made.TRAIN_SHAPE), made.seeded_labels())
    return arrays | {'loss': loss} | made.summary(state, torch_names(after))


@pytest.fixture(scope='session')
def assert_parity(make_resnet50):
    """Asserts that two sets of such arrays agree: values within 1e-4, changes of parameters within 0.3 % of them."""

    def compare(found, expected):
        assert set(found) == set(expected)
        names = [name for name in make_resnet50.shapes() if not name.endswith('num_batches_tracked')]
        assert found['projections'].shape == (len(names), make_resnet50.SIGNS)
        for key, value in expected.items():
            difference = np.abs(np.asarray(found[key], np.float64) - value)
            # Of gradients more is allowed. One processor's rounding decides as if one ReLU behind layer2.3.bn1 fell on
            # its other side: below it changes differ by up to 0.1 %, above it by less than 0.02 %, no value by 1e-4.
            limit = 2e-3 if key == 'projections' else 1e-4
            assert difference.max() < limit, (key, difference.max())
        # The step is no small one: every array moved, kernels of all stages by far more than the tolerance.
        moved = dict(zip(names, expected['change_norms']))
        assert min(moved.values()) > 1e-3
        assert min(v for k, v in moved.items() if 'conv' in k) > 0.01
        relative = np.abs(found['projections'] - expected['projections']).max(1) / expected['change_norms']
        assert relative.max() < 3e-3, (names[relative.argmax()], relative.max())

    return compare
