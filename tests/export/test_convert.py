"""Checkpoints to models: what calibrates, what is folded, and what the file will say."""

from __future__ import annotations

import dataclasses
import functools
import json
import types

import jax
import numpy as np
import pytest

import fdx
from fdx.data.source import open_dataset
from fdx.export import FORMATS
from fdx.export.convert import NOT_EXPORTED, describe_export, load_single, make_model, representative_inputs
from fdx.models import create_model
from fdx.predict.backends.checkpoint import Predictor
from fdx.predict.backends.litert import LitertModel
from fdx.predict.backends.quantize import fit
from fdx.predict.backends.tflite_file import model_info
from fdx.signal.front_ends import create_front_end
from fdx.train.config import TrainConfig
from fdx.train.run_data import select_rows
from fdx.types import CheckpointError, ConfigError, DataError

DATASET = 'motor_maintenance/small'
COLUMNS = ['rpm', 'temperature_c', 'vibration_g', 'current_a']


@pytest.fixture(scope='module')
def workdir(table_run):
    return table_run


@pytest.fixture(scope='module')
def predictor(workdir) -> Predictor:
    return load_single(workdir, 'best')


@pytest.fixture(scope='module')
def data(predictor):
    return open_dataset(DATASET, predictor.config.data_dir)


@pytest.fixture(scope='module')
def splits(predictor, data):
    return select_rows(predictor.config, data)[0]


def refuse_samples(gain):
    raise AssertionError(f'float models need no samples (gain {gain})')


@functools.cache
def image_network():
    """A network on images of 12 x 10 x 1 with random weights, its variables, and its probabilities as a function."""
    model, rng = create_model('cnn_small', 3, width_multiplier=1 / 4), np.random.default_rng(0)
    shapes = jax.eval_shape(model.init, jax.random.key(0), np.zeros((1, 12, 10, 1), np.float32))
    variables = jax.tree.map(
        lambda s: (
            rng.standard_normal(s.shape) * 2 * np.prod(s.shape[:-1]) ** -0.5
            if len(s.shape) > 1
            else rng.uniform(0.1, 1, s.shape)
        ).astype(s.dtype),
        shapes,
    )
    return model, variables, jax.jit(lambda x: jax.nn.softmax(model.apply(variables, x)[0]))


def image_predictor(front_end_name: str, gain):
    """What `make_model` asks of a predictor, for `image_network`."""
    front_end, (model, variables, _) = create_front_end(front_end_name, 16000.0), image_network()
    meta = {'front_end': front_end.config(), 'gain': gain, 'class_names': ['a', 'b', 'c'], 'train_recordings': ['r1']}
    return types.SimpleNamespace(
        front_end=front_end,
        gain=gain,
        meta=meta,
        class_names=meta['class_names'],
        config=types.SimpleNamespace(model='cnn_small'),
        temperature=1.0,
        step=7,
        threshold=None,
        network=lambda: (model, variables, (12, 10, 1)),
    )


def log_mel_images(count: int) -> np.ndarray:
    mel = 10 ** np.random.default_rng(1).uniform(-4, 2, (count, 12, 10, 1))
    return np.log(mel + 0.01).astype(np.float32)


def test_a_run_with_several_folds_or_an_exported_file_is_refused(says, workdir, tmp_path):
    for fold in (0, 1):
        (tmp_path / f'fold_{fold}' / 'checkpoints').mkdir(parents=True)
    with pytest.raises(CheckpointError) as caught:
        load_single(tmp_path, 'best')
    assert says(str(caught.value), f'{tmp_path} holds several folds: ... {tmp_path}/fold_0')
    for suffix in ('.tflite', '.onnx'):
        with pytest.raises(CheckpointError, match=rf'a\{suffix} .*exported already: .*workdir of launch.train'):
            load_single(tmp_path / f'a{suffix}', 'best')
    with pytest.raises(CheckpointError, match='holds no checkpoints'):
        load_single(tmp_path / 'nothing', 'best')


def test_calibration_takes_training_rows_of_both_classes_alike(predictor, data, splits):
    found = representative_inputs(predictor, None, 40, predictor.gain)
    assert (found.shape, found.dtype) == ((40, 1, 4), np.float32)
    of_row = {tuple(data.front_end.with_gain(data.values[r], predictor.gain)): r for r in range(len(data))}
    assert len(of_row) == len(data) == 1500
    rows = np.array([of_row[tuple(sample[0])] for sample in found])
    assert len(set(rows.tolist())) == 40
    assert set(rows.tolist()) <= set(splits.train.tolist())
    assert np.bincount(data.table['label'][rows]).tolist() == [20, 20]


def test_the_draw_depends_on_its_seed_alone(predictor):
    first = representative_inputs(predictor, None, 40, predictor.gain)
    np.testing.assert_array_equal(representative_inputs(predictor, None, 40, predictor.gain), first)
    assert not np.array_equal(representative_inputs(predictor, None, 40, predictor.gain, seed=1), first)


def test_a_class_with_fewer_rows_gives_all_that_it_has(predictor, data, splits):
    counts = np.bincount(data.table['label'][splits.train])
    assert len(representative_inputs(predictor, None, 10**6, predictor.gain)) == len(splits.train)
    several = 2 * int(counts.min()) + 100
    assert len(representative_inputs(predictor, None, several, predictor.gain)) == 2 * counts.min() + 50
    # Rounded up: no class is left out.
    assert len(representative_inputs(predictor, None, 1, predictor.gain)) == 2


def test_samples_are_scaled_by_the_gain_that_is_left(predictor, data, splits):
    raw = representative_inputs(predictor, None, 10**6, ((0.0,) * 4, (1.0,) * 4))[:, 0]
    np.testing.assert_array_equal(raw, data.values[splits.train])
    scaled = representative_inputs(predictor, None, 10**6, predictor.gain)[:, 0]
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(scaled.std(axis=0), 1, atol=1e-4)


@pytest.mark.parametrize('count', [0, -3])
def test_calibration_needs_a_window(predictor, count):
    with pytest.raises(ConfigError, match=f'^`calibration`={count}: at least one training window'):
        representative_inputs(predictor, None, count, predictor.gain)


def test_calibration_needs_the_dataset(predictor, tmp_path):
    with pytest.raises(DataError, match='name their folder with `data_dir`'):
        representative_inputs(predictor, str(tmp_path), 8, predictor.gain)


@pytest.mark.parametrize('form', ['tflite_float', 'tflite_dynamic'])
def test_a_float_model_of_a_table_takes_raw_readings(predictor, data, splits, form):
    made = make_model(predictor, form, refuse_samples)
    rows = splits.test
    assert made.gain == ((0.0,) * 4, (1.0,) * 4)
    assert made.description['folded'] is True
    assert made.description['input'] == ', '.join(COLUMNS)
    assert made.suffix == '.tflite'
    found = LitertModel(made.model).probabilities(data.values[rows])
    expected = predictor.patch_probabilities(data.values[rows])
    assert expected.std(axis=0).min() > 0.1
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 if form == 'tflite_float' else 0.05)
    assert (made.model == made.float_model) == (form == 'tflite_float')


def test_an_int8_model_of_a_table_takes_z_scores(predictor, data, splits):
    """Of raw readings one scale for all columns would leave vibration and current a single code."""
    asked = []

    def samples(gain):
        asked.append(gain)
        return representative_inputs(predictor, None, 900, gain)

    made = make_model(predictor, 'tflite_int8', samples)
    assert asked == [predictor.gain] == [made.gain]
    assert made.description['folded'] is False
    assert made.description['input'] == f'(reading - mean) / deviation of {", ".join(COLUMNS)}'
    info, expected = model_info(made.model), fit(samples(predictor.gain))
    assert info.full_integer
    assert info.input.scale == pytest.approx(float(expected.scale), rel=1e-6)
    assert info.input.zero_point == int(expected.zero_point)
    rows = splits.test
    inputs = predictor.front_end.with_gain(data.values[rows], made.gain)
    checkpoint = predictor.patch_probabilities(data.values[rows])
    np.testing.assert_allclose(LitertModel(made.model).probabilities(inputs), checkpoint, rtol=0, atol=0.05)
    # The float model beside it is the same network, which takes z-scores too.
    np.testing.assert_allclose(LitertModel(made.float_model).probabilities(inputs), checkpoint, rtol=0, atol=1e-5)


def test_the_gain_of_log_mel_images_folds_into_a_float_model():
    gain, images = 5.0, log_mel_images(8)
    predictor, (_, _, network) = image_predictor('vggish_train', gain), image_network()
    made = make_model(predictor, 'tflite_float', refuse_samples)
    assert (made.gain, made.description['folded'], made.description['gain']) == (1.0, True, gain)
    assert made.description['input'] == 'image of the front end vggish_train'
    expected = network(predictor.front_end.with_gain(images, gain))
    np.testing.assert_allclose(LitertModel(made.model).probabilities(images), expected, rtol=0, atol=1e-5)
    assert np.abs(network(images) - expected).max() > 0.1


@pytest.mark.parametrize(
    ('front_end', 'gain', 'form', 'folded'),
    [
        ('vggish_train', 5.0, 'tflite_int8', False),
        ('musicnn_train', 0.5, 'tflite_float', False),
        ('musicnn_train', 0.5, 'tflite_int8', False),
        ('musicnn', 1.0, 'tflite_float', True),
        ('vggish', 1.0, 'tflite_int8', True),
    ],
)
def test_what_is_not_folded_is_left_to_the_caller(front_end, gain, form, folded):
    predictor, (_, _, network) = image_predictor(front_end, gain), image_network()
    images = log_mel_images(8)
    made = make_model(predictor, form, lambda g: predictor.front_end.with_gain(images, g)[:, None])
    assert (made.description['folded'], made.gain) == (folded, gain)
    assert made.description['input'].endswith('' if folded else ', times the gain of the checkpoint')
    assert made.description['input'].startswith(f'image of the front end {front_end}')
    scaled = predictor.front_end.with_gain(images, gain)
    found = LitertModel(made.model).probabilities(scaled)
    expected = network(scaled)
    assert expected.std(axis=0).max() > 0.05
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 if form == 'tflite_float' else 0.1)
    if form == 'tflite_int8':
        assert model_info(made.model).input.scale == pytest.approx(float(fit(scaled).scale), rel=1e-6)


def test_an_unknown_form_is_refused(says, predictor):
    with pytest.raises(ConfigError) as caught:
        make_model(predictor, 'tflite', refuse_samples)
    assert says(str(caught.value), f'`format`=tflite: ... {", ".join(FORMATS)}')


def test_the_description_holds_what_is_needed_to_use_the_file(predictor, splits):
    found = describe_export(predictor, 'tflite_int8', False)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found['fdx'], found['format'], found['model']) == (fdx.__version__, 'tflite_int8', 'mlp')
    assert (found['step'], found['class_names']) == (predictor.step, ['normal', 'failure'])
    assert 0 < found['threshold'] == predictor.threshold < 1
    assert found['front_end'] == {'kind': 'readings', 'name': 'readings', 'columns': COLUMNS, 'scaling': 'zscore'}
    assert np.shape(found['gain']) == (2, 4)
    meta = found['meta']
    assert TrainConfig.from_json(meta['config']) == predictor.config
    assert set(NOT_EXPORTED) & set(predictor.meta) == set(NOT_EXPORTED)
    assert not set(NOT_EXPORTED) & set(meta)
    # A name a row; splits follow from the config.
    assert len(predictor.meta['train_recordings']) == len(splits.train)
    assert meta['train_recordings'] == []


def test_recordings_that_were_trained_on_stay_in_the_description():
    """Scores on another dataset ask for them."""
    predictor = image_predictor('vggish', 1.0)
    assert describe_export(predictor, 'tflite_float', True)['meta']['train_recordings'] == ['r1']


def test_the_file_of_an_onnx_model_ends_otherwise(predictor):
    made = make_model(predictor, 'tflite_float', refuse_samples)
    onnx = dataclasses.replace(made, description={**made.description, 'format': 'onnx'})
    assert (made.suffix, onnx.suffix) == ('.tflite', '.onnx')
