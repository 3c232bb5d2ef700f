"""The reference runs in PyTorch: their recipe, the windows that fdx gives them, their cells, and what they compute.

What needs PyTorch runs in this environment, or in that of FDX_TORCH_PYTHON.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import types

import jax
import numpy as np
import pytest

from fdx.benchmarks.references.__main__ import Settings, run
from fdx.benchmarks.references.recipe import METHODS, Recipe
from fdx.benchmarks.references.records import LABELLED, Pair, digest, domains_of, parts_of, write_parts
from fdx.benchmarks.references.results import assemble, table
from fdx.data.pipeline import ArrayExamples
from fdx.models import create_model
from fdx.types import ConfigError

HERE = pathlib.Path(__file__).resolve().parent
COUNT = 6  # as in torch_references.py


def test_the_recipe_is_the_one_of_the_issue():
    recipe = Recipe()
    assert (recipe.epochs, recipe.source_epochs, recipe.batch_size) == (60, 10, 32)
    assert (recipe.num_kernels, recipe.kernel_factor, recipe.label_bandwidth) == (5, 2.0, 1.68)
    # Divided by ten at 50 and at 80 %.
    rates = [recipe.rate(epoch) for epoch in range(60)]
    np.testing.assert_allclose(rates, [1e-3] * 30 + [1e-4] * 18 + [1e-5] * 12, rtol=1e-12)
    # 2 / (1 + exp(-10 p)) - 1 is tanh(5 p).
    factors = [recipe.term_factor(epoch) for epoch in range(60)]
    np.testing.assert_allclose(factors, [0] * 10 + np.tanh(5 * np.arange(50) / 50).tolist(), atol=1e-12)
    assert METHODS == ('source_only', 'jmmd', 'mk_mmd', 'dann', 'cdan')


def test_a_pair_is_read_and_what_is_none_is_refused(says):
    assert Pair.parse('load0:load3').name == 'load0 -> load3'
    for text in ('load0', 'load0:', ':load3', 'a:b:c'):
        with pytest.raises(ConfigError) as caught:
            Pair.parse(text)
        assert says(str(caught.value), f'`pairs`={text} ... SOURCE:TARGET')


PAIR = Pair('rig_a', 'rig_b', 'bearing_rig/machines_small-waveform')


@pytest.fixture(scope='module')
def waveform_dir(rig, tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp('waveform')
    rig.prepare(folder, 'machines_small-waveform')
    return str(folder)


@pytest.fixture(scope='module')
def domains(waveform_dir):
    return domains_of(PAIR, 1, waveform_dir)


def test_the_windows_are_those_that_fdx_adapts_on(domains, waveform_dir, tmp_path):
    about = write_parts(tmp_path / 'deep' / 'parts.npz', PAIR, 1, waveform_dir)
    with np.load(tmp_path / 'deep' / 'parts.npz') as file:
        arrays = dict(file)
    # The labels of the target's training windows are not there to be read.
    labels = {'source_train_labels', 'target_test_labels'}
    assert set(arrays) == {'classes', 'source_train', 'target_train', 'target_test'} | labels
    assert arrays['classes'].tolist() == about['classes'] == list(domains.classes)
    for name in ('source_train', 'target_train', 'target_test'):
        examples = getattr(domains, name)
        assert arrays[name].shape == (len(examples), 1024, 1, 1) and arrays[name].dtype == np.float32
        assert about['windows'][name] == len(examples)
        np.testing.assert_array_equal(arrays[name][-1], examples[len(examples) - 1]['inputs'])
    np.testing.assert_array_equal(arrays['target_test_labels'], domains.target_test.labels())
    assert about['protocol'] == 'time_blocks' and about['fold'] == 1
    # The digest tells one window from another.
    assert about['sha256'] == digest(arrays)
    assert digest({**arrays, 'source_train': arrays['source_train'] + np.float32(1)}) != about['sha256']


def test_images_and_parts_without_windows_are_refused(says):
    def domains_with(inputs):
        examples = ArrayExamples(inputs, np.zeros(len(inputs), np.int32))
        return types.SimpleNamespace(classes=('a', 'b'), **dict.fromkeys(LABELLED, examples))

    with pytest.raises(ConfigError) as caught:
        parts_of(domains_with(np.zeros((2, 96, 64, 1), np.float32)))
    assert says(str(caught.value), '`dataset` ... [96, 64, 1] ... front end waveform')
    with pytest.raises(ConfigError) as caught:
        parts_of(domains_with(np.zeros((0, 1024, 1, 1), np.float32)))
    assert says(str(caught.value), 'source train has no windows ... choose another fold')


FOUND = {'accuracy': 0.75, 'history': [0.5, 0.75], 'source_cpu_s': 1.5, 'cpu_s': 3.0, 'wall_s': 3.5, 'torch': '0'}


def settings_of(tmp_path: pathlib.Path, waveform_dir: str, script: str) -> Settings:
    """With a torch_python that is a shell script, which notes its calls."""
    python = tmp_path / 'python'
    python.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n{script}\n')
    python.chmod(0o755)
    return Settings(tmp_path / 'work', waveform_dir, str(python), Recipe(epochs=2, source_epochs=1))


def test_a_cell_is_run_once_and_its_row_is_in_the_table(tmp_path, waveform_dir):
    settings = settings_of(tmp_path, waveform_dir, f"echo noise; echo '{json.dumps(FOUND)}'")
    rows = run([PAIR], ['source_only', 'jmmd'], 1, settings)
    assert run([PAIR], ['source_only', 'jmmd'], 1, settings) == rows
    calls = (tmp_path / 'calls').read_text().splitlines()
    assert [call.split()[1] for call in calls] == ['benchmarks.references.source_only', 'benchmarks.references.jmmd']
    assert '--seed=0 --threads=1 --recipe={"epochs": 2, "source_epochs": 1}' in calls[1]
    assert {k: rows[1][k] for k in ('task', 'method', 'seed', 'accuracy', 'cpu_s')} == {
        'task': 'rig_a -> rig_b',
        'method': 'jmmd',
        'seed': 0,
        'accuracy': 0.75,
        'cpu_s': 3.0,
    }
    assert 'history' not in rows[1]
    assert table(rows).splitlines()[2].split() == ['rig_a', '->', 'rig_b', 'jmmd', '75.0', '3.00', '75.0']
    data = assemble(rows, settings.recipe, settings.threads, 'again')
    assert data['measured']['seeds'] == [0] and data['measured']['command'] == 'again' and data['recipe']['epochs'] == 2
    assert [row['method'] for row in data['rows']] == ['source_only', 'jmmd']
    assert data['rows'][1]['accuracy'] == [0.75] and data['rows'][1]['windows'] == [114]
    assert data['rows'][1]['protocol'] == 'source time_blocks, test part of time_blocks'
    # Another recipe is another question.
    run([PAIR], ['jmmd'], 1, dataclasses.replace(settings, recipe=Recipe(epochs=3, source_epochs=1)))
    assert len((tmp_path / 'calls').read_text().splitlines()) == 3


def test_what_cannot_run_is_said(tmp_path, waveform_dir, says):
    broken = settings_of(tmp_path, waveform_dir, 'echo "no module named torch" >&2; exit 1')
    absent = dataclasses.replace(broken, torch_python=str(tmp_path / 'nowhere'))
    cases = [
        (broken, ['jmmd'], '`torch_python`= ... jmmd fails: no module named torch'),
        (absent, ['jmmd'], '`torch_python`= ... nowhere: No such file'),
        (broken, ['jmd'], '`methods`=jmd: there are ... jmmd'),
    ]
    for settings, methods, words in cases:
        with pytest.raises(ConfigError) as caught:
            run([PAIR], methods, 1, settings)
        assert says(str(caught.value), words)
    assert not list((tmp_path / 'work').rglob('seed_0.json'))


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


def test_a_short_run_in_torch(torch_python, waveform_dir, tmp_path):
    recipe = Recipe(epochs=2, source_epochs=1, hidden=8)
    rows = run([PAIR], ['cdan'], 1, Settings(tmp_path, waveform_dir, torch_python, recipe))
    assert rows[0]['accuracy'] > 0.4  # Three classes; one pass over the source suffices to be above chance.
    assert rows[0]['cpu_s'] > 0 and rows[0]['source_cpu_s'] > 0
