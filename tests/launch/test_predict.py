"""launch.predict from the command line: raw files of every format give what evaluation gives."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest
import scipy.io
import scipy.io.wavfile

from fdx.evaluate import evaluate
from fdx.evaluate.predictions import load_predictions
from fdx.predict.votes import vote


@pytest.fixture(scope='module')
def recordings(rig) -> dict:
    """Raw recordings of the training machine by id: healthy ones at 48 kHz, the others at 20,480 Hz."""
    return {r.recording: r for r in rig.recordings(['rig_b'])}


@pytest.fixture(scope='module')
def scored(call, leaking) -> dict:
    """(recording, first sample) -> probabilities, as launch.evaluate scored them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, '_figures', lambda scored, results: {})
        done = call('evaluate', f'--checkpoint={leaking}', '--split=all')
    assert done.code == 0, done.err
    table = load_predictions(leaking / 'evaluation_all' / 'predictions.npz')
    return dict(zip(zip(table.recordings, table.window_starts.tolist()), table.probabilities))


def write(folder: pathlib.Path, recording, suffix: str) -> list[str]:
    """Writes a raw file of the recording; returns it with the flags that it needs."""
    path, x = folder / f'{recording.recording}{suffix}', recording.samples[:, 0]
    rate = [f'--sample_rate={recording.sample_rate_hz:g}']
    if suffix == '.wav':
        scipy.io.wavfile.write(path, int(recording.sample_rate_hz), x)
        return [str(path)]
    if suffix == '.npy':
        np.save(path, x)
    elif suffix == '.csv':
        path.write_text('acceleration_g\n' + '\n'.join(map(repr, x.tolist())) + '\n')
    else:
        scipy.io.savemat(path, {'vibration': x[:, None].astype(np.float64), 'note': 'simulated'})
        rate.append('--variable=vibration')
    return [*rate, str(path)]


def rows_of(done) -> list[dict]:
    return [json.loads(line) for line in done.out.splitlines()]


@pytest.mark.parametrize(
    ('suffix', 'recording'),
    [
        ('.wav', 'rig_b-normal-0457rpm-load0'),
        ('.npy', 'rig_b-normal-0997rpm-load0'),
        ('.csv', 'rig_b-inner_race-0457rpm-load0'),
        ('.mat', 'rig_b-outer_race-0997rpm-load0'),
    ],
)
def test_raw_files_give_the_probabilities_of_evaluation(
    call, leaking, scored, recordings, rig, tmp_path, suffix, recording
):
    raw = recordings[recording]
    assert raw.sample_rate_hz == (48000.0 if 'normal' in recording else 20480.0)
    done = call('predict', f'--checkpoint={leaking}', f'--hop_s={rig.HOP_S}', *write(tmp_path, raw, suffix))
    assert (done.code, done.err) == (0, '')
    *windows, summary = rows_of(done)
    hop = rig.WINDOW + rig.GUARD
    assert [w['start_s'] for w in windows] == [round(i * hop / rig.RATE_HZ, 6) for i in range(5)]
    for i, window in enumerate(windows):
        assert (window['kind'], window['duration_s']) == ('window', rig.WINDOW / rig.RATE_HZ)
        assert list(window['probabilities']) == rig.CLASSES
        values = np.array(list(window['probabilities'].values()))
        np.testing.assert_allclose(values, scored[recording, i * hop], rtol=1e-4, atol=1e-6)
        assert window['predicted'] == rig.CLASSES[int(values.argmax())]
    table = np.array([list(w['probabilities'].values()) for w in windows])
    mean, by_mean, by_vote, agreement = vote(table)
    np.testing.assert_allclose(list(summary['mean_probabilities'].values()), table.mean(axis=0), rtol=1e-6)
    assert (summary['kind'], summary['windows']) == ('recording', 5)
    assert (summary['predicted_mean'], summary['predicted_vote']) == (rig.CLASSES[by_mean], rig.CLASSES[by_vote])
    assert summary['agreement'] == pytest.approx(agreement)
    votes = [w['predicted'] for w in windows]
    assert votes.count(summary['predicted_vote']) == max(votes.count(name) for name in rig.CLASSES)


def test_windows_of_the_scored_machine_differ(scored):
    """Else the test above would pass with any window for any other."""
    table = np.array(list(scored.values()))
    distance = np.abs(table[:, None] - table[None]).max(axis=-1)
    assert np.median(distance) > 1e-3


def test_out_is_what_was_printed_and_windows_can_be_left_out(call, leaking, recordings, tmp_path):
    files = [write(tmp_path, r, '.wav')[0] for r in list(recordings.values())[:2]]
    out = tmp_path / 'results' / 'lines.jsonl'
    done = call('predict', f'--checkpoint={leaking}', f'--out={out}', *files)
    assert done.code == 0
    assert out.read_text() == done.out
    # Without --hop_s windows follow each other: 5.27 s hold five of 0.975 s.
    assert [row['kind'] for row in rows_of(done)] == (['window'] * 5 + ['recording']) * 2
    assert [row['file'] for row in rows_of(done)] == [f for f in files for _ in range(6)]
    short = call('predict', *files, f'--checkpoint={leaking}', '--nowindows', f'--out={out}')
    assert rows_of(short) == [row for row in rows_of(done) if row['kind'] == 'recording']
    assert out.read_text() == short.out


def test_two_processes_print_the_same_bytes(call, leaking, recordings, tmp_path):
    files = [write(tmp_path, r, '.wav')[0] for r in list(recordings.values())[:3]]
    one = call('predict', f'--checkpoint={leaking}', *files)
    two = call('predict', f'--checkpoint={leaking}', '--workers=2', *files)
    assert (two.code, two.out, two.err) == (0, one.out, one.err)


def test_a_watch_belongs_to_one_step_of_a_run(call, leaking, recordings, tmp_path):
    folder = tmp_path / 'in'
    folder.mkdir()
    write(folder, next(iter(recordings.values())), '.wav')
    watch = (
        'predict',
        f'--checkpoint={leaking}',
        '--watch',
        '--once',
        '--settle_s=0.05',
        f'--workdir={tmp_path / "w"}',
    )
    done = call(*watch, folder)
    assert (done.code, [row['kind'] for row in rows_of(done)]) == (0, ['window'] * 5 + ['recording'])
    asked = json.loads((tmp_path / 'w' / 'watch.jsonl').read_text().splitlines()[0])['asked']
    assert asked['checkpoint'] == leaking.name and len(asked['sha256']) == 64
    assert (
        f'(step: {asked["step"]} then'
        in call(*watch, f'--step={min(steps_of(leaking) - {asked["step"]})}', folder).error
    )


def steps_of(workdir: pathlib.Path) -> set[int]:
    return {int(path.name) for path in (workdir / 'checkpoints').iterdir() if path.name.isdigit()}


def test_bad_files_are_reported_and_the_others_done(call, leaking, recordings, rig, tmp_path):
    good = write(tmp_path, recordings['rig_b-outer_race-0457rpm-load0'], '.wav')[0]
    rng = np.random.default_rng(0)
    scipy.io.wavfile.write(tmp_path / 'short.wav', 20480, rng.standard_normal(9000).astype(np.float32))
    scipy.io.wavfile.write(tmp_path / 'slow.wav', 8000, rng.standard_normal(50000).astype(np.float32))
    scipy.io.wavfile.write(tmp_path / 'two.wav', 20480, rng.standard_normal((50000, 2)).astype(np.float32))
    scipy.io.wavfile.write(tmp_path / 'flat.wav', 20480, np.ones(50000, np.float32))
    np.save(tmp_path / 'rate.npy', rng.standard_normal(50000))
    np.save(tmp_path / 'nan.npy', np.where(np.arange(50000) == 123, np.nan, 1.0))
    (tmp_path / 'text.mat').write_text('no matrix')
    words = {
        'short.wav': '9000 samples',
        'slow.wav': 'recorded at 8000 Hz, but the model was trained on 20480 Hz',
        'two.wav': '2 channels, the model takes 1; choose one with --channel',
        'flat.wav': 'constant',
        'rate.npy': 'pass --sample_rate',
        'text.mat': 'text.mat',
        'absent.wav': 'does not exist',
    }
    bad = [str(tmp_path / name) for name in words]
    out = tmp_path / 'lines.jsonl'
    done = call('predict', f'--checkpoint={leaking}', f'--out={out}', *bad[:3], good, *bad[3:], good)
    assert done.code == 1
    assert 'Traceback' not in done.err
    rows = rows_of(done)
    assert out.read_text() == done.out
    assert [r['kind'] for r in rows] == ['error'] * 3 + (['window'] * 5 + ['recording']) + ['error'] * 4 + (
        ['window'] * 5 + ['recording']
    )
    errors = [r for r in rows if r['kind'] == 'error']
    assert [r['file'] for r in errors] == bad
    for row, (name, text) in zip(errors, words.items()):
        assert text in row['error'] and name in row['error'], row
        assert '\n' not in row['error']
    nan = call('predict', f'--checkpoint={leaking}', '--sample_rate=20480', str(tmp_path / 'nan.npy'))
    assert nan.code == 1
    assert 'channel 0 has 1 NaN or infinite samples, the first at sample 123' in rows_of(nan)[0]['error']


def test_a_channel_is_chosen_by_number_or_name(call, leaking, recordings, tmp_path):
    x = recordings['rig_b-inner_race-0997rpm-load0'].samples[:, 0]
    other = np.random.default_rng(1).standard_normal(len(x)).astype(np.float32)
    np.save(tmp_path / 'both.npy', np.stack([other, x], axis=1))
    np.save(tmp_path / 'one.npy', x)
    pairs = '\n'.join(f'{a!r},{b!r}' for a, b in zip(other.tolist(), x.tolist()))
    (tmp_path / 'both.csv').write_text(f'noise,axial\n{pairs}\n')
    common = ('predict', f'--checkpoint={leaking}', '--sample_rate=20480', '--nowindows')
    expected = rows_of(call(*common, tmp_path / 'one.npy'))[0]['mean_probabilities']
    assert rows_of(call(*common, '--channel=1', tmp_path / 'both.npy'))[0]['mean_probabilities'] == expected
    assert rows_of(call(*common, '--channel=axial', tmp_path / 'both.csv'))[0]['mean_probabilities'] == expected
    assert rows_of(call(*common, '--channel=0', tmp_path / 'both.npy'))[0]['mean_probabilities'] != expected
    wrong = rows_of(call(*common, '--channel=2', tmp_path / 'both.npy'))[0]
    assert 'pass --channel with 0 to 1' in wrong['error']


@pytest.mark.parametrize(
    ('flags', 'words'),
    [
        (['--hop_s=0', 'a.wav'], '--hop_s=0.0: ... seconds above 0'),
        (['--hop_s=nan', 'a.wav'], '--hop_s=nan'),
        (['--sample_rate=-3', 'a.wav'], '--sample_rate=-3.0: ... Hz above 0'),
        (['--step=4', 'a.wav'], "has no step '4'"),
        ([], 'no files: ... recordings ... folder'),
    ],
)
def test_flags_that_no_file_can_mend_end_the_program(says, call, leaking, flags, words):
    done = call('predict', f'--checkpoint={leaking}', *flags)
    assert (done.code, done.out) == (1, '')
    assert says(done.error, words)


def test_a_run_of_several_folds_asks_for_one(call, all_folds):
    done = call('predict', f'--checkpoint={all_folds[0]}', 'a.wav')
    assert 'holds several folds: choose one, e.g.' in done.error
    assert str(all_folds[0] / 'fold_0') in done.error


def test_real_recordings_of_cwru_and_mfpt(call, leaking, raw_data):
    """CWRU's files tell no rate, the healthy ones are 48 kHz; MFPT's tell theirs (48,828 Hz)."""
    cwru, mfpt = raw_data / 'cwru', raw_data / 'mfpt' / 'InnerRaceFault_vload_1.mat'
    common = ('predict', f'--checkpoint={leaking}')
    done = call(*common, '--nowindows', cwru / '97.mat', mfpt)
    assert done.code == 1
    untold, told = rows_of(done)
    assert untold['error'].endswith('97.mat does not tell its sampling rate; pass --sample_rate in Hz')
    assert (told['kind'], told['windows']) == ('recording', 3)
    done = call(*common, '--sample_rate=48000', cwru / '97.mat')
    *windows, summary = rows_of(done)
    assert (done.code, summary['kind'], summary['windows']) == (0, 'recording', 5)
    assert len(windows) == int(5.08 / windows[0]['duration_s']) == 5
    done = call(*common, '--nowindows', '--sample_rate=12000', '--variable=X105_FE_time', cwru / '105.mat')
    assert 'recorded at 12000 Hz, but the model was trained on 20480 Hz' in rows_of(done)[0]['error']
    done = call(*common, '--nowindows', '--sample_rate=48000', '--variable=X105_DE_time', cwru / '97.mat')
    assert 'X097_DE_time' in rows_of(done)[0]['error']
