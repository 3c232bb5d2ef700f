"""launch.evaluate and launch.predict on a table."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fdx.data.readings_csv import COLUMNS, Readings, write_readings
from fdx.data.source import open_dataset
from fdx.evaluate import evaluate
from fdx.evaluate.predictions import load_predictions
from fdx.train.checkpoints import Checkpoints

HEADER = ','.join(COLUMNS)


def rows_of(done):
    return [json.loads(line) for line in done.out.splitlines()]


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
        # A reading that was scored may lie outside those that were trained on (test_diagnose_table.py).
        summary.pop('outside_training', None)
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
