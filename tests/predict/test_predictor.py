"""A checkpoint as a function."""

from __future__ import annotations

import shutil

import jax
import numpy as np
import pytest

from fdx.data.pipeline import ArrayExamples, RecordExamples
from fdx.data.source import open_dataset
from fdx.models.registry import create_model
from fdx.predict.backends.checkpoint import Predictor
from fdx.train import parallel, programs
from fdx.train.model_setup import load_run
from fdx.types import CheckpointError


@pytest.fixture(scope='module')
def predictor(run) -> Predictor:
    return Predictor(run)


@pytest.fixture(scope='module')
def patches(data_dir) -> np.ndarray:
    data = open_dataset('bearing_rig/rig_b_small', data_dir)
    return data.read(np.arange(5), 'spectrogram')


def test_it_knows_from_the_checkpoint_all_that_it_needs(predictor, run, rig):
    assert predictor.class_names == rig.CLASSES
    assert (predictor.front_end.name, predictor.front_end.scaling, predictor.gain) == ('vggish', 'peak', 1.0)
    assert predictor.meta['dataset']['common_rate_hz'] == rig.RATE_HZ
    assert predictor.step in (5, 10)
    assert Predictor(run, 'last').step == 10


def test_probabilities_are_the_softmax_of_the_network(predictor, patches, run, rig):
    probabilities = predictor.patch_probabilities(patches)
    assert probabilities.dtype == np.float32 and probabilities.shape == (5, 3)
    variables, _, _ = load_run(run)
    model = create_model('vggish', 3, width_multiplier=rig.WIDTH)
    logits, features = jax.jit(model.apply)(variables, patches)
    assert 0.1 < predictor.temperature < 10 and predictor.temperature == predictor.meta['temperature'] != 1
    expected = jax.nn.softmax(logits / predictor.temperature)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), logits.argmax(axis=1))
    examples = ArrayExamples(patches, np.zeros(5, np.int32))
    np.testing.assert_allclose(predictor.features(examples), features['embedding'], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(predictor.features(examples, 'fc1'), features['fc1'], rtol=1e-4, atol=1e-5)


def test_an_example_does_not_depend_on_its_neighbours(predictor, patches):
    """70 examples are more than a batch of evaluation: none is lost, none is mixed up."""
    many = np.concatenate([patches] * 14)
    np.testing.assert_allclose(
        predictor.patch_probabilities(many), np.tile(predictor.patch_probabilities(patches), (14, 1)), rtol=1e-5
    )
    assert len(predictor.patch_probabilities(patches[:1])) == 1


def test_the_fitted_gain_is_applied_to_patches_and_records_alike(two_folds, data_dir):
    gained = Predictor(two_folds / 'fold_1')
    assert gained.front_end.scaling == 'train'
    assert gained.gain != 1.0
    data = open_dataset('bearing_rig/rig_b_small-vggish_train', data_dir)
    rows = np.arange(6)
    of_records = gained.probabilities(RecordExamples(data, rows, 'label', gained.gain))
    of_patches = gained.patch_probabilities(data.read(rows, 'spectrogram'))
    np.testing.assert_allclose(of_patches, of_records, rtol=1e-6)
    without = gained.probabilities(RecordExamples(data, rows, 'label', 1.0))
    assert np.abs(without - of_records).max() > 1e-4


def test_folds_share_one_compiled_program(two_folds, patches, monkeypatch):
    compiled = []
    compile_forward = parallel.compile_forward
    monkeypatch.setattr(parallel, 'compile_forward', lambda *of: compiled.append(of) or compile_forward(*of))
    programs._forward.cache_clear()
    first, second = (Predictor(two_folds / f'fold_{i}').patch_probabilities(patches) for i in (1, 3))
    assert len(compiled) == 1
    assert np.abs(first - second).max() > 1e-6


def test_a_damaged_or_missing_checkpoint_is_refused(run, tmp_path):
    with pytest.raises(CheckpointError, match='no finished checkpoint'):
        Predictor(tmp_path)
    shutil.copytree(run, tmp_path / 'copy')
    files = [p for p in (tmp_path / 'copy' / 'checkpoints' / '10').rglob('*') if p.is_file() and p.stat().st_size > 200]
    content = bytearray(files[0].read_bytes())
    content[100] ^= 1
    files[0].write_bytes(content)
    with pytest.raises(CheckpointError, match='step`?=5'):
        Predictor(tmp_path / 'copy', 10)
    assert Predictor(tmp_path / 'copy', 5).step == 5
