"""Generated records: read by TFDS, marked, used for training alone."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow_datasets as tfds

from fdx.data.protocols.splits import PROTOCOLS, split_rows
from fdx.data.source import open_dataset
from fdx.synth.dataset import write_generated
from fdx.synth.images import Scale, images_of, training_images
from fdx.synth.run import default_name, generator_for, is_written
from fdx.train.config import TrainConfig
from fdx.train.run import train
from fdx.train.run_data import load_data
from fdx.types import ConfigError, DataError, SplitError


def test_records_are_marked_and_say_who_drew_them(synthesis, data_dir):
    generated = open_dataset(synthesis.name, data_dir)
    assert generated.name == 'synthetic/tones:1.0.0'
    assert generated.table['synthetic'].all()
    assert np.bincount(generated.table['label']).tolist() == [9, 9, 9]
    record = generated.record(0, ('synthetic', 'checkpoint', 'recording', 'domain'))
    assert record['checkpoint'] == synthesis.sampler.checkpoint
    assert (bool(record['synthetic']), record['domain']) == (True, 'synthetic')
    assert synthesis.sampler.checkpoint.partition(':')[0].endswith('@8')
    assert generated.front_end.config() == synthesis.dataset.front_end.config()
    drawn = synthesis.sampler.draw(generated.table['label'], seed=3)
    np.testing.assert_array_equal(images_of(generated, np.arange(len(generated))), drawn)


def test_tfds_reads_them_by_itself(synthesis, data_dir):
    builder = tfds.builder_from_directory(data_dir / 'synthetic' / 'tones' / '1.0.0')
    assert builder.info.splits['train'].num_examples == 27
    assert set(builder.info.splits) == {'train'}
    assert builder.info.metadata['generated_from']['imbalance'] == '1:3'
    record = builder.as_data_source(split='train')[26]
    assert (record['label'], bool(record['synthetic'])) == (2, True)


def test_an_image_depends_on_seed_place_and_class(synthesis):
    draw = synthesis.sampler.draw
    many = draw(np.tile([0, 1, 2], 30), 5)
    np.testing.assert_array_equal(many[:3], draw(np.array([0, 1, 2]), 5))
    assert not np.allclose(many[0], many[3])
    assert not np.allclose(many[:3], draw(np.array([0, 1, 2]), 6))
    assert draw(np.zeros(0, int)).shape == (0, 96, 64, 1)
    low, high = synthesis.sampler.meta['scale']['low'][0], synthesis.sampler.meta['scale']['high'][0]
    assert low - 1e-4 <= many.min()
    assert many.max() <= high + 1e-4
    with pytest.raises(ConfigError, match='class numbers 0 to 3: .* 0 to 2'):
        draw(np.array([0, 3]))


def test_the_name_is_that_of_one_generator_and_one_draw(synthesis, data_dir):
    labels = np.repeat(np.arange(3), 9)
    again = write_generated(synthesis.sampler, synthesis.dataset, labels, 'tones', data_dir, seed=3)
    assert again.name == '1.0.0'
    for changed, seed in ((labels[:-1], 3), (labels, 4)):
        with pytest.raises(DataError, match='holds other records .*choose another `name`'):
            write_generated(synthesis.sampler, synthesis.dataset, changed, 'tones', data_dir, seed=seed)
    with pytest.raises(ConfigError, match='`name`=../up: use letters, digits'):
        write_generated(synthesis.sampler, synthesis.dataset, labels, '../up', data_dir, seed=3)


def test_names_differ_where_settings_do(make_config):
    names = [default_name(make_config(**c)) for c in ({}, {'seed': 4}, {'width': 3}, {'fold': 1}, {'imbalance': '1:2'})]
    assert len(set(names)) == 5
    assert default_name(make_config(data_dir='elsewhere', save_every=7)) == names[0]
    assert not is_written(make_config())


@pytest.mark.parametrize('protocol', [p for p in PROTOCOLS if p not in ('stratified', 'by_domain', 'domain_pairs')])
def test_no_protocol_scores_generated_records(synthesis, data_dir, protocol):
    table = open_dataset(synthesis.name, data_dir).table
    with pytest.raises(SplitError):
        split_rows(table, protocol)


def test_a_leaking_protocol_is_refused_for_that_reason(synthesis, data_dir):
    table = open_dataset(synthesis.name, data_dir).table
    with pytest.raises(SplitError, match='records .*synthetic: .*training only'):
        split_rows(table, 'random_windows')


def run_config(synthesis, data_dir, **changes):
    settings = {
        'dataset': 'synth_room_tones/three',
        'data_dir': str(data_dir),
        'imbalance': '1:3',
        'balance': 'gan',
        'synthetic': synthesis.name,
        'seed': 3,
        'model': 'cnn_small',
        'model_options': {'width_multiplier': 0.125},
        'epochs': 1,
        'dropout_rate': 0.0,
        **changes,
    }
    return TrainConfig(**settings)


def test_generated_records_fill_up_the_rare_classes_of_training_alone(synthesis, dataset, data_dir):
    data = load_data(run_config(synthesis, data_dir), dataset)
    real, generated = data.train.parts
    assert np.bincount(real.labels()).tolist() == [9, 3, 3]
    assert np.bincount(generated.labels(), minlength=3).tolist() == [0, 6, 6]
    assert len(data.validation) == 3 * 3
    assert data.validation.dataset is dataset


def test_a_run_with_generated_records(synthesis, data_dir, tmp_path):
    train(run_config(synthesis, data_dir), tmp_path)
    from fdx.train.checkpoints import Checkpoints

    checkpoints = Checkpoints(tmp_path)
    meta = checkpoints.meta(checkpoints.best_step())
    assert meta['balance']['real'] == {'normal': 9, 'inner_race': 3, 'outer_race': 3}
    assert (meta['balance']['synthetic'], meta['balance']['examples']) == (12, 27)


@pytest.mark.parametrize('changes', [{'seed': 4}, {'fold': 1}, {'imbalance': '1:2'}, {'labels_per_class': 5}])
def test_a_generator_of_other_rows_is_refused(synthesis, dataset, data_dir, changes):
    with pytest.raises(ConfigError, match=f'generated from other training rows .*{next(iter(changes))}'):
        load_data(run_config(synthesis, data_dir, **changes), dataset)


def test_recordings_are_no_generated_records(synthesis, dataset, data_dir):
    with pytest.raises(ConfigError, match='holds recordings: name .*launch.synthesize'):
        load_data(run_config(synthesis, data_dir, synthetic='synth_room_tones/three'), dataset)
    with pytest.raises(ConfigError, match='`balance`=gan needs `synthetic`=synthetic/NAME'):
        load_data(run_config(synthesis, data_dir, synthetic=''), dataset)


def test_a_run_asks_for_a_generator_of_its_own_rows(synthesis, data_dir, make_config):
    wanted = generator_for(run_config(synthesis, data_dir), steps=8, log_every=2)
    assert (wanted.imbalance, wanted.seed, wanted.fold, wanted.dataset) == ('1:3', 3, 0, 'synth_room_tones/three')
    assert wanted.steps == 8


def test_the_generator_sees_training_rows_alone(make_config, dataset):
    data = training_images(make_config(), dataset)
    assert set(dataset.table['block'][data.rows]) == {0, 1, 2}
    assert len(data.images) == 15
    examples = data.evenly_drawn(Scale.of(data.images), 0)
    assert np.bincount(examples.targets).tolist() == [9, 9, 9]
    assert (examples.inputs.min(), examples.inputs.max()) == (-1, 1)


def test_scales_go_there_and_back_channel_by_channel():
    images = np.random.default_rng(0).uniform((-3, 10), (5, 11), (4, 6, 5, 2)).astype(np.float32)
    scale = Scale.of(images)
    scaled = scale.apply(images)
    assert scaled.min((0, 1, 2)).tolist() == [-1, -1]
    assert scaled.max((0, 1, 2)).tolist() == [1, 1]
    np.testing.assert_allclose(scale.invert(scaled), images, atol=1e-5)
    images[..., 1] = 2.0
    with pytest.raises(DataError, match='cannot be scaled'):
        Scale.of(images)
