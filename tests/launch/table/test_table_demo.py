"""launch.generate_table, and launch.table from a table to an 8-bit model."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fdx.data.readings_csv import balance, read_readings
from fdx.datasets.motor_maintenance.generator import STUDY, bayes_accuracy, generate
from fdx.predict.backends.tflite_file import read_model
from launch import table_defaults

pytestmark = pytest.mark.usefixtures('short_timing')


def test_generate_table_writes_what_the_generator_draws_and_says_its_balance(call, tmp_path):
    out = tmp_path / 'motor.csv'
    done = call('generate_table', '--rows=300', '--seed=5', '--p_failure_otherwise=0.2', f'--out={out}')
    assert done.code == 0, done.err
    written = read_readings(out)
    other_odds = type(STUDY)(p_failure_otherwise=0.2)
    np.testing.assert_array_equal(written.values, generate(300, 5, other_odds).values)
    counts = balance(written.labels)
    assert done.out.startswith(f'300 readings: normal {counts["normal"]} (')
    assert f'best possible accuracy: {100 * bayes_accuracy(other_odds):.2f} %' in done.out


@pytest.fixture(scope='module')
def shown(call, tmp_path_factory):
    """(workdir, what launch.table left) on 1500 readings, trained briefly."""
    folder = tmp_path_factory.mktemp('demo')
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(table_defaults.TABLE_DEFAULTS, 'epochs', 8)
        where = (f'--workdir={folder / "run"}', f'--data_dir={folder / "data"}')
        # Two identical commands but for what they demand: eight epochs leave rows on the edge.
        refused = call('table', '--rows=1500', '--min_agreement=1', *where)
        assert not (folder / 'run' / 'motor.tflite').exists()
        done = call('table', '--rows=1500', '--min_agreement=0.9', *where)
    assert done.code == 0, done.err
    return folder / 'run', done, refused


def test_the_table_has_a_row_for_every_way_and_for_the_8_bit_model(shown):
    workdir, done, _ = shown
    lines = done.out.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith('network'))
    names = [line.split('  ')[0] for line in lines[start + 2 : start + 8]]
    assert names == [
        'small',
        'small, threshold',
        'large, dropout',
        'small, class weights',
        'small, SMOTE',
        'small, threshold, int8',
    ]
    stored = json.loads((workdir / 'table.json').read_text())
    for line, run in ((lines[start + 4], 'large, dropout'), (lines[start + 6], 'small, SMOTE')):
        assert f' {100 * stored["runs"][run]["accuracy"]:.2f} ' in line
    small = stored['runs']['small']
    assert small['without_threshold']['decision']['threshold'] is None
    assert small['decision']['recall'] >= small['without_threshold']['decision']['recall']
    assert f'agreement {100 * stored["export"]["agreement"]:.2f} %' in done.out


def test_its_files_are_the_verified_model(shown):
    workdir, *_ = shown
    model, description = read_model(workdir / 'motor.tflite')
    assert description['format'] == 'tflite_int8'
    assert 'motor_threshold' in (workdir / 'motor.h').read_text()
    assert json.loads((workdir / 'table.json').read_text())['export']['file_bytes'] == len(model)
    assert (workdir / 'motor_tflite' / 'report.html').is_file()


def test_what_was_trained_is_shown_where_the_export_is_refused(shown):
    _, done, refused = shown
    assert refused.code == 1
    assert 'less than --min_agreement=1 ' in refused.error
    of_networks = [
        [line for line in d.out.splitlines() if line.startswith(('small', 'large'))] for d in (done, refused)
    ]
    assert len(of_networks[1]) == len(of_networks[0]) - 1 == 9


def test_rows_are_not_drawn_where_a_file_is_given(call, tmp_path):
    done = call('table', '--rows=10', '--csv=log.csv', f'--workdir={tmp_path / "run"}')
    assert '--rows=10 is for drawn readings: --csv=log.csv has its own; leave it out' in done.error
    assert not (tmp_path / 'run').exists()
