"""launch.benchmark on recordings of the user's own: a page in the workdir, cells that stay, what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.io import wavfile

from fdx.train import few_recordings

RATE = 4000


@pytest.fixture
def folder(tmp_path):
    """good/ and ball/ with three recordings of a second each."""
    for label, hz in (('good', 300), ('ball', 1500)):
        (tmp_path / 'pumps' / label).mkdir(parents=True)
        for i in range(3):
            wave = np.sin(2 * np.pi * hz * np.arange(RATE) / RATE) + np.random.default_rng([i, hz]).standard_normal(
                RATE
            )
            wavfile.write(tmp_path / 'pumps' / label / f'{i}.wav', RATE, (3000 * wave).astype(np.int16))
    return tmp_path / 'pumps'


def test_a_page_of_own_recordings_whose_cells_follow_their_content(call, folder, tmp_path, monkeypatch):
    # One update per epoch; tests/benchmarks/test_own_machine.py learns enough for a score.
    for name, value in (('UPDATES', 2), ('FEWEST_EPOCHS', 1), ('MOST_EPOCHS', 2), ('SAVES', 1)):
        monkeypatch.setattr(few_recordings, name, value)
    work = tmp_path / 'work'
    command = ['benchmark', '--suite=own_machine', '--dataset=recordings/pumps', f'--recordings={folder}', '--seeds=1']
    command += ['--tasks=by_recording', '--inputs=fdx train', f'--data_dir={tmp_path / "data"}', f'--workdir={work}']
    done = call(*command)
    assert done.code == 0, done.err
    assert 'left out: fault orders: ' in done.out and '--bearing' not in done.out
    assert f'page: {work / "pages" / "own_machine_pumps.md"}' in done.out and 'publish' not in done.out
    page = (work / 'pages' / 'own_machine_pumps.md').read_text()
    assert '# recordings/pumps: what these recordings are worth' in page
    assert '| fdx train | ' in page and 'by_recording, the protocol to go by' in page
    assert f"--dataset=recordings/pumps --recordings={folder} --tasks=by_recording '--inputs=fdx train'`" in page
    (row,) = json.loads((work / 'pages' / 'own_machine_pumps.json').read_text())['rows']
    assert (row['records'], row['recordings'], row['model']) == ('recordings/pumps-band_mel:1.0.0', 6, 'band_linear')
    again = call(*command)
    assert again.code == 0 and '[1/1]' not in again.out, again.err
    # Other content is another version, so that its cell is run.
    wavfile.write(folder / 'good' / '3.wav', RATE, np.random.default_rng(5).integers(-9000, 9000, RATE, np.int16))
    changed = call(*command)
    assert changed.code == 0 and '[1/1]' in changed.out, changed.err
    (row,) = json.loads((work / 'pages' / 'own_machine_pumps.json').read_text())['rows']
    assert (row['records'], row['recordings']) == ('recordings/pumps-band_mel:1.0.1', 7)


@pytest.mark.parametrize(
    ('flags', 'words'),
    [
        (['--recordings=x'], ('--recordings', '--dataset=recordings/NAME')),
        (['--dataset=cwru/load0_12k', '--recordings=x'], ('recordings/NAME', 'cwru/load0_12k')),
        (['--dataset=recordings/new'], ('--recordings=FOLDER_OR_MANIFEST',)),
        (['--dataset=recordings/new', '--recordings=x', '--publish'], ('--publish', 'pages')),
        (['--dataset=recordings/new', '--recordings=x', '--out=docs'], ('--out', 'pages')),
        (['--dataset=recordings/new', '--recordings=nowhere'], ('nowhere',)),
    ],
)
def test_flags_that_cannot_be(call, tmp_path, flags, words):
    where = [f'--data_dir={tmp_path / "data"}', f'--workdir={tmp_path / "work"}']
    done = call('benchmark', '--suite=own_machine', *where, *flags)
    assert done.code == 1
    assert all(word in done.error for word in words), done.error
    assert list(tmp_path.iterdir()) == []


def test_other_suites_do_not_take_recordings(call):
    done = call('benchmark', '--suite=rigs', '--dataset=recordings/x', '--pattern={label}.wav')
    assert done.code == 1 and '--dataset, --pattern has no part in --suite=rigs' in done.error
