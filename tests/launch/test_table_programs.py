"""Tables from the command line: prepare and train with --csv, table defaults, evaluate, predict."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest

from datasets.motor_maintenance.generator import generate
from fdx.data.readings_csv import COLUMNS, Readings, write_readings
from fdx.data.source import open_dataset
from fdx.evaluate import evaluate
from fdx.evaluate.predictions import load_predictions
from fdx.train import run as run_module
from fdx.train.checkpoints import Checkpoints
from fdx.train.config import TrainConfig
from fdx.types import ConfigError, DataError, FdxError
from launch.prepare_on_demand import prepare_if_missing
from launch.table_defaults import DROPOUT_OF_LARGE, TABLE_DEFAULTS, settings_text, table_settings

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILDER = ROOT / 'datasets' / 'motor_maintenance'
HEADER = ','.join(COLUMNS)
# Flag -> (with another value than a table's default, the value in TrainConfig).
GIVEN = {
    'protocol': ('--protocol=random_windows', 'random_windows'),
    'model': ('--model=cnn1d', 'cnn1d'),
    'dropout_rate': ('--dropout_rate=0.125', 0.125),
    'epochs': ('--epochs=3', 3),
    'patience': ('--patience=0', 0),
    'learning_rate': ('--learning_rate=0.25', 0.25),
    'halve_every': ('--halve_every=7', 7),
    'batch_size': ('--batch_size=5', 5),
}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """log.csv and other.csv, tables of 150 readings."""
    folder = tmp_path_factory.mktemp('tables')
    write_readings(folder / 'log.csv', generate(150, 1))
    write_readings(folder / 'other.csv', generate(150, 2))
    return folder


@pytest.fixture(scope='module')
def mine(folder):
    """Flags of launch.train for log.csv, which is prepared on first use."""
    return ['--dataset=motor_maintenance/mine', f'--data_dir={folder / "data"}', f'--csv={folder / "log.csv"}']


@pytest.fixture(scope='module')
def trained(call, mine, folder):
    """(workdir, what the program left) of a run on log.csv; few epochs, and a threshold that calls many failures."""
    done = call('train', *mine, '--epochs=3', '--threshold=cost:20', f'--workdir={folder / "run"}')
    assert done.code == 0, done.err
    return folder / 'run', done


@pytest.fixture
def config_of(call, trained, mine, tmp_path, monkeypatch):
    """config_of(*flags) -> (the TrainConfig that launch.train hands over, what it printed); nothing is trained."""

    def make(*flags):
        configs = []

        def stop(config, *args, **options):
            configs.append(config)
            raise FdxError('enough')

        monkeypatch.setattr(run_module, 'train', stop)
        done = call('train', *mine, *flags, f'--workdir={tmp_path / "none"}')
        assert done.error == 'error: enough'
        return configs[0], done.out

    return make


def stored_config(workdir):
    checkpoints = Checkpoints(workdir)
    return TrainConfig.from_json(checkpoints.meta(checkpoints.best_step())['config'])


def rows_of(done):
    return [json.loads(line) for line in done.out.splitlines()]


def test_train_prepares_the_table_and_says_its_settings(trained, folder):
    workdir, done = trained
    assert done.out.count('preparing motor_maintenance/mine/1.0.0') == 1
    data = open_dataset('motor_maintenance/mine', folder / 'data')
    assert (len(data), data.metadata['source']) == (150, 'log.csv')
    config = stored_config(workdir)
    expected = {**TABLE_DEFAULTS, 'epochs': 3, 'threshold': 'cost:20', 'balance': 'none'}
    assert {name: getattr(config, name) for name in expected} == expected
    line = next(line for line in done.out.splitlines() if line.startswith('a table of readings: '))
    assert line.split()[4:] == [f'--{k}={v}' for k, v in TABLE_DEFAULTS.items() if k != 'epochs']
    assert done.out.count('epoch ') == 3


def test_the_same_command_again_trains_nothing(call, trained, mine):
    workdir, _ = trained
    done = call('train', *mine, '--epochs=3', '--threshold=cost:20', f'--workdir={workdir}')
    assert (done.code, 'epoch ' in done.out, 'preparing' in done.out) == (0, False, False)
    # The table is prepared: neither the file nor its flag is needed any more.
    done = call('train', *mine[:2], '--epochs=3', '--threshold=cost:20', f'--workdir={workdir}')
    assert (done.code, 'epoch ' in done.out) == (0, False)


def test_defaults_are_those_of_tables_where_no_flag_is_given(config_of):
    config, out = config_of()
    assert {name: getattr(config, name) for name in TABLE_DEFAULTS} == TABLE_DEFAULTS
    assert settings_text(TABLE_DEFAULTS) in out
    # What tables have no default of their own for is as for recordings.
    plain = TrainConfig(dataset='x')
    for name in ('label_key', 'balance', 'threshold', 'select_by', 'l2', 'freeze', 'init', 'seed'):
        assert getattr(config, name) == getattr(plain, name)


def test_every_given_flag_wins_over_the_table_s_default(config_of):
    assert set(GIVEN) == set(TABLE_DEFAULTS)
    for name, (flag, value) in GIVEN.items():
        config, out = config_of(flag)
        expected = {**TABLE_DEFAULTS, name: value}
        assert {n: getattr(config, n) for n in TABLE_DEFAULTS} == expected
        assert f'--{name}=' not in out
    config, out = config_of(*(flag for flag, _ in GIVEN.values()))
    assert {n: getattr(config, n) for n in TABLE_DEFAULTS} == {n: value for n, (_, value) in GIVEN.items()}
    assert 'a table of readings' not in out


def test_a_flag_given_with_its_default_is_given_all_the_same(config_of):
    """vggish's defaults differ from a table's: 4 epochs are wished for, if they are written."""
    assert config_of('--epochs=4', '--dropout_rate=0.5')[0].epochs == 4


def test_the_larger_network_has_dropout_where_none_is_given(config_of):
    large = ('--model=mlp', '--model_option=size=large')
    config, _ = config_of(*large)
    assert (config.dropout_rate, config.model_options) == (DROPOUT_OF_LARGE, {'size': 'large'})
    assert config_of(*large, '--dropout_rate=0.1')[0].dropout_rate == 0.1
    assert config_of('--model=mlp', '--model_option=size=small')[0].dropout_rate == 0.0


def test_recordings_keep_their_defaults():
    assert table_settings('cwru/load0_12k') == {} == table_settings('')


@pytest.mark.parametrize(
    ('dataset', 'csv', 'words'),
    [
        (
            'motor_maintenance/mine',
            'other.csv',
            r'is prepared already, from other rows \(log\.csv\): choose another na',
        ),
        ('motor_maintenance/mine', 'gone.csv', 'gone.csv is no file'),
        ('motor_maintenance/small', 'log.csv', 'give the table a name of its own, other than study, small'),
        ('motor_maintenance', 'log.csv', 'give the table a name of its own'),
        ('cwru/mine', 'log.csv', 'cwru is made of recordings, not of a table'),
        ('squeaky_wheel/mine', 'log.csv', 'there is no builder datasets/squeaky_wheel'),
    ],
)
def test_a_file_that_does_not_belong_to_the_name_is_refused(trained, folder, dataset, csv, words):
    before = sorted((folder / 'data').rglob('*'))
    with pytest.raises(ConfigError, match=words) as e:
        prepare_if_missing(dataset, str(folder / 'data'), None, str(folder / csv))
    assert '--csv=' in str(e.value) or '--dataset=' in str(e.value)
    assert sorted((folder / 'data').rglob('*')) == before


def test_a_name_that_is_prepared_without_a_file_is_refused(folder, tmp_path):
    prepare_if_missing('motor_maintenance/small', str(tmp_path), None)
    with pytest.raises(ConfigError, match='small:1.0.0 is prepared already, without a file: choose another name'):
        prepare_if_missing('motor_maintenance/small', str(tmp_path), None, str(folder / 'log.csv'))
    with pytest.raises(ConfigError, match='has the configs study, small; a name of your own goes with --csv=FILE'):
        prepare_if_missing('motor_maintenance/other', str(tmp_path), None)


def test_train_refuses_another_file_in_one_line(call, trained, mine, folder, tmp_path):
    done = call('train', *mine[:2], f'--csv={folder / "other.csv"}', f'--workdir={tmp_path / "run"}')
    assert (done.code, 'prepared already, from other rows (log.csv)' in done.error) == (1, True)
    assert not (tmp_path / 'run').exists()


def test_a_bad_table_names_its_cell_and_leaves_nothing(call, folder, tmp_path):
    lines = (folder / 'log.csv').read_text().splitlines()
    lines[7] = lines[7].rpartition(',')[0] + ',2'
    (tmp_path / 'bad.csv').write_text('\n'.join(lines))
    with pytest.raises(DataError, match=r'bad\.csv: row 8, column failure: .2. is no label'):
        prepare_if_missing('motor_maintenance/bad', str(tmp_path / 'data'), None, str(tmp_path / 'bad.csv'))
    assert sorted(p.name for p in tmp_path.iterdir()) == ['bad.csv']


def test_prepare_takes_a_table(call, folder, mine, tmp_path):
    to = f'--data_dir={tmp_path / "data"}'
    done = call('prepare', BUILDER, '--config=theirs', f'--csv={folder / "other.csv"}', to)
    assert done.code == 0, done.err
    data = open_dataset('motor_maintenance/theirs', tmp_path / 'data')
    np.testing.assert_array_equal(np.sort(data.values[:, 0]), np.sort(generate(150, 2).values[:, 0].astype(np.float32)))
    assert data.metadata['source'] == 'other.csv'
    # launch.train knows the file, and no other under this name.
    flags = ['--dataset=motor_maintenance/theirs', to, '--epochs=1', f'--workdir={tmp_path / "run"}']
    done = call('train', *flags, f'--csv={folder / "log.csv"}')
    assert 'prepared already, from other rows (other.csv)' in done.error
    done = call('train', *flags, f'--csv={folder / "other.csv"}')
    assert (done.code, 'preparing' in done.out) == (0, False)


@pytest.mark.parametrize(
    ('args', 'words'),
    [
        (['--config=small'], 'give the table a name of its own, other than study, small'),
        ([], 'give the table a name of its own'),
        (['--config=mine', '--csv=/nowhere/log.csv'], '/nowhere/log.csv does not exist'),
    ],
)
def test_prepare_refuses(call, folder, tmp_path, args, words):
    flags = [f'--csv={folder / "log.csv"}', f'--data_dir={tmp_path / "data"}']
    done = call('prepare', BUILDER, *flags, *args)
    assert done.code == 1
    assert words in done.error
    assert not (tmp_path / 'data').exists()


def test_prepare_refuses_a_table_for_recordings(call, folder, tmp_path):
    flags = ('--config=mine', f'--csv={folder / "log.csv"}', f'--data_dir={tmp_path / "data"}')
    cwru = ROOT / 'datasets' / 'cwru'
    for builders, words in (
        ([cwru], 'cwru is made of recordings, not of a table'),
        ([BUILDER, cwru], 'one dataset at'),
    ):
        done = call('prepare', *builders, *flags)
        assert (done.code, words in done.error) == (1, True)
    assert not (tmp_path / 'data').exists()


@pytest.fixture(scope='module')
def scored(call, trained):
    """(folder of results, what launch.evaluate left), without figures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, '_figures', lambda scored, results: {})
        done = call('evaluate', f'--checkpoint={trained[0]}')
    assert done.code == 0, done.err
    return trained[0] / 'evaluation', done


def test_evaluate_speaks_of_rows_and_of_the_threshold(scored, trained):
    folder, done = scored
    results = json.loads((folder / 'results.json').read_text())
    found = load_predictions(folder / 'predictions.npz')
    checkpoints = Checkpoints(trained[0])
    threshold = checkpoints.meta(checkpoints.best_step())['threshold']
    assert set(found.thresholds.tolist()) == {threshold}
    called = found.probabilities[:, 1] >= threshold
    assert (called.astype(int) != found.probabilities.argmax(axis=1)).any()
    decision = results['decision']
    assert (decision['threshold'], decision['missed']) == (threshold, int((~called & (found.labels == 1)).sum()))
    assert decision['false_alarms'] == int((called & (found.labels == 0)).sum())
    assert results['accuracy'] == pytest.approx((called == found.labels).mean())
    lines = done.out.splitlines()
    assert lines[0].split() == ['class', 'precision', '%', 'recall', '%', 'rows']
    assert f'{len(found)} rows' in done.out and 'recordings' not in done.out
    assert f'failure by threshold {threshold}: precision ' in done.out
    report = (folder / 'report.html').read_text()
    assert 'cost:20 on validation rows' in report


@pytest.fixture(scope='module')
def held_out(scored, folder):
    """(readings of the scored rows, their labels, their probabilities of a failure as launch.evaluate has them)."""
    found = load_predictions(scored[0] / 'predictions.npz')
    data = open_dataset('motor_maintenance/mine', folder / 'data')
    row_of = {r: i for i, r in enumerate(data.table['recording'])}
    rows = [row_of[r.partition('.')[0]] for r in found.recordings]
    return data.values[rows].astype(np.float64), found.labels, found.probabilities[:, 1]


def test_predict_says_what_evaluation_says(call, trained, held_out, tmp_path):
    values, labels, failure = held_out
    write_readings(tmp_path / 'with.csv', Readings(COLUMNS, values, labels))
    write_readings(tmp_path / 'without.csv', Readings(COLUMNS, values))
    checkpoints = Checkpoints(trained[0])
    threshold = checkpoints.meta(checkpoints.best_step())['threshold']
    called = np.where(failure >= threshold, 'failure', 'normal').tolist()
    for name in ('with.csv', 'without.csv'):
        done = call('predict', f'--checkpoint={trained[0]}', tmp_path / name)
        assert done.code == 0, done.err
        *rows, summary = rows_of(done)
        assert [(r['kind'], r['row'], r['file']) for r in rows] == [
            ('reading', i, str(tmp_path / name)) for i in range(len(failure))
        ]
        np.testing.assert_allclose([r['probabilities']['failure'] for r in rows], failure, rtol=1e-5)
        assert [r['predicted'] for r in rows] == called
        counts = {state: called.count(state) for state in ('normal', 'failure')}
        assert summary == {'kind': 'table', 'file': str(tmp_path / name), 'readings': len(called), 'predicted': counts}


def test_predict_prints_files_alone_and_writes_what_it_prints(call, trained, folder, tmp_path):
    args = (f'--checkpoint={trained[0]}', f'--out={tmp_path / "out.jsonl"}')
    done = call('predict', *args, '--windows=false', folder / 'log.csv', folder / 'other.csv')
    assert done.code == 0
    assert [(r['kind'], r['readings']) for r in rows_of(done)] == [('table', 150)] * 2
    assert (tmp_path / 'out.jsonl').read_text() == done.out


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('rpm,temperature_c,vibration_g\n1,2,3\n', "row 1, the header: columns missing: 'current_a'"),
        (f'{HEADER},torque\n1,2,3,4,5\n', "row 1, the header: columns unknown: 'torque'"),
        (f'{HEADER}\n1600,24,0.12,3.5\n1600,24,high,3.5\n', "row 3, column vibration_g: 'high' is not a number"),
        (f'{HEADER}\n1600,24,0.12\n', 'row 2 has 3 cells'),
    ],
)
def test_predict_names_file_row_and_column_and_does_the_others(call, trained, tmp_path, text, words):
    bad, good = tmp_path / 'bad.csv', tmp_path / 'good.csv'
    bad.write_text(text)
    good.write_text(f'{HEADER}\n1600,24,0.12,3.5\n')
    done = call('predict', f'--checkpoint={trained[0]}', bad, good)
    assert (done.code, 'Traceback' in done.err) == (1, False)
    rows = rows_of(done)
    assert [r['kind'] for r in rows] == ['error', 'reading', 'table']
    assert str(bad) in rows[0]['error'] and words in rows[0]['error']


def test_predict_refuses_flags_of_signals(call, trained, folder):
    flags = ('--sample_rate=12000', '--hop_s=0.5', '--channel=rpm')
    done = call('predict', f'--checkpoint={trained[0]}', *flags, folder / 'log.csv')
    assert done.code == 1
    assert '--sample_rate, --channel, --hop_s: the model reads tables' in done.error
