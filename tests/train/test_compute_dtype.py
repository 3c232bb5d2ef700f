"""Training in bfloat16: as good as in float32, frozen parameters bit-identical, and evaluation does it by itself."""

from __future__ import annotations

import jax
import numpy as np
import pytest
import scipy.special

from fdx.data.pipeline import RecordExamples
from fdx.models import create_model
from fdx.models.precision import in_float32
from fdx.predict.backends.checkpoint import Predictor
from fdx.train import parallel
from fdx.train.config import TrainConfig
from fdx.train.forward import forward_all
from fdx.train.optimiser import make_optimiser, settings_of
from fdx.train.partition import trainable_mask
from fdx.train.programs import compiled_forward, compiled_step, initial_variables
from fdx.train.run import train
from fdx.train.run_data import select_rows
from fdx.train.steps import TrainState
from fdx.types import CheckpointError, ConfigError

LENGTH, CLASSES, BATCH, STEPS = 64, 3, 24, 30


@pytest.fixture(scope='module')
def low_run(make_head_config, tmp_path_factory):
    """As `head_run`, in bfloat16: (config, workdir)."""
    config, workdir = make_head_config(compute_dtype='bfloat16'), tmp_path_factory.mktemp('low')
    train(config, workdir)
    return config, workdir


def test_a_run_on_images_is_within_noise(low_run, head_run, outcome, assert_same_trees):
    got = outcome(low_run[1])
    for row, wanted in zip(got.history, head_run.history, strict=True):
        for name in ('train_loss', 'validation_loss'):
            assert row[name] == pytest.approx(wanted[name], abs=0.03), name
            assert row[name] != wanted[name]
        assert row['validation_accuracy'] == pytest.approx(wanted['validation_accuracy'], abs=1 / 6 + 1e-6)
    frozen = {name: value for name, value in got.params.items() if name != 'head'}
    assert_same_trees(frozen, {name: value for name, value in head_run.params.items() if name != 'head'})
    assert {str(leaf.dtype) for leaf in jax.tree.leaves(got.params)} == {'float32'}


def test_a_checkpoint_is_evaluated_as_it_was_trained(low_run, dataset):
    """The last validation loss comes out again, and another one in float32."""
    config, workdir = low_run
    predictor = Predictor(workdir, 'last')
    assert predictor.meta['config']['compute_dtype'] == 'bfloat16'
    model, variables, _ = predictor.network()
    splits, gain = select_rows(config, dataset)
    examples = RecordExamples(dataset, splits.validation, config.label_key, gain)

    def loss(network):
        log_p = scipy.special.log_softmax(forward_all(compiled_forward(network), variables, examples), axis=1)
        return -log_p[np.arange(len(examples)), examples.labels()].mean()

    stored = predictor.meta['history'][-1]['validation_loss']
    assert loss(model) == pytest.approx(stored, rel=1e-6)
    assert 1e-5 < abs(loss(in_float32(model)) - stored) < 0.03


def test_a_run_does_not_go_on_in_another_type(low_run, make_head_config):
    with pytest.raises(CheckpointError, match="`compute_dtype`: 'bfloat16' there, 'float32' now"):
        train(make_head_config(), low_run[1])


def test_it_is_a_setting_of_the_run():
    with pytest.raises(ConfigError, match='`compute_dtype` is a setting of its own'):
        TrainConfig(dataset='x', model_options={'compute_dtype': 'bfloat16'})


def waves(seed):
    """Sines of three frequencies in noise: inputs [N, LENGTH, 1, 1], labels [N]."""
    rng = np.random.default_rng(seed)
    labels = np.arange(5 * BATCH, dtype=np.int32) % CLASSES
    phases = 2 * np.pi * rng.random((len(labels), 1))
    clean = np.sin(2 * np.pi * np.arange(LENGTH) * (0.05 + 0.06 * labels[:, None]) + phases)
    noisy = clean + 0.8 * rng.standard_normal(clean.shape)
    return noisy[:, :, None, None].astype(np.float32), labels


def trained_on_waves(dtype):
    """(loss of each epoch, accuracy on other waves, parameters and statistics before and after); conv2 is frozen."""
    model = create_model(
        'cnn1d', CLASSES, width_multiplier=1 / 8, dropout_rate=0.0, axis_name=parallel.AXIS, compute_dtype=dtype,
        frozen_norms=('conv2/bn',),
    )  # fmt: skip
    before = jax.device_get(initial_variables(model, (LENGTH, 1, 1), 0))
    config = TrainConfig(dataset='x', learning_rate=1e-2, halve_every=0)
    mask = trainable_mask(before['params'], [('freeze', 'conv2/.*'), ('train', '(?!conv2/).*')])
    step = compiled_step(model, settings_of(config), mask, steps_per_epoch=1, start=0)
    params, stats = (jax.tree.map(np.array, before[kind]) for kind in ('params', 'batch_stats'))
    optimiser = make_optimiser(config, mask, 1)
    state = parallel.replicate(
        TrainState(np.int32(0), np.int32(0), params, stats, {'params': {}}, optimiser.init(params))
    )
    (inputs, labels), losses = waves(0), []
    for i in range(STEPS):
        rows = np.arange(i * BATCH, (i + 1) * BATCH) % len(labels)
        state, metrics = step(state, parallel.shard({'inputs': inputs[rows], 'labels': labels[rows]}, BATCH))
        losses.append(float(metrics['loss']) / BATCH)
    assert {str(leaf.dtype) for leaf in jax.tree.leaves(state)} <= {'float32', 'int32'}
    others, wanted = waves(1)
    batch = parallel.shard({'inputs': others}, len(others))
    predicted = np.asarray(compiled_forward(model)(state.variables(), batch)).argmax(1)
    after = jax.device_get({'params': state.params, 'batch_stats': state.stats})
    return np.mean(np.reshape(losses, (-1, 5)), axis=1), np.mean(predicted == wanted), before, after


def test_a_network_on_waveforms_is_within_noise(assert_same_trees):
    (losses, accuracy, *_), (low_losses, low_accuracy, before, after) = map(trained_on_waves, ('float32', 'bfloat16'))
    assert losses[-1] < 0.5 * losses[0]
    np.testing.assert_allclose(low_losses, losses, atol=0.08)
    assert not np.array_equal(low_losses, losses)
    assert accuracy > 0.8
    assert abs(low_accuracy - accuracy) < 0.07
    for kind in ('params', 'batch_stats'):
        assert_same_trees(after[kind]['conv2'], before[kind]['conv2'])
        assert not np.array_equal(jax.tree.leaves(after[kind]['conv1'])[0], jax.tree.leaves(before[kind]['conv1'])[0])
