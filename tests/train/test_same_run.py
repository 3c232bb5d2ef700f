"""Which runs may go on in the same workdir: kinds, settings, and what the settings stand for."""

from __future__ import annotations

import dataclasses

import pytest

from fdx.adapt.checkpoint import LAYOUT as OF_ADAPTATION
from fdx.adapt.config import AdaptConfig
from fdx.synth.config import SynthConfig
from fdx.synth.train import LAYOUT as OF_GENERATOR
from fdx.train.config import TrainConfig
from fdx.train.same_run import ADAPTATION, CLASSIFIER, GENERATOR, SAME_CLASSIFIER, check_same, kind_of
from fdx.types import CheckpointError, ConfigError

CONFIG = TrainConfig(dataset='a/b', learning_rate=2e-3, batch_size=7, exclude_recordings=('x', 'y'))
FACTS = {
    'dataset': {'name': 'a/b:1.0.0', 'window_length': 100},
    'class_names': ['normal', 'ball'],
    'front_end': {'name': 'vggish'},
    'gain': 1.0,
    'splits': {'train': 18},
    'frozen_stages': 7,
    'trained_values': 15,
}
RUN = {'config': CONFIG.to_json(), **FACTS}
PLAN = AdaptConfig(source='a/b:slow', target='a/b:fast')
ADAPTED = {**RUN, 'adaptation': {**PLAN.to_json(), 'target_dataset': 'a/b:1.0.0', 'dropped': {'source': []}}}
MADE = {
    'generator': SynthConfig(dataset='a/b', exclude_recordings=('x',)).to_json(),
    'rows': {'fold': 0, 'exclude_recordings': ['x']},
    'class_names': ['normal', 'ball'],
    'front_end': {'name': 'vggish'},
    'scale': {'low': [0.0], 'high': [1.0]},
    'counts': {'normal': 9, 'ball': 3},
    'frozen_stages': 0,
}
SAMENESS = {CLASSIFIER: SAME_CLASSIFIER, ADAPTATION: OF_ADAPTATION.same, GENERATOR: OF_GENERATOR.same}
METAS = {CLASSIFIER: RUN, ADAPTATION: ADAPTED, GENERATOR: MADE}


def changed(meta, key, **changes):
    return {**meta, key: {**meta[key], **changes}}


@pytest.mark.parametrize('kind', METAS)
def test_a_run_is_the_same_as_itself_and_no_run_of_another_kind(kind):
    assert kind_of(METAS[kind]) == kind
    check_same(SAMENESS[kind], METAS[kind], METAS[kind])
    for other in set(METAS) - {kind}:
        with pytest.raises(CheckpointError, match='workdir holds .*, not .*choose another `workdir`'):
            check_same(SAMENESS[kind], METAS[other], METAS[kind])


def test_settings_that_differ_are_named_and_no_others():
    now = changed(RUN, 'config', batch_size=6, learning_rate=1e-3, model_options={'width_multiplier': 0.5})
    with pytest.raises(CheckpointError, match='another run .*choose another `workdir`') as e:
        check_same(SAME_CLASSIFIER, RUN, now)
    for text in ('`batch_size`: 7 there, 6 now', '`learning_rate`: 0.002 there, 0.001 now', '`model_options`: '):
        assert text in str(e.value)
    assert '`seed`' not in str(e.value)


@pytest.mark.parametrize(
    ('kind', 'key', 'changes'),
    [
        (CLASSIFIER, 'config', {'epochs': 9, 'cache_features': 'off', 'data_dir': 'elsewhere', 'parallel': 'mesh'}),
        (ADAPTATION, 'config', {'epochs': 9, 'cache_features': 'off', 'data_dir': 'elsewhere'}),
        (GENERATOR, 'generator', {'steps': 2000, 'data_dir': 'elsewhere'}),
    ],
)
def test_what_may_differ(kind, key, changes):
    check_same(SAMENESS[kind], METAS[kind], changed(METAS[kind], key, **changes))


@pytest.mark.parametrize(
    ('kind', 'key', 'changes', 'words'),
    [
        (ADAPTATION, 'adaptation', {'method': 'cdan'}, "`method`: 'dann' there, 'cdan' now"),
        (ADAPTATION, 'adaptation', {'select_by': 'last'}, "`select_by`: 'source_risk' there, 'last' now"),
        (ADAPTATION, 'adaptation', {'weight': 0.5, 'radius': 0.2}, '`weight`: 0.0 there, 0.5 now; `radius`: 0.1 there'),
        (ADAPTATION, 'adaptation', {'source': 'a/b:fast'}, '`source`: '),
        (ADAPTATION, 'adaptation', {'target_dataset': 'a/b:2.0.0'}, 'target_dataset`: '),
        (ADAPTATION, 'config', {'batch_size': 5}, '`batch_size`: 7 there, 5 now'),
        (GENERATOR, 'generator', {'seed': 4}, r'generator \(`seed`: 0 there, 4 now\)'),
        (GENERATOR, 'generator', {'width': 3}, '`width`: 16 there, 3 now'),
    ],
)
def test_every_setting_of_a_kind_counts(kind, key, changes, words):
    with pytest.raises(CheckpointError, match=f'workdir holds another .*{words}.*choose another `workdir`'):
        check_same(SAMENESS[kind], METAS[kind], changed(METAS[kind], key, **changes))


@pytest.mark.parametrize(
    ('kind', 'key', 'value', 'words'),
    [
        (CLASSIFIER, 'class_names', ['normal', 'outer_race'], "class_names: .*'ball'.* there, .*outer_race"),
        # A file of rules was changed: the settings are the same, what trains is not.
        (CLASSIFIER, 'frozen_stages', 6, 'frozen_stages: 7 there, 6 now'),
        (CLASSIFIER, 'gain', 2.0, 'gain: 1.0 there, 2.0 now'),
        (ADAPTATION, 'splits', {'train': 17}, 'splits: '),
        (GENERATOR, 'counts', {'normal': 9, 'ball': 4}, 'counts: '),
        (GENERATOR, 'rows', {'fold': 1}, 'rows: '),
    ],
)
def test_what_the_settings_stand_for_must_be_the_same(kind, key, value, words):
    with pytest.raises(CheckpointError, match=f'changed since .*{words}.*choose another `workdir`'):
        check_same(SAMENESS[kind], METAS[kind], {**METAS[kind], key: value})


def test_runs_of_an_older_fdx_lack_settings_and_go_on():
    old = {k: v for k, v in RUN['config'].items() if k not in ('patience', 'balance')}
    check_same(SAME_CLASSIFIER, {**RUN, 'config': old}, RUN)
    plan = {k: v for k, v in ADAPTED['adaptation'].items() if k != 'classes'}
    check_same(OF_ADAPTATION.same, {**ADAPTED, 'adaptation': plan}, ADAPTED)
    with pytest.raises(CheckpointError, match='`patience`: 0 there, 3 now'):
        check_same(
            SAME_CLASSIFIER,
            {**RUN, 'config': old},
            {**RUN, 'config': dataclasses.replace(CONFIG, patience=3).to_json()},
        )
    with pytest.raises(ConfigError, match='does not know the settings depth'):
        check_same(SAME_CLASSIFIER, changed(RUN, 'config', depth=3), RUN)


def test_a_generator_with_more_updates_than_asked_for_is_refused():
    OF_GENERATOR.check(1000, MADE)
    with pytest.raises(CheckpointError, match=' 1001 updates, .*`steps`=1000: .*more'):
        OF_GENERATOR.check(1001, MADE)
