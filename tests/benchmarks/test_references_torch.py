"""What the reference runs compute in PyTorch: fdx's network, the terms against plain NumPy, and short runs.

In this environment, or in that of FDX_TORCH_PYTHON.
"""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import jax
import numpy as np
import pytest

from fdx.benchmarks.speed_networks import CLASSES, NETWORKS
from fdx.models import create_model
from fdx.models.registry import options_for
from fdx.weights.structure import variable_shapes

HERE = pathlib.Path(__file__).resolve().parent
COUNT = 6  # as in torch_references.py


@pytest.fixture(scope='module')
def torch_python() -> str:
    named = os.environ.get('FDX_TORCH_PYTHON')
    if named is None and importlib.util.find_spec('torch') is None:
        pytest.skip('torch is not installed: name a python that has it in FDX_TORCH_PYTHON')
    return named or sys.executable


@pytest.fixture(scope='module')
def both(torch_python, tmp_path_factory) -> tuple[dict, dict]:
    """(what PyTorch was given, what it found)."""
    folder, rng = tmp_path_factory.mktemp('torch'), np.random.default_rng(0)
    model = create_model('cnn1d', 5)
    windows = rng.standard_normal((3, 96, 1, 1)).astype(np.float32)
    variables = model.init(jax.random.key(0), windows)
    # Statistics and biases of a fresh network are 0 and 1, and would hide an exchange.
    variables = jax.tree.map(lambda x: x + 0.1 * np.abs(rng.standard_normal(x.shape).astype(np.float32)), variables)
    given = {'/'.join(k.key for k in path): np.asarray(x) for path, x in jax.tree_util.tree_leaves_with_path(variables)}
    given['windows'] = windows
    given['features'] = rng.gamma(1.0, 0.6, (COUNT + 4, 7)).astype(np.float32)
    given['logits'] = rng.standard_normal((COUNT + 4, 3)).astype(np.float32)
    np.savez(folder / 'given.npz', **given)
    command = [torch_python, HERE / 'torch_references.py', folder / 'given.npz', folder / 'found.npz']
    subprocess.run(command, check=True, timeout=300)
    logits, named = model.apply(variables, windows)
    given |= {'net_logits': np.asarray(logits), 'net_features': np.asarray(named['embedding'])}
    with np.load(folder / 'found.npz') as file:
        return given, dict(file)


def test_the_network_is_the_one_of_fdx(both):
    given, found = both
    for name in ('net_features', 'net_logits'):
        np.testing.assert_allclose(found[name], given[name], rtol=1e-4, atol=1e-4)


def test_initial_weights_have_the_spread_of_fdx(both):
    model = create_model('cnn1d', 64)
    params = model.init(jax.random.key(0), np.zeros((1, 96, 1, 1), np.float32))['params']
    pairs = {
        'fc': 'fc',
        'bottleneck': 'bottleneck',
        'head': 'head',
        'convolutions.7': 'conv3',
        'convolutions.10': 'conv4',
    }
    for theirs, ours in pairs.items():
        kernel = params[ours]['conv']['kernel'] if ours.startswith('conv') else params[ours]['kernel']
        np.testing.assert_allclose(both[1][f'spread/{theirs}.weight'], np.std(kernel), rtol=0.04)
    # The classifier's distribution is cut at two standard deviations.
    assert both[1]['largest/head'] <= 2 / 16 / 0.8796
    assert np.abs(params['head']['kernel']).max() <= 2 / 16 / 0.8796


def squared(x):
    return ((x[:, None] - x[None]) ** 2).sum(2)


def discrepancy(given, label_kernel):
    """The mean over all pairs of five summed kernels of the features, times the kernel of the labels."""
    distances, n = squared(given['features'].astype(np.float64)), COUNT + 4
    middle = distances.sum() / (n * (n - 1))
    kernels = sum(np.exp(-distances / (middle * 2.0**i)) for i in (-2, -1, 0, 1, 2)) * label_kernel
    side = np.where(np.arange(n) < COUNT, 1 / COUNT, -1 / (n - COUNT))
    return side @ kernels @ side


def softmax(x):
    e = np.exp(x.astype(np.float64))
    return e / e.sum(1, keepdims=True)


def test_kernel_terms_against_plain_numpy(both):
    given, found = both
    np.testing.assert_allclose(found['mk_mmd'], discrepancy(given, 1.0), rtol=1e-5)
    of_labels = np.exp(-squared(softmax(given['logits'])) / 1.68)
    np.testing.assert_allclose(found['jmmd'], discrepancy(given, of_labels), rtol=1e-5)
    assert np.abs(found['jmmd/logits']).max() > 1e-4 and not found['mk_mmd/logits'].any()


@pytest.mark.parametrize('name', ['dann', 'cdan'])
def test_the_discriminators_gradient_is_reversed_on_its_way_to_the_features(both, name):
    given, found = both
    x = given['features'].astype(np.float64)
    if name == 'cdan':
        x = (softmax(given['logits'])[:, :, None] * x[:, None]).reshape(len(x), -1)
    weights = [0.1 * (1 + np.arange(n * m) % 2).reshape(n, m) for n, m in ((8, x.shape[1]), (8, 8), (1, 8))]
    # All weights and features are positive, so every unit is active and the logit is linear.
    slope = (weights[2] @ weights[1] @ weights[0])[0]
    z, source = x @ slope, np.arange(len(x)) < COUNT
    np.testing.assert_allclose(found[name], np.logaddexp(0, np.where(source, -z, z)).mean(), rtol=1e-5)
    into_logit = (1 / (1 + np.exp(-z)) - source) / len(x)
    into_x = -into_logit[:, None] * slope
    if name == 'cdan':
        into_x = (into_x.reshape(len(x), 3, -1) * softmax(given['logits'])[:, :, None]).sum(1)
    np.testing.assert_allclose(found[f'{name}/features'], into_x, rtol=1e-4, atol=1e-6)
    # The discriminator itself learns to tell the domains apart: its own gradient is not reversed.
    hidden = x @ weights[0].T @ weights[1].T
    np.testing.assert_allclose(found[f'{name}/weights4'][0], into_logit @ hidden, rtol=1e-4, atol=1e-6)
    assert not found[f'{name}/logits'].any()


@pytest.mark.parametrize('method', ['source_only', 'jmmd', 'cdan'])
def test_a_short_run(torch_python, tmp_path, method):
    rng = np.random.default_rng(1)
    labels = np.arange(40, dtype=np.int32) % 2
    # The classes are two frequencies, and the target is louder.
    tones = np.sin(np.arange(64) * np.array([0.3, 1.2])[labels][:, None])[:, :, None, None]
    source, target = (gain * tones + 0.1 * rng.standard_normal(tones.shape) for gain in (1.0, 1.5))
    parts = {'source_train': source, 'target_train': target, 'target_test': target}
    arrays = {name: x.astype(np.float32) for name, x in parts.items()}
    arrays |= {'source_train_labels': labels, 'target_test_labels': labels, 'classes': np.array(['a', 'b'])}
    np.savez(tmp_path / 'parts.npz', **arrays)
    recipe = {'epochs': 12, 'source_epochs': 4, 'batch_size': 16, 'hidden': 8}
    command = [torch_python, '-m', f'benchmarks.references.{method}', f'--parts={tmp_path / "parts.npz"}', '--seed=1']
    command.append(f'--recipe={json.dumps(recipe)}')
    done = subprocess.run(command, check=True, timeout=300, stdout=subprocess.PIPE, text=True, cwd=HERE.parents[1])
    found = json.loads(done.stdout)
    assert len(found['history']) == 12 and found['accuracy'] == found['history'][-1] > 0.9
    assert found['source_cpu_s'] > 0 and ('cpu_s' in found) == (method != 'source_only')


def test_networks_of_the_table_of_speed_have_the_parameters_of_fdx(torch_python):
    code = """
import json
from benchmarks.references.torch_forms import build
from benchmarks.speed_networks import CLASSES, NETWORKS
both = {name: build(name, network.shape[1:], CLASSES) for name, network in NETWORKS.items()}
print(json.dumps({name: sum(p.numel() for part in parts for p in part.parameters()) for name, parts in both.items()}))
"""
    done = subprocess.run(
        [torch_python, '-c', code], check=True, timeout=300, stdout=subprocess.PIPE, text=True, cwd=HERE.parents[1]
    )
    found = json.loads(done.stdout)
    for name, network in NETWORKS.items():
        model = create_model(name, CLASSES, **options_for(name, network.shape[1:], {}))
        shapes = variable_shapes(model, network.shape[1:])['params']
        # fdx's VGG16 keeps the mean and the scale of its input beside the weights.
        constants = 6 if name == 'vgg16' else 0
        assert found[name] == sum(np.prod(x.shape, dtype=int) for x in jax.tree.leaves(shapes)) - constants, name
