"""Splitting batches, and that four devices compute what one does."""

from __future__ import annotations

import json

import jax
import numpy as np
import pytest

from fdx.train import parallel


@pytest.fixture
def devices(monkeypatch):
    """Pretends that there are `here` devices in each of `processes` processes; this one is number `index`."""

    def pretend(here, processes=1, index=0):
        monkeypatch.setattr(jax, 'local_device_count', lambda: here)
        monkeypatch.setattr(jax, 'device_count', lambda: here * processes)
        monkeypatch.setattr(jax, 'process_count', lambda: processes)
        monkeypatch.setattr(jax, 'process_index', lambda: index)

    return pretend


@pytest.mark.parametrize(('batch_size', 'padded'), [(1, 4), (3, 4), (4, 4), (5, 8), (7, 8), (8, 8)])
def test_batches_are_padded_to_a_multiple_of_the_devices(devices, batch_size, padded):
    devices(4)
    assert parallel.padded_size(batch_size) == padded
    batch = {'inputs': np.arange(1.0, batch_size + 1), 'labels': np.arange(batch_size, dtype=np.int32)}
    got = parallel.shard(batch, batch_size)
    assert {k: v.shape for k, v in got.items()} == dict.fromkeys(('inputs', 'labels', 'mask'), (4, padded // 4))
    assert got['labels'].dtype == np.int32
    np.testing.assert_array_equal(got['mask'].ravel(), [1.0] * batch_size + [0.0] * (padded - batch_size))
    np.testing.assert_array_equal(got['inputs'].ravel()[:batch_size], batch['inputs'])
    np.testing.assert_array_equal(got['inputs'].ravel()[batch_size:], 0)


def test_a_short_batch_is_padded_to_the_full_one(devices):
    devices(4)
    got = parallel.shard({'inputs': np.ones((2, 3), np.float32)}, 7)
    assert got['inputs'].shape == (4, 2, 3)
    assert got['mask'].sum() == 2


def test_processes_take_neighbouring_parts(devices):
    parts = []
    for index in range(2):
        devices(2, processes=2, index=index)
        parts.append(parallel.shard({'inputs': np.arange(1, 6)}, 5))
    np.testing.assert_array_equal(parts[0]['inputs'], [[1, 2], [3, 4]])
    np.testing.assert_array_equal(parts[1]['inputs'], [[5, 0], [0, 0]])
    np.testing.assert_array_equal(parts[1]['mask'], [[1, 0], [0, 0]])


@pytest.fixture(scope='module')
def program(load_program):
    return load_program('steps_program.py')


@pytest.fixture(scope='module')
def one_device(program):
    return program.run()


def plain_forward(params, x):
    hidden = np.tanh(x @ params['first']['kernel'].astype(np.float64) + params['first']['bias'])
    return hidden, hidden @ params['head']['kernel'] + params['head']['bias']


def test_metrics_are_sums_over_the_real_examples(program, one_device):
    """The same step on one device, written out: dropout masks by jax.random, the rest by NumPy in float64."""
    params, key = program.parameters(), jax.random.fold_in(jax.random.key(5), 0)
    model = program.TwoLayers(axis_name=None)
    forward = jax.jit(lambda x: model.apply({'params': params}, x, train=True, rngs={'dropout': key})[0])
    for size in program.BATCH_SIZES:
        data = program.examples(size)
        with jax.threefry_partitionable(False):
            logits = forward(data.inputs)
        logits = np.asarray(logits, np.float64)
        log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        loss = -log_p[np.arange(size), data.targets].sum()
        assert one_device[f'{size}/step0/loss'] == pytest.approx(loss, rel=1e-5)
        assert one_device[f'{size}/step0/correct'] == (logits.argmax(1) == data.targets).sum()
        assert one_device[f'{size}/step0/count'] == size


def test_evaluation_gives_each_example_once(program, one_device):
    for size in program.BATCH_SIZES:
        _, logits = plain_forward(program.parameters(), program.examples(size).inputs)
        np.testing.assert_allclose(one_device[f'{size}/logits'], logits, rtol=1e-5, atol=1e-5)


def test_four_devices_compute_what_one_does(one_device, start_program, tmp_path):
    """Losses, parameters, statistics and logits, also where devices hold padding in part or alone.

    One network has dropout, one a batch norm.
    """
    process = start_program({'output': str(tmp_path / 'four.npz')}, devices=4, script='steps_program.py')
    log, _ = process.communicate(timeout=240)
    assert process.returncode == 0, log
    with np.load(tmp_path / 'four.npz') as four:
        assert four['devices'] == 4
        assert one_device['devices'] == 1
        assert set(four.files) == set(one_device)
        for name in set(four.files) - {'devices'}:
            np.testing.assert_allclose(four[name], one_device[name], rtol=1e-5, atol=1e-5, err_msg=name)


def test_statistics_are_those_of_the_real_examples(program, one_device):
    """The first step's batch norm, written out in float64: biased to normalise, unbiased in the running variance."""
    before, first = program.statistics()['bn'], program.parameters()['first']
    for size in program.BATCH_SIZES:
        hidden = program.examples(size).inputs.astype(np.float64) @ first['kernel']
        wanted = {
            'mean': 0.9 * before['mean'] + 0.1 * hidden.mean(0),
            'var': 0.9 * before['var'] + 0.1 * hidden.var(0, ddof=1),
        }
        for name, value in wanted.items():
            np.testing.assert_allclose(one_device[f'norm/{size}/step0/{name}'], value, rtol=1e-5, atol=1e-6)


def test_a_run_goes_on_with_other_numbers_of_devices(
    make_head_config, head_run, outcome, start_program, tmp_path, assert_same_trees
):
    """Four devices, then two, then eight: stopped within an epoch and at its end, it is the run of one device.

    Dropout is on; batches of 7 are padded to 8, the last one of an epoch holds 4 examples.
    """
    stages = [[4, ['SIGTERM', 1, 2, 0]], [2, ['SIGTERM', 3, 0, 0]], [8, None]]
    output = tmp_path / 'output.json'
    spec = {'config': make_head_config().to_json(), 'workdir': str(tmp_path / 'run'), 'stages': stages}
    process = start_program({**spec, 'output': str(output)}, devices=8)
    log, _ = process.communicate(timeout=240)
    assert process.returncode == 0, log
    stopped = json.loads(output.read_text())['stopped']
    assert [text.partition(';')[0].rpartition(' ')[2] for text in stopped] == ['3', '7']
    got = outcome(tmp_path / 'run')
    assert len(got.history) == 3
    for row, wanted in zip(got.history, head_run.history, strict=True):
        assert row == pytest.approx(wanted, rel=1e-5)
    assert_same_trees(got.params, head_run.params, rtol=1e-5, atol=1e-5)
    assert got.best_step == head_run.best_step


def test_the_forms_are_equal_to_the_last_bit(start_program, tmp_path):
    """Training steps on one, two and four devices; a step of adaptation and a forward pass on four."""
    process = start_program({'output': str(tmp_path / 'forms.npz')}, devices=4, script='forms_program.py')
    log, _ = process.communicate(timeout=240)
    assert process.returncode == 0, log
    with np.load(tmp_path / 'forms.npz') as found:
        of_pmap = {name.partition('/')[2]: found[name].tobytes() for name in found.files if name.startswith('pmap/')}
        of_mesh = {name.partition('/')[2]: found[name].tobytes() for name in found.files if name.startswith('mesh/')}
        assert {name.split('/')[0] for name in of_pmap} == {'1', '2', '4'}
        assert {'1/metrics/loss', '2/stats/bn/mean', '4/adapt/metrics/term', '4/logits'} <= set(of_pmap)
        assert of_mesh == of_pmap
        assert found['pmap/1/metrics/loss'] == pytest.approx(found['pmap/4/metrics/loss'], rel=1e-5)
