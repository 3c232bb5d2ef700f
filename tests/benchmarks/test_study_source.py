"""Which recordings the study takes, which questions it has for them, and how long it trains."""

from __future__ import annotations

import dataclasses
import pathlib

import numpy as np
import pytest

from fdx.benchmarks import study_cell
from fdx.benchmarks.grid import Call
from fdx.benchmarks.study_cell import configs_of, curves
from fdx.benchmarks.study_models import MODELS, Budget, get_models
from fdx.benchmarks.study_source import PATTERN, in_layout, source_of
from fdx.benchmarks.study_suite import RANDOM, TASKS, Source, cells, tasks_of
from fdx.benchmarks.study_weights import Weights, weights_of
from fdx.data.collection.own import OwnRecordings
from fdx.data.collection.spec import CollectionSpec
from fdx.types import ConfigError, WeightsError

TRANSFER, SCRATCH, YAMNET, VGG16 = MODELS
CWRU = Source('cwru/load0_12k')
WEIGHTS = Weights('weights.safetensors', 'yours', {'width_multiplier': 0.5})


@pytest.mark.parametrize(
    ('stem', 'front_end', 'name'),
    [
        ('bearing_rig/medium', 'vggish', 'bearing_rig/medium'),
        ('cwru/load0_12k', 'yamnet', 'cwru/load0_12k-yamnet'),
        ('recordings/rig', 'vggish', 'recordings/rig-vggish'),
    ],
)
def test_names_of_datasets(stem, front_end, name):
    assert Source(stem).dataset(front_end) == name


def test_each_dataset_has_its_questions():
    assert [t.protocol for t in tasks_of(Source('bearing_rig/small'))] == ['random_windows', 'by_speed', 'by_domain']
    assert [t.protocol for t in tasks_of(Source('recordings/x'))] == ['random_windows', 'by_speed', 'by_load']
    assert [(t.protocol, t.label_key, t.exclude) for t in TASKS['cwru'][1:]] == [
        ('by_bearing', 'fault_type', ('cwru_097_de',))
    ]
    with pytest.raises(ConfigError, match='`dataset`=soon/all: the study has questions for bearing_rig, cwru'):
        tasks_of(Source('soon/all'))
    asked = cells(CWRU, tasks_of(CWRU), get_models(['vgg16', 'yamnet']), 2)
    assert [t.name for t in tasks_of(Source('recordings/x'), ['unseen_loads'])] == ['unseen loads']
    with pytest.raises(ConfigError, match='`questions`=moon: `dataset`=cwru/x has random_windows, unseen_bearings'):
        tasks_of(Source('cwru/x'), ['moon'])
    kinds = [(model, task) for model in ('yamnet', 'vgg16') for task in ('random windows', 'unseen bearings')]
    rig = cells(Source('bearing_rig/small'), tasks_of(CWRU), get_models(['yamnet']), 2)
    # Each dataset has its own places.
    assert len({c.path(pathlib.Path('.')) for c in (*asked, *rig)}) == len(asked) + len(rig)
    assert [(c.input.name, c.task.name) for c in asked] == kinds and {c.seed for c in asked} == {2}


def test_own_recordings_get_the_chunks_and_names_of_the_study(tmp_path):
    own = in_layout(OwnRecordings(CollectionSpec(str(tmp_path))))
    assert (own.spec.pattern, own.window_s, own.hop_s) == (PATTERN, 1.6, 1.6)
    told = OwnRecordings(CollectionSpec(str(tmp_path), pattern='{label}.csv'), window_s=1.0)
    own = in_layout(told)
    assert (own.spec.pattern, own.window_s, own.hop_s) == ('{label}.csv', 1.0, 1.0)
    assert in_layout(OwnRecordings(CollectionSpec(str(tmp_path / 'm.csv')))).spec.pattern == ''
    with pytest.raises(ConfigError, match='`dataset`=recordings/x: name the folder of your recordings'):
        source_of('recordings/x', None, None)


@pytest.fixture
def rig_of(monkeypatch):
    """Function: `configs_of` sees a dataset of so many training windows and folds."""

    def make(windows: int, folds: int):
        table = dataclasses.make_dataclass('T', ['columns'])({'recording': np.array(['a', 'b'])})
        table.__class__.__getitem__ = lambda self, key: self.columns[key]
        splits = dataclasses.make_dataclass('S', ['train'])(np.arange(windows))
        dataset = dataclasses.make_dataclass('D', ['table'])(table)
        monkeypatch.setattr(study_cell, 'open_dataset', lambda name, data_dir: dataset)
        monkeypatch.setattr(study_cell, 'folds_of', lambda protocol, table, label_key: list(range(folds)))
        monkeypatch.setattr(study_cell, 'select_rows', lambda config, dataset: (splits, 1.0))

    return make


def test_epochs_follow_from_updates(rig_of):
    rig_of(1728, 1)
    task = TASKS['bearing_rig'][0]
    config = {
        m.name: configs_of(cells(Source('x/y'), (task,), (m,), 0)[0], 'x/y', 'data', WEIGHTS, Budget())[0]
        for m in MODELS
    }
    assert [config[m.name].epochs for m in MODELS] == [50, 1, 50, 2]
    assert [config[m.name].halve_every for m in MODELS] == [13, 1, 13, 1]
    assert config['vgg16'].model_options == {'stop_after': 'block5', 'pool_axis': 1, 'width_multiplier': 0.5}
    assert (config['vgg16'].freeze, config['yamnet'].freeze, config['vggish_scratch'].freeze) == (
        'first_blocks:4', 'head', 'none'
    )  # fmt: skip
    rig_of(16, 1)
    few = configs_of(cells(Source('x/y'), (task,), (SCRATCH,), 0)[0], 'x/y', 'data', WEIGHTS, Budget(scratch=5))
    assert few[0].epochs == 5


def test_a_seed_takes_its_fold_or_all(rig_of):
    rig_of(64, 5)
    one, every = TASKS['bearing_rig'][1], TASKS['adi_cbm'][0]
    for task, expected in ((one, [[0], [1], [2]]), (every, [[0, 1, 2, 3, 4]] * 3)):
        found = [
            configs_of(c, 'x/y', 'data', WEIGHTS, Budget())
            for seed in range(3)
            for c in cells(Source('x/y'), (task,), (YAMNET,), seed)
        ]
        assert [[c.fold for c in of_seed] for of_seed in found] == expected
        assert [of_seed[0].seed for of_seed in found] == [0, 1, 2]


def test_where_vggish_starts(monkeypatch, tmp_path):
    said: list[str] = []
    call = Call(root=tmp_path, data_dir='data', say=said.append)

    def no_index(name):
        raise WeightsError(f'{name}: no network')

    monkeypatch.setattr('fdx.benchmarks.study_weights.fetch_published', no_index)
    monkeypatch.setattr('fdx.benchmarks.study_weights._from_rig_a', lambda call, narrow: ('rig', narrow))
    assert weights_of(TRANSFER, call, 'auto', 0.5) == ('rig', {'width_multiplier': 0.5})
    assert said == ['AudioSet weights of VGGish cannot be had, so VGGish learns from bearing_rig/rig_a_small first: '
                    'audioset: no network']  # fmt: skip
    for model, init in ((TRANSFER, 'audioset'), (YAMNET, 'auto')):
        with pytest.raises(WeightsError, match='no network'):
            weights_of(model, call, init, 1.0)
    (tmp_path / 'run' / 'checkpoints').mkdir(parents=True)
    run = weights_of(TRANSFER, call, str(tmp_path / 'run'), 1.0)
    assert (run.origin, run.options) == ('yours', {'head_input': 'embedding_linear'})
    assert weights_of(SCRATCH, call, 'auto', 1.0) == Weights('random', 'random')
    monkeypatch.setattr('fdx.benchmarks.study_weights.fetch_published', lambda name: pathlib.Path(name))
    assert weights_of(TRANSFER, call, 'auto', 1.0) == Weights('audioset', 'audioset')


def test_long_histories_are_thinned():
    keys = ('train_loss', 'validation_loss', 'train_accuracy', 'validation_accuracy')
    history = [{'epoch': e, **dict.fromkeys(keys, 1 / e)} for e in range(1, 101)]
    history[-1]['validation_loss'] = float('nan')
    found = curves(history)
    assert found['epochs'] == [*range(1, 100, 2), 100]
    assert found['train_loss'][:2] == [1.0, 0.3333] and found['validation_loss'][-1] is None
    assert RANDOM.name == 'random windows'
