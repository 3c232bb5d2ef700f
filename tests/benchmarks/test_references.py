"""fdx's side of the reference runs in PyTorch: their recipe, the windows that fdx gives them, their cells and rows."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import types

import numpy as np
import pytest

from fdx.benchmarks.references.__main__ import Settings, run
from fdx.benchmarks.references.recipe import METHODS, Recipe
from fdx.benchmarks.references.records import LABELLED, Pair, digest, domains_of, parts_of, write_parts
from fdx.benchmarks.references.results import assemble, table
from fdx.data.pipeline import ArrayExamples
from fdx.types import ConfigError


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
