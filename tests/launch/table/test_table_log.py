"""A user's log and a table with groups, from the command line: split, warning, leak mark, interval, prediction."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fdx.data.readings_csv import Readings, write_readings
from fdx.evaluate import evaluate
from tests.data.logs import NAMES, coin_log


@pytest.fixture(scope='module')
def logs(tmp_path_factory):
    """Folder with coins.csv (40 runs of 30 rows), groups.csv (the same with their run) and sorted.csv."""
    folder = tmp_path_factory.mktemp('logs')
    values, labels = coin_log(0, rows=30)
    write_readings(folder / 'coins.csv', Readings(NAMES, values, labels))
    lines = (folder / 'coins.csv').read_text().splitlines()
    runs = [f'run {i // 30}' for i in range(1200)]
    (folder / 'groups.csv').write_text('\n'.join([f'run,{lines[0]}', *map(','.join, zip(runs, lines[1:]))]))
    rng = np.random.default_rng(0)
    write_readings(folder / 'sorted.csv', Readings(NAMES, rng.standard_normal((400, 4)), np.repeat([0, 1], 200)))
    return folder


def train(call, logs, name, *flags, workdir=None):
    return call(
        'train',
        f'--dataset=motor_maintenance/{name}',
        f'--data_dir={logs / "data"}',
        '--epochs=2',
        f'--workdir={logs / (workdir or name)}',
        *flags,
    )


def scores(call, folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, '_figures', lambda scored, results: {})
        done = call('evaluate', f'--checkpoint={folder}')
    assert done.code == 0, done.err
    return json.loads((folder / 'evaluation' / 'results.json').read_text()), done


def test_a_log_is_dealt_by_its_runs_with_a_warning(call, logs):
    done = train(call, logs, 'coins', f'--csv={logs / "coins.csv"}')
    assert done.code == 0, done.err
    assert '--protocol=row_blocks' in done.out
    assert 'warning: Rows are not independent: ' in done.err and 'stretches where it jumps' in done.err
    results, done = scores(call, logs / 'coins')
    assert (results['leaks'], results['interval_unit']) == (False, 'stretch of rows')
    # A fifth of 40 runs, two of which may look like one.
    assert results['units'] in (7, 8) and results['windows'] == pytest.approx(240, abs=30)
    low, high = results['accuracy_interval']
    assert low < 0.5 < high and high - low > 0.4
    assert f'% by stretch of rows ({results["units"]}), ' in done.out and '% if rows were independent)' in done.out
    assert 'stretches where it jumps' in (logs / 'coins' / 'evaluation' / 'report.html').read_text()
    assert any('Rows are not independent' in note for note in results['split_notes'])


def test_stratified_is_there_by_name_and_marked(call, logs):
    done = train(call, logs, 'coins', f'--csv={logs / "coins.csv"}', '--protocol=stratified', workdir='marked')
    assert done.code == 0, done.err
    assert 'warning: LEAKS: protocol stratified deals rows one by one' in done.err
    results, done = scores(call, logs / 'marked')
    assert results['leaks'] and results['leak_share'] > 0.6
    assert 'the label comes in runs' in results['leak_reason']
    assert 'LEAKS: protocol stratified' in done.out
    assert '<section class="mark leak"' in (logs / 'marked' / 'evaluation' / 'report.html').read_text()


def test_a_column_of_groups_is_no_reading_and_prediction_needs_none(says, call, logs):
    done = train(call, logs, 'groups', f'--csv={logs / "groups.csv"}', '--group_column=run')
    assert done.code == 0, done.err
    assert '--protocol=by_group' in done.out and 'Whole groups of rows lie in one split: 40 groups.' in done.out
    results, done = scores(call, logs / 'groups')
    assert (results['leaks'], results['interval_unit'], results['units']) == (False, 'group of rows', 8)
    for name in ('coins.csv', 'groups.csv'):
        done = call('predict', f'--checkpoint={logs / "groups"}', logs / name)
        assert done.code == 0, done.err
        table = json.loads(done.out.splitlines()[-1])
        assert (table['kind'], table['readings']) == ('table', 1200)
    # The table is prepared: neither file nor flag is needed any more, and another column is refused.
    assert '--protocol=by_group' in train(call, logs, 'groups', workdir='again').out
    done = train(call, logs, 'coins', f'--csv={logs / "coins.csv"}', '--group_column=run', workdir='none')
    assert says(done.error, 'prepared already, ... --group_column: choose another name')


@pytest.mark.parametrize(
    ('csv', 'flags', 'words'),
    [
        ('sorted.csv', (), 'only 1 stretch ... sorted ... --group_column ... --protocol=stratified'),
        ('groups.csv', (), "columns unknown: 'run'"),
        ('groups.csv', (), "'run' ... --group_column=NAME"),
        ('coins.csv', ('--group_column=run',), "columns missing: 'run'"),
        ('coins.csv', ('--group_column=rpm',), '--group_column=rpm is a reading; ... of its own'),
        ('coins.csv', ('--group_column=failure',), '--group_column=failure is the label; ... of its own'),
        (None, ('--group_column=run',), '--group_column=run ... --csv=FILE: give the file'),
    ],
)
def test_what_cannot_be_dealt_is_one_line_and_leaves_no_run(says, call, logs, tmp_path, csv, flags, words):
    given = [f'--csv={logs / csv}'] if csv else []
    folders = [f'--data_dir={tmp_path / "data"}', f'--workdir={tmp_path / "run"}']
    done = call('train', '--dataset=motor_maintenance/odd', *folders, *given, *flags)
    assert done.code == 1 and says(done.error, words)
    assert not (tmp_path / 'run' / 'checkpoints').exists()


def test_a_sorted_table_follows_the_errors_advice_and_is_marked(call, logs):
    done = train(call, logs, 'sorted', f'--csv={logs / "sorted.csv"}', '--protocol=stratified')
    assert done.code == 0, done.err
    assert 'LEAKS' in done.err and 'the label comes in runs' in done.err


def test_prepare_takes_a_column_of_groups(call, logs, tmp_path):
    to = f'--data_dir={tmp_path / "data"}'
    flags = ['--config=mine', f'--csv={logs / "groups.csv"}', '--group_column=run', to]
    done = call('prepare', 'datasets/motor_maintenance', *flags)
    assert done.code == 0, done.err
    info = json.loads(next((tmp_path / 'data').rglob('metadata.json')).read_text())
    assert (info['group_column'], info['protocol']) == ('run', 'by_group')
