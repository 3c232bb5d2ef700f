"""launch.predict on text files: flags that settle what a file cannot tell, and advice that leads to the verdict."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.launch.test_predict_zero_shot import RATE_HZ, struck

ZERO_SHOT = ('predict', '--zero_shot', '--bearing=skf_6205', '--speed_rpm=1500', '--nowindows')


@pytest.fixture(scope='module')
def signal():
    return np.round(1000 * struck(25.0, 0.0), 3)


def rows_of(done) -> list[dict]:
    return [json.loads(line) for line in done.out.splitlines()]


def verdict(call, path, *flags):
    (row,) = rows_of(call(*ZERO_SHOT, *flags, path))
    return row


@pytest.fixture
def outer(call, signal, tmp_path):
    """What is said of the samples in a plain file."""
    path = tmp_path / 'plain.csv'
    path.write_text('acc\n' + '\n'.join(map(str, signal.tolist())))
    row = verdict(call, path, f'--sample_rate={RATE_HZ}')
    assert row['predicted'] == 'outer_race'
    return row


def same(row, wanted):
    assert row['predicted'] == wanted['predicted']
    assert row['mean_probabilities'] == pytest.approx(wanted['mean_probabilities'], abs=2e-3)


def test_an_error_names_the_flag_and_the_flag_gives_the_verdict(call, outer, signal, tmp_path):
    path = tmp_path / 'a.csv'
    ms = [f'{500 * i};{v:.3f}'.replace('.', ',') for i, v in enumerate(signal.tolist())]
    for lines, words, flags in (
        (['timestamp;acc', *ms], '2000 Hz in us', ['--time_unit=us']),
        (['timestamp;acc', *ms], '--sample_rate', [f'--sample_rate={RATE_HZ}']),
        (['7', *(f'{v:g}' for v in signal)], '--header=yes', ['--header=yes', f'--sample_rate={RATE_HZ}']),
        (
            ['time,state,acc', *(f'{i / RATE_HZ:.5f},OK,{v}' for i, v in enumerate(signal.tolist()))],
            '--columns',
            ['--columns=acc'],
        ),
    ):
        path.write_text('\n'.join(lines))
        row = verdict(call, path)
        assert row['kind'] == 'error' and words in row['error'], words
        same(verdict(call, path, *flags), outer)


def test_every_flag_is_refused_where_it_says_nothing(call, signal, tmp_path):
    np.save(tmp_path / 'a.npy', signal)
    (tmp_path / 'b.csv').write_text('acc\n' + '\n'.join(map(str, signal.tolist())))
    rate = f'--sample_rate={RATE_HZ}'
    for flag in ('--delimiter=;', '--decimal=.', '--header=1', '--time_column=none', '--time_unit=s', '--columns=acc'):
        done = call(*ZERO_SHOT, rate, flag, tmp_path / 'a.npy')
        assert done.code == 1 and flag in done.err and 'there is none' in done.err, flag
        by_name = rows_of(call(*ZERO_SHOT, rate, flag, tmp_path / 'a.npy', tmp_path / 'b.csv'))
        assert by_name[0]['kind'] == 'error' and flag.partition('=')[0] in by_name[0]['error'], flag
    # Of a folder the flags are about its text files.
    found = rows_of(call(*ZERO_SHOT, rate, '--columns=acc', '--header=1', tmp_path))
    assert [row['kind'] for row in found] == ['recording', 'recording']
    same(found[0], found[1])
    for flag, words in (('--header=maybe', '--header'), ('--delimiter=', '--delimiter'), ('--columns=', '--columns')):
        done = call(*ZERO_SHOT, rate, flag, tmp_path / 'b.csv')
        assert done.code == 1 and words in done.err and 'Traceback' not in done.err


def test_lost_time_is_said(call, signal, tmp_path):
    kept = np.delete(np.arange(len(signal)), np.r_[4000:4100])
    path = tmp_path / 'gap.csv'
    path.write_text('time,acc\n' + '\n'.join(f'{i / RATE_HZ:.5f},{signal[i]}' for i in kept))
    row = verdict(call, path)
    assert '100 samples (0.05 s at 2000 Hz) are missing' in json.dumps(row)
