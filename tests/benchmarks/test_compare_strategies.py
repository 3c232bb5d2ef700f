import pytest

from fdx.benchmarks.compare_strategies import parse_strategies, recordings_seen
from fdx.data.source import open_dataset
from fdx.train.checkpoints import Checkpoints
from fdx.train.config import TrainConfig
from fdx.types import ConfigError

BASE = TrainConfig(dataset='d/c', init='imagenet', weights_version='v1', epochs=7, batch_size=9, learning_rate=0.3)


def test_presets_change_the_start_and_the_freezing_alone():
    found = parse_strategies(['full', 'first_last', 'head', 'scratch'], has_weights=True)
    configs = [s.config(BASE) for s in found]
    assert [c.freeze for c in configs] == ['none', 'first_last', 'head', 'none']
    assert [(c.init, c.weights_version) for c in configs] == [('imagenet', 'v1')] * 3 + [('random', '')]
    for config in configs:
        rest = {k: v for k, v in config.to_json().items() if k not in ('freeze', 'init', 'weights_version')}
        assert rest == {k: v for k, v in BASE.to_json().items() if k in rest}


def test_norms_train_where_layers_are_frozen_by_name():
    found = parse_strategies(['full', 'first_last', 'head', 'scratch'], has_weights=True, train_norms=True)
    assert [s.config(BASE).train_norms for s in found] == [False, True, True, False]
    with pytest.raises(ConfigError, match='`train_norms`'):
        parse_strategies(['full', 'scratch'], has_weights=True, train_norms=True)


def test_leading_blocks_can_be_frozen():
    found = parse_strategies(['first_blocks:2', 'first_blocks:1'], has_weights=True, train_norms=True)
    assert [(s.name, s.config(BASE).freeze) for s in found] == [
        ('first_blocks_2', 'first_blocks:2'),
        ('first_blocks_1', 'first_blocks:1'),
    ]
    assert found[0].config(BASE).train_norms and 'first 2 blocks frozen' in found[0].words
    with pytest.raises(ConfigError, match='none of'):
        parse_strategies(['first_blocks:two'], has_weights=True)


def test_a_freezing_table_is_a_strategy(tmp_path):
    file = tmp_path / 'late.txt'
    file.write_text('train .*')
    one, other = parse_strategies([str(file), f'mine:{file}'], has_weights=True)
    assert (one.name, one.freeze, one.pretrained) == ('late', str(file), True)
    assert (other.name, other.config(BASE).freeze, other.config(BASE).init) == ('mine', str(file), 'imagenet')
    assert str(file) in other.words


@pytest.mark.parametrize(
    ('texts', 'words'),
    [
        ([], 'empty'),
        (['none'], "'none' is none of full, first_last"),
        (['x:missing.txt'], 'nor a file'),
        (['full', 'scratch', 'full'], 'full is there twice'),
    ],
)
def test_what_is_no_strategy(texts, words):
    with pytest.raises(ConfigError, match=words):
        parse_strategies(texts, has_weights=True)


@pytest.mark.parametrize('name', ['head', '../x', '', '.hidden', 'a b'])
def test_names_must_be_folders_of_their_own(tmp_path, name):
    file = tmp_path / 'rules.txt'
    file.write_text('train .*')
    with pytest.raises(ConfigError, match='write NAME:'):
        parse_strategies([f'{name}:{file}'], has_weights=True)


def test_without_weights_there_is_only_scratch():
    assert [s.name for s in parse_strategies(['scratch'], has_weights=False)] == ['scratch']
    with pytest.raises(ConfigError, match='full, head .*pretrained weights.*`init`=imagenet'):
        parse_strategies(['full', 'head', 'scratch'], has_weights=False)


def test_recordings_that_the_weights_have_seen(run, data_dir):
    own, other = (open_dataset(f'bearing_rig/rig_{x}_small', data_dir) for x in 'ba')
    meta = Checkpoints(run).meta(Checkpoints(run).best_step())
    assert recordings_seen(str(run), own) == meta['train_recordings'] == sorted(set(own.table['recording']))
    assert recordings_seen(str(run), other) == []
    assert recordings_seen('imagenet', own) == []
