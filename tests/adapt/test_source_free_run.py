"""A finished run on one simulated machine, adapted to another from its checkpoint alone."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import signal

import flax.linen as nn
import jax
import numpy as np
import pytest

import fdx
from fdx.adapt.source_free.config import SourceFreeConfig
from fdx.adapt.source_free.run import choice_of
from fdx.adapt.source_free.target import load_target, target_splits, what_decides_inputs
from fdx.data.familiar_fit import fit_familiar
from fdx.data.source import open_dataset
from fdx.data.table import Table
from fdx.signal.front_ends import create_front_end
from fdx.train.loop import InterruptedRunError
from fdx.train.model_setup import load_run

DATASET = 'bearing_rig/machines_small'
TARGET = f'{DATASET}:rig_b'
EPOCHS = 2


@pytest.fixture(scope='module')
def machines(rig, tmp_path_factory) -> pathlib.Path:
    """Three machines, each a domain; and one of them seen by another front end."""
    folder = tmp_path_factory.mktemp('machines')
    rig.prepare(folder, 'machines_small', 'rig_a_small-musicnn')
    return folder


@pytest.fixture(scope='module')
def train_on(machines, tmp_path_factory):
    """Function (machine, **fields) -> workdir of a small network with norms, trained on one machine for one epoch."""

    def make(machine: str, **fields) -> pathlib.Path:
        table = open_dataset(DATASET, machines).table
        others = tuple(sorted(set(table['recording'][table['domain'] != machine].tolist())))
        common = {
            'data_dir': str(machines),
            'exclude_recordings': others,
            'model': 'cnn_small',
            'model_options': {'width_multiplier': 0.125},
            'epochs': 1,
            'batch_size': 8,
            'halve_every': 0,
        }
        workdir = tmp_path_factory.mktemp('source')
        fdx.train(fdx.TrainConfig(DATASET, **{**common, **fields}), workdir)
        return workdir

    return make


@pytest.fixture(scope='module')
def source(train_on) -> pathlib.Path:
    return train_on('rig_a')


@pytest.fixture(scope='module')
def adapted(source, tmp_path_factory):
    """Function method, **settings -> the result of an adaptation to rig_b, made once."""
    made = {}

    def get(method: str, **settings):
        key = (method, *settings.items())
        if key not in made:
            options = {} if method == 'test_time_norms' else {'epochs': EPOCHS, 'batch_size': 8}
            workdir = tmp_path_factory.mktemp(method)
            made[key] = fdx.adapt(source, TARGET, workdir, method=method, **{**options, **settings})
        return made[key]

    return get


def changed(source, result) -> tuple[set[str], set[str]]:
    """Paths of (parameters, statistics) that differ between two runs in any bit."""
    one, other = (load_run(w, 'last')[0] for w in (source, result.workdir))
    names = []
    for tree in ('params', 'batch_stats'):
        flat = [jax.tree_util.tree_leaves_with_path(v[tree]) for v in (one, other)]
        names.append({
            '/'.join(k.key for k in path)
            for (path, a), (_, b) in zip(*flat, strict=True)
            if not np.array_equal(a, b)
        })  # fmt: skip
    return names[0], names[1]


def all_paths(source) -> tuple[set[str], set[str]]:
    variables = load_run(source, 'last')[0]
    found = []
    for tree in ('params', 'batch_stats'):
        flat = jax.tree_util.tree_leaves_with_path(variables[tree])
        found.append({'/'.join(k.key for k in path) for path, _ in flat})
    return found[0], found[1]


def test_each_method_changes_what_it_says_and_nothing_else(source, adapted):
    params, stats = all_paths(source)
    features = {p for p in params if not p.startswith('head/')}
    moved, measured = changed(source, adapted('shot'))
    # Pixels that never vary may leave a single bias where it was; the classifier stays bit for bit.
    assert moved <= features and len(moved) > 0.8 * len(features)
    assert measured == stats
    norms = {p for p in params if '/bn/' in p}
    assert changed(source, adapted('tent')) == (norms, stats)
    assert changed(source, adapted('test_time_norms')) == (set(), stats)


def test_statistics_are_those_of_the_target(source, adapted):
    """Of the first norm, whose inputs no other norm changes: a plain mean over all windows that are seen."""
    result = adapted('test_time_norms')
    before = load_run(source)[0]
    after = load_run(result.workdir)[0]
    model = fdx.load(source).network()[0].clone(axis_name=None)
    x = result.target.seen.inputs

    @jax.jit
    def inputs_of_the_norm(x):
        kept = []

        def read(call, args, kwargs, context):
            if context.module.path == ('stage1', 'bn') and context.method_name == '__call__':
                kept.append(args[0])
            return call(*args, **kwargs)

        with nn.intercept_methods(read):
            model.apply(before, x, train=False)
        return kept[0]

    values = np.asarray(inputs_of_the_norm(x), np.float64)
    values = values.reshape(-1, values.shape[-1])
    new, old = (v['batch_stats']['stage1']['bn'] for v in (after, before))
    np.testing.assert_allclose(new['mean'], values.mean(0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(new['var'], values.var(0), rtol=1e-3, atol=1e-5)
    # As many windows of the run as of the target: half of each (Schneider et al., 2020).
    half = load_run(adapted('test_time_norms', prior_windows=len(x)).workdir)[0]['batch_stats']['stage1']['bn']
    for name in ('mean', 'var'):
        np.testing.assert_allclose(half[name], (old[name] + new[name]) / 2, rtol=1e-5, atol=1e-6)


def test_a_checkpoint_explains_itself(source, adapted, machines):
    result = adapted('shot')
    there = load_run(source)[1]
    _, meta, step = load_run(result.workdir)
    assert step == result.best_step == result.history[-1]['step']
    assert meta['class_names'] == there['class_names'] == result.class_names
    said = meta['adaptation']
    assert (said['method'], said['target'], said['checkpoint']) == ('shot', TARGET, str(source))
    assert (said['checkpoint_step'], said['checkpoint_dataset']) == (there['step'], there['dataset']['name'])
    dataset = open_dataset(DATASET, machines)
    on_target = {r for r in dataset.table['recording'].tolist() if 'rig_b' in r}
    assert set(meta['train_recordings']) == set(there['train_recordings']) | on_target
    assert [set(e['spans']) for e in meta['learned_from']] == [on_target, set(there['train_recordings'])]
    rows = result.target.splits.train
    assert set(dataset.table['domain'][rows]) == {'rig_b'}
    assert meta['familiar'] == fit_familiar([(dataset, rows)], meta['gain']).to_json()
    assert meta['splits'] == {'train': 18, 'validation': 6, 'test': 6}


def test_evaluation_scores_the_target_s_test_windows(adapted):
    result = adapted('shot')
    evaluation = fdx.evaluate(result)
    assert evaluation.accuracy == pytest.approx(result.history[-1]['oracle_target_accuracy'])
    assert evaluation.macro_f1 == pytest.approx(result.history[-1]['oracle_target_macro_f1'])
    assert (evaluation.metrics['leaks'], evaluation.metrics['windows']) == (False, 6)
    assert set(evaluation.predictions.domains) == {'rig_b'}
    # The windows that it learned from, and the recordings of its source, are known to it.
    assert fdx.evaluate(result, split='train').metrics['leaks']
    assert fdx.evaluate(result, split='all').metrics['leaks']


def test_the_first_row_is_the_network_as_it_was(source, adapted):
    result = adapted('shot')
    p = fdx.load(source).probabilities(result.target.scored)
    assert result.before['changed'] == 0
    assert result.before['oracle_target_accuracy'] == np.mean(p.argmax(1) == result.target.scored.labels())
    assert adapted('test_time_norms').before == adapted('tent').before == result.before


def test_no_label_of_the_target_is_read(source, adapted, tmp_path, monkeypatch):
    """With other labels everything but the scores is the same, to the last bit."""
    read = Table.__getitem__

    def exchanged(self, name):
        found = read(self, name)
        return (found + 1) % 3 if name in ('label', 'fault_type') else found

    monkeypatch.setattr(Table, '__getitem__', exchanged)
    result = fdx.adapt(source, TARGET, tmp_path, method='shot', epochs=EPOCHS, batch_size=8)
    monkeypatch.undo()

    def without_scores(rows):
        return [{k: v for k, v in r.items() if not k.startswith('oracle_') and k != 'seconds'} for r in rows]

    assert without_scores(result.history) == without_scores(adapted('shot').history)
    one, other = (load_run(r.workdir)[0] for r in (result, adapted('shot')))
    assert jax.tree.all(jax.tree.map(np.array_equal, one, other))


def test_stopped_within_an_epoch_it_ends_with_the_same_numbers(source, adapted, tmp_path):
    """The pseudo-labels of the unfinished epoch come from the checkpoint: the network of its beginning is gone."""
    asked = []

    def stop_once(iterable, *, desc='', total=None):
        del total
        for i, item in enumerate(iterable):
            if desc.startswith('epoch 2/') and i == 1 and not asked:
                asked.append(desc)
                os.kill(os.getpid(), signal.SIGTERM)
            yield item

    options = {'method': 'shot', 'epochs': EPOCHS, 'batch_size': 8, 'progress': stop_once}
    with pytest.raises(InterruptedRunError, match='after step 5'):
        fdx.adapt(source, TARGET, tmp_path, **options)
    result = fdx.adapt(source, TARGET, tmp_path, **options)
    for one, other in zip(result.history, adapted('shot').history, strict=True):
        assert {k: v for k, v in one.items() if k != 'seconds'} == pytest.approx(
            {k: v for k, v in other.items() if k != 'seconds'}
        )
    # Finished: the same call again trains nothing, and other settings are another run.
    assert fdx.adapt(source, TARGET, tmp_path, **options).history == result.history
    with pytest.raises(fdx.CheckpointError, match='another adaptation .*pseudo_weight.*choose another `workdir`'):
        fdx.adapt(source, TARGET, tmp_path, **{**options, 'pseudo_weight': 0.1})
    with pytest.raises(fdx.CheckpointError, match='holds a classifier.*not a run of domain adaptation'):
        fdx.adapt(source, TARGET, source, **options)


def test_classes_that_the_run_does_not_know_are_seen_but_not_scored(adapted, machines):
    dataset, config = open_dataset(DATASET, machines), fdx.load(adapted('shot')).config
    splits = target_splits(config, dataset.table)
    known = load_target(config, dataset, splits, ['outer_race', 'rubbing'], 1.0)
    names = np.array(dataset.class_names())[dataset.table['label'][splits.test]]
    assert len(known.seen) == len(splits.train) == 18
    assert known.scored_rows.tolist() == splits.test[names == 'outer_race'].tolist()
    assert known.scored.labels().tolist() == [0, 0]
    assert len(load_target(config, dataset, splits, ['rubbing', 'cavitation'], 1.0).scored) == 0


def test_what_cannot_be_adapted_is_refused(source, run, machines, tmp_path):
    """The value, and what to do."""
    elsewhere = {'data_dir': str(machines)}
    cases = [
        (source, 'bearing_rig/rig_a_small-musicnn', {}, fdx.DataError, 'musicnn.*vggish.*choose a config'),
        (source, f'{DATASET}:rig_x', {}, fdx.ConfigError, '`target`.*rig_x; it has rig_a, rig_b, rig_c'),
        (source, TARGET, {'exclude_recordings': ('x7',)}, fdx.ConfigError, '`exclude_recordings` names x7'),
        (source, TARGET, {'target_fold': 9}, fdx.SplitError, 'fold 9.*0 to 4'),
        (source, TARGET, {'step': '77'}, fdx.CheckpointError, "no step '77'"),
        # The run trained on blocks 0 to 2 of rig_a; those of fold 2 are tested here.
        (source, f'{DATASET}:rig_a', {'target_fold': 2}, fdx.SplitError, 'has learned from.*`target_fold`=0'),
        (tmp_path / 'none', TARGET, {}, fdx.CheckpointError, 'no finished checkpoint'),
        (run, TARGET, {'method': 'test_time_norms', **elsewhere}, fdx.ConfigError, 'vggish.*method`=shot'),
        (run, TARGET, {'method': 'tent', **elsewhere}, fdx.ConfigError, 'VGGish.*method`=shot'),
    ]
    for i, (checkpoint, target, settings, error, text) in enumerate(cases):
        workdir = tmp_path / f'new{i}'
        with pytest.raises(error, match=text):
            fdx.adapt(checkpoint, target, workdir, **settings)
        assert not workdir.exists()


def test_orders_are_the_same_at_any_rate_and_samples_are_not():
    """CWRU's 12 kHz and MFPT's 48.8 kHz: images of fault orders may be compared, raw windows may not."""

    def at(name: str, rate_hz: float) -> dict:
        return what_decides_inputs(create_front_end(name, rate_hz).config())

    assert at('fault_orders', 12000.0) == at('fault_orders', 48828.0)
    assert at('waveform', 12000.0) != at('waveform', 48828.0)
    assert at('fault_orders', 12000.0) != at('envelope_spectrum', 12000.0)


def test_what_it_has_learned_from_may_be_scored_only_on_demand(source, tmp_path):
    result = fdx.adapt(source, f'{DATASET}:rig_a', tmp_path, method='test_time_norms', target_fold=2, allow_leak=True)
    evaluation = fdx.evaluate(result)
    assert evaluation.metrics['leaks'] and 'has learned from' in evaluation.metrics['leak_reason']


def test_an_adapted_run_can_be_adapted_again(adapted, tmp_path):
    first = adapted('test_time_norms')
    second = fdx.adapt(first, f'{DATASET}:rig_c', tmp_path, method='test_time_norms')
    entries = load_run(second.workdir)[1]['learned_from']
    assert [next(iter(e['spans'])).split('-')[0][:5] for e in entries] == ['rig_c', 'rig_b', 'rig_a']


@pytest.mark.parametrize(
    ('settings', 'text'),
    [
        ({'method': 'dann'}, '`method`=dann: it must be one of shot, tent'),
        ({'select_by': 'source_risk'}, '`select_by`=source_risk'),
        ({'pseudo_weight': -1.0}, '`pseudo_weight`=-1'),
        ({'learning_rate': float('nan')}, '`learning_rate`=nan'),
        ({'batch_size': 0}, '`batch_size`=0'),
        ({'prior_windows': 4}, '`prior_windows`=4 goes with `method`=test_time_norms, not shot'),
        ({'pseudo_weight': 0.1, 'method': 'tent'}, '`pseudo_weight`=0.1 goes with `method`=shot'),
        ({'epochs': 3, 'method': 'test_time_norms'}, '`epochs`=3: .*trains nothing'),
        ({'target': 'rig_b'}, '`target`=rig_b: write it as builder/config'),
    ],
)
def test_settings_that_cannot_be_or_would_be_ignored(settings, text):
    with pytest.raises(fdx.ConfigError, match=text):
        dataclasses.replace(SourceFreeConfig('run', 'a/b'), **settings)


def test_the_front_door_takes_one_form_or_the_other(tmp_path):
    plan, config = fdx.AdaptConfig('a/b:c', 'a/b:d'), fdx.TrainConfig('a/b')
    for args, settings, text in (
        ((config, plan), {'method': 'shot'}, '`method` goes with a finished run'),
        ((config, 'a/b:d'), {}, 'a/b:d goes with a finished run'),
        (('runs/mine', plan), {}, 'AdaptConfig goes with a TrainConfig.*a/b:d'),
        (('runs/mine', 'a/b:d'), {'freeze': 'head'}, 'no setting freeze; there are: .*method'),
    ):
        with pytest.raises(fdx.ConfigError, match=text):
            fdx.adapt(*args, tmp_path / 'new', **settings)


def test_the_epoch_is_the_last_one_unless_another_is_asked_for():
    history = [{'entropy': 0.2, 'infomax': -0.5}, {'entropy': 0.3, 'infomax': -0.7}]
    for select_by, score in (('last', 8.0), ('entropy', -0.3), ('infomax', 0.7)):
        choice = choice_of(select_by)
        assert choice(8, history) == {'selection': {'criterion': select_by, 'score': score}}
        assert choice(6, None) == {'selection': {'criterion': select_by, 'score': None}}
