"""Cells of the adaptation benchmarks: which there are, what a run is asked, and that each is trained once."""

from __future__ import annotations

import dataclasses
import json
import pathlib

import pytest

from fdx.adapt.choice import chosen
from fdx.adapt.config import AdaptConfig
from fdx.adapt.methods import METHODS
from fdx.benchmarks import adaptation_run as adaptation_bench
from fdx.benchmarks.adaptation_run import DEFAULT_FRONT_ENDS, configs, dataset_names, records_of, run_cell
from fdx.benchmarks.adaptation_suite import (
    BATCH_SIZE,
    DEFAULT_METHODS,
    INPUTS,
    PATIENCE,
    SUITES,
    Input,
    Pair,
    Suite,
    cells,
    get_suite,
    protocol_of,
    scores_all,
)
from fdx.benchmarks.grid import Call, Cell
from fdx.types import ConfigError

TINY = Input('mean', 'vggish', 'band_mlp', {'width_multiplier': 0.125}, 'tiny')
ONE_WAY = Pair('b -> a', 'bearing_rig/rig_b_small{}', 'bearing_rig/rig_a_small{}')
NAMES = ('bearing_rig/rig_b_small', 'bearing_rig/rig_a_small')
ROW_KEYS = {
    *('input', 'model', 'method', 'task', 'protocol', 'records', 'seed', 'fold', 'windows', 'units', 'seconds'),
    *('epochs', 'settled', 'accuracy', 'macro_f1'),
}
SELECTIONS = ['source_risk', 'dev', 'snd', 'entropy', 'infomax', 'nuclear_norm', 'last', 'oracle']
# Recordings of a tiny machine are of five blocks of one window: 6 for each block, in three classes.
RECORDINGS = 6


def suite_of(*pairs: Pair, **fields) -> Suite:
    return Suite('tiny', 'two tiny rigs', 'label', pairs or (ONE_WAY,), ('mean',), ('mean',), **fields)


def cell_of(method: str = 'coral', seed: int = 0, pair: Pair = ONE_WAY, **fields) -> Cell:
    return Cell(suite_of(pair, **fields), pair, TINY, method, seed)


def test_cells_go_seed_by_seed_then_input_method_and_pair():
    found = cells(SUITES['machines'], ('time', 'mel'), ('source_only', 'mcc'), 2)
    # Inputs in the suite's order; `time` is not adapted here.
    one_seed = [('mel', 'source_only'), ('mel', 'mcc'), ('time', 'source_only')]
    pairs = ['cwru -> mfpt', 'mfpt -> cwru']
    expected = [(seed, *what, pair) for seed in (0, 1) for what in one_seed for pair in pairs]
    assert [(c.seed, c.input.name, c.method, c.task.name) for c in found] == expected
    assert {c.suite.name for c in found} == {'machines'}


def test_an_input_that_is_not_adapted_has_no_other_cell():
    assert cells(SUITES['machines'], ('fault_orders', 'envelope', 'time'), ('mcc', 'dann'), 3) == []
    assert len(cells(SUITES['rigs'], tuple(INPUTS), ('mcc', 'dann'), 3)) == 2 * 2 * 6 * 3


def test_suites_pair_every_domain_with_every_other():
    for name, domains in (('loads', 4), ('rigs', 3)):
        names = [pair.name.split(' -> ') for pair in SUITES[name].pairs]
        assert len(names) == len({tuple(n) for n in names}) == domains * (domains - 1)
        assert all(a != b for a, b in names)
        assert [[p.source.rpartition(':')[2], p.target.rpartition(':')[2]] for p in SUITES[name].pairs] == names
    for suite in SUITES.values():
        assert set(suite.adapted) <= set(suite.inputs) <= set(INPUTS)
    assert set(DEFAULT_METHODS) <= set(METHODS)
    assert get_suite('rigs') is SUITES['rigs']
    with pytest.raises(ConfigError, match='load.*loads, machines, rigs, generalise'):
        get_suite('load')


def test_three_loads_generalise_to_the_fourth():
    suite = SUITES['generalise']
    found = cells(suite, suite.inputs, None, 1)
    assert [c.method for c in found if c.input.name == 'mel' and c.task is suite.pairs[0]] == [
        *('source_only', 'domain_mixup', 'group_dro', 'mix_style')
    ]
    assert {c.method for c in found if c.input.name == 'time'} == {'source_only', 'domain_mixup', 'mix_style'}
    assert len(found) == 4 * (4 + 3)
    assert all(scores_all(c) for c in found)
    assert dataset_names(found[-1], DEFAULT_FRONT_ENDS) == (
        'cwru/faults_12k-waveform:load0+load1+load2',
        'cwru/faults_12k-waveform:load3',
    )
    assert found[0].path(pathlib.Path('w')).parts[-2] == 'load1+load2+load3_to_load0'


def test_a_suite_that_generalises_refuses_methods_that_see_the_target(says, tmp_path):
    with pytest.raises(ConfigError) as caught:
        adaptation_bench.run(Call(tmp_path, str(tmp_path)), 'generalise', ('mel',), ('mix_style', 'dann', 'adabn'))
    assert says(str(caught.value), '`methods`=mix_style,dann,adabn: `suite`=generalise ... dann, adabn would see')
    assert not list(tmp_path.iterdir())


def test_names_carry_the_front_end_where_it_is_not_the_builders_default():
    loads = SUITES['loads']
    assert dataset_names(Cell(loads, loads.pairs[0], INPUTS['time'], 'mcc', 0), DEFAULT_FRONT_ENDS) == (
        'cwru/faults_12k-waveform:load0',
        'cwru/faults_12k-waveform:load1',
    )
    machines = SUITES['machines']
    cell = Cell(machines, machines.pairs[1], INPUTS['fault_orders'], 'mcc', 0)
    assert dataset_names(cell, DEFAULT_FRONT_ENDS) == ('mfpt/faults-fault_orders', 'cwru/faults_12k-fault_orders')
    assert dataset_names(cell_of(), DEFAULT_FRONT_ENDS) == NAMES
    assert dataset_names(cell_of(), {}) == tuple(f'{name}-vggish' for name in NAMES)
    # vggish is what bearing_rig leaves out, not what every builder does.
    both = dataclasses.replace(ONE_WAY, target='cwru/faults_12k{}:load0')
    assert dataset_names(cell_of(pair=both), DEFAULT_FRONT_ENDS)[1] == 'cwru/faults_12k-vggish:load0'


def test_all_suites_name_configs_that_their_builders_have():
    from fdx.datasets.bearing_rig.bearing_rig_dataset_builder import Builder as BearingRig
    from fdx.datasets.cwru.cwru_dataset_builder import Builder as Cwru
    from fdx.datasets.mfpt.mfpt_dataset_builder import Builder as Mfpt

    builders = {'bearing_rig': BearingRig, 'cwru': Cwru, 'mfpt': Mfpt}
    known = {f'{name}/{config.name}' for name, builder in builders.items() for config in builder.BUILDER_CONFIGS}
    asked = {
        name.partition(':')[0]
        for suite in SUITES.values()
        for cell in cells(suite, tuple(INPUTS), ('source_only',), 1)
        for name in dataset_names(cell, DEFAULT_FRONT_ENDS)
    }
    assert len(asked) == 2 + 2 * 4 + 2 - 2  # loads and machines share CWRU's mel and time.
    assert asked <= known


@pytest.mark.parametrize(
    ('rotates', 'target_protocol', 'fold'), [(True, 'time_blocks', 3), (False, 'random_windows', 0)]
)
def test_folds_follow_the_seed_where_they_rotate(data_dir, rotates, target_protocol, fold):
    pair = dataclasses.replace(ONE_WAY, protocols=('time_blocks', target_protocol), rotates=rotates)
    cell = cell_of(seed=3, pair=pair)
    config, plan = configs(cell, str(data_dir), NAMES)
    assert (config.seed, config.fold, plan.target_fold) == (3, fold, fold)
    assert (config.protocol, plan.target_protocol) == pair.protocols
    assert protocol_of(cell) == f'source time_blocks, test part of {target_protocol}'


def test_configs_hold_what_the_suite_and_the_input_say(data_dir):
    cell = cell_of('dann', seed=2, labels_per_class=3)
    config, plan = configs(cell, str(data_dir), NAMES)
    assert (plan.source, plan.target, plan.method) == (*NAMES, 'dann')
    assert (config.dataset, config.model, config.model_options) == (NAMES[0], 'band_mlp', {'width_multiplier': 0.125})
    assert (config.label_key, config.labels_per_class, config.data_dir) == ('label', 3, str(data_dir))
    assert (config.batch_size, config.learning_rate, config.halve_every, config.l2) == (BATCH_SIZE, 1e-3, 0, 0.0)
    assert config.save_every == config.epochs == 60
    assert plan.patience == PATIENCE
    assert configs(cell_of(epochs=7), str(data_dir), NAMES)[0].epochs == 7


@pytest.mark.parametrize('method', METHODS)
def test_an_input_that_nothing_adapts_is_scored_whole_and_others_on_one_part(data_dir, method):
    compared = cell_of(method)
    alone = dataclasses.replace(compared, suite=dataclasses.replace(compared.suite, adapted=()))
    general = dataclasses.replace(compared, suite=dataclasses.replace(compared.suite, generalises=True))
    unseen = method == 'source_only' or METHODS[method].needs_domains
    for cell, whole in ((compared, False), (alone, unseen), (general, unseen)):
        _, plan = configs(cell, str(data_dir), NAMES)
        assert plan.score_all_target == scores_all(cell) == whole
        assert ('all target windows' in protocol_of(cell)) == whole


def test_records_of_a_domain_are_those_of_its_dataset(data_dir):
    whole, part = AdaptConfig(*NAMES), AdaptConfig(f'{NAMES[0]}:speed1', f'{NAMES[1]}:speed2')
    assert records_of(part, str(data_dir)) == records_of(whole, str(data_dir))
    assert all(version[0].isdigit() for version in records_of(part, str(data_dir)))


def test_every_cell_has_a_file_of_its_own(tmp_path):
    paths = [
        cell.path(tmp_path) for suite in SUITES.values() for cell in cells(suite, tuple(INPUTS), tuple(METHODS), 2)
    ]
    assert len(set(paths)) == len(paths) > 800
    assert cell_of(seed=4).path(tmp_path) == tmp_path / 'cells/tiny/mean/coral/b_to_a/seed_4.json'


@pytest.fixture(scope='module')
def ran(data_dir, tmp_path_factory):
    """(method -> (results, stored), root, caches) of two cells that share their caches."""
    root, caches, found = tmp_path_factory.mktemp('benchmark'), {}, {}
    for method in ('source_only', 'coral'):
        found[method] = run_cell(cell_of(method, epochs=4), Call(root, str(data_dir)), NAMES, caches)
    return found, root, caches


@pytest.mark.parametrize(('method', 'windows'), [('source_only', RECORDINGS), ('coral', RECORDINGS)])
def test_rows_of_a_cell(ran, method, windows):
    results, stored = ran[0][method]
    assert stored is False
    row = results['row']
    assert set(row) == ROW_KEYS
    assert [row[k] for k in ('task', 'input', 'model')] == ['b -> a', 'mean', 'band_mlp']
    assert (row['method'], row['seed'], row['protocol']) == (method, 0, protocol_of(cell_of(method)))
    assert (row['windows'], row['units']) == (windows, windows)
    assert row['seconds'] > 0
    accuracy, macro_f1 = row['accuracy'], row['macro_f1']
    assert list(accuracy) == list(macro_f1) == sorted(SELECTIONS)  # As JSON files have them.
    history = results['history']
    assert [row['epoch'] for row in history] == [1, 2, 3, 4]
    assert (row['epochs'], row['settled']) == (4, False)
    for criterion in SELECTIONS[:6]:
        best = chosen(history, criterion)
        assert accuracy[criterion] == best['oracle_target_accuracy']
        assert macro_f1[criterion] == best['oracle_target_macro_f1']
    assert accuracy['last'] == history[-1]['oracle_target_accuracy']
    assert accuracy['oracle'] == max(row['oracle_target_accuracy'] for row in history)
    # A share of the windows that are scored.
    assert all(value * windows == pytest.approx(round(value * windows)) for value in accuracy.values())


def test_a_cell_that_is_there_is_not_trained(ran, data_dir, monkeypatch):
    found, root, caches = ran
    path = cell_of().path(root)
    before, stamp = path.read_text(), path.stat().st_mtime_ns

    def trained(*args, **kwargs):
        raise AssertionError('trained')

    monkeypatch.setattr(adaptation_bench, 'run_adaptation', trained)
    results, stored = run_cell(cell_of(epochs=4), Call(root, str(data_dir)), NAMES, caches)
    assert stored is True
    assert results == found['coral'][0] == json.loads(before)
    assert path.stat().st_mtime_ns == stamp
    # What decides the run differs: the old results are no answer.
    for cell in (cell_of(epochs=6), cell_of(epochs=4, labels_per_class=1), cell_of(epochs=4, seed=1)):
        with pytest.raises(AssertionError, match='trained'):
            run_cell(cell, Call(root, str(data_dir)), NAMES, caches)
    monkeypatch.setattr(adaptation_bench, 'LEARNING_RATE', 2e-3)
    with pytest.raises(AssertionError, match='trained'):
        run_cell(cell_of(epochs=4), Call(root, str(data_dir)), NAMES, caches)
    assert path.read_text() == before


def test_changed_settings_take_the_place_of_the_old_cell(ran, data_dir, rig, tmp_path):
    found, root, caches = ran
    path = cell_of().path(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text(cell_of().path(root).read_text())
    results, stored = run_cell(cell_of(epochs=5), Call(tmp_path, str(data_dir)), NAMES, caches)
    assert (stored, len(results['history']), results['asked']['config']['epochs']) == (False, 5, 5)
    assert json.loads(path.read_text()) == results
