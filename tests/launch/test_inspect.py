"""launch.inspect and launch.manifest as a user calls them."""

from __future__ import annotations

import json
import os
import pathlib
import re

import numpy as np
import pytest
import scipy.io.wavfile


def write_wav(path: pathlib.Path, seed: int, *, offset: float = 0.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    x = np.random.default_rng(seed).standard_normal(16000) + offset
    scipy.io.wavfile.write(path, 8000, x.astype(np.float32))


@pytest.fixture(scope='module')
def folder(tmp_path_factory) -> pathlib.Path:
    """A folder per class; the healthy recordings have an offset."""
    root = tmp_path_factory.mktemp('bench') / 'my bench'
    for k, label in enumerate(('healthy', 'inner_race', 'outer_race')):
        for i in range(5):
            write_wav(root / label / f'{i}.wav', 10 * k + i, offset=2.0 * (k == 0))
    (root / 'notes.txt.bak').write_text('x')
    return root


@pytest.fixture(scope='module')
def inspected(call, folder, tmp_path_factory):
    out = tmp_path_factory.mktemp('out')
    done = call('inspect', folder, f'--json={out / "i.json"}', f'--html={out / "i.html"}')
    return done, json.loads((out / 'i.json').read_text()), (out / 'i.html').read_text()


def test_the_text_has_every_part(inspected, folder):
    done, _, _ = inspected
    assert (done.code, done.err) == (0, '')
    titles = ('Recordings', 'Channels', 'Classes', 'Protocols', 'Front ends', 'Shortcuts', 'Findings', 'Next')
    assert [line for line in done.out.split('\n') if line in titles] == list(titles)
    assert re.search(r'healthy/0.wav +healthy +wav +8000 +header +2 +1', done.out)
    assert re.search(r'bias +SHORTCUT +healthy +100 %', done.out)
    assert 'notes.txt.bak (another suffix)' in done.out
    assert f"--recordings='{folder}' --protocol=by_recording" in done.out
    assert max(map(len, done.out.split('\nNext')[0].split('\n'))) <= 150


def test_json_has_everything_and_findings_for_metadata(inspected):
    _, found, _ = inspected
    assert {'kind', 'text', 'severity', 'remedy'} == set(found['findings'][0])
    assert [f['kind'] for f in found['findings']] == ['shortcut']
    assert 'healthy 2' in found['findings'][0]['text'] or 'healthy 1.99' in found['findings'][0]['text']
    assert len(found['recordings']) == 15 and found['recordings'][0]['channels'][0]['step'] is None
    assert found['advice']['front_end'] == 'band_mel' and found['advice']['protocol'] == 'by_recording'
    assert {p['name'] for p in found['protocols']['fits'] if p['possible']} == {
        'by_recording',
        'time_blocks',
        'within_domain',
    }


def test_the_page_stands_alone_and_fits_a_phone(inspected):
    _, _, page = inspected
    assert 'name="viewport"' in page and '<script' not in page and 'src=' not in page and 'href=' not in page
    assert 'SHORTCUT' in page and 'healthy/0.wav' in page
    assert '`' not in re.sub(r'<pre>.*?</pre>', '', page, flags=re.DOTALL)


def test_files_that_cannot_be_read_are_an_error_at_the_end(call, folder, tmp_path):
    for label in ('a', 'b'):
        for i in range(2):
            write_wav(tmp_path / label / f'{i}.wav', i + 7 * (label == 'b'))
    (tmp_path / 'a' / 'broken.wav').write_bytes(b'RIFF')
    done = call('inspect', tmp_path)
    assert done.code == 1 and 'ERROR (unreadable): 1 recording of 5' in done.out
    assert 'b/1.wav' in done.out and 'Traceback' not in done.err


def test_what_is_named_must_be_one_thing(call, folder):
    assert 'name one folder or manifest' in call('inspect').error
    assert '(2 are named)' in call('inspect', folder, folder).error
    assert 'does not exist' in call('inspect', folder / 'nowhere').error
    assert 'leave out --pattern' in call('inspect', '--dataset=recordings/x', '--pattern={label}').error
    assert 'is not prepared' in call('inspect', '--dataset=recordings/x', f'--data_dir={folder}').error


def test_a_prepared_dataset_is_inspected_without_its_files(call, data_dir):
    """Its healthy recordings were taken at 48 kHz; after preparation nothing of it is left."""
    done = call('inspect', '--dataset=bearing_rig/rig_b_small', f'--data_dir={data_dir}')
    assert done.code == 0, done.out
    assert 'common rate' in done.out and 'SHORTCUT' not in done.out
    assert '6 recordings (6 can be used), 3 classes' in done.out and '20480 Hz' in done.out


def test_a_manifest_is_written_corrected_and_read_from_anywhere(call, folder, tmp_path, monkeypatch):
    out = tmp_path / 'tables' / 'm.csv'
    out.parent.mkdir()
    monkeypatch.chdir(folder.parent)
    done = call('manifest', folder.name, '--sample_rate=8000', '--speed_rpm=1500', f'--out={out}')
    assert done.code == 0 and '15 files, 15 recordings' in done.out
    assert re.search(r'healthy +normal +5', done.out) and 'bearing_id' in done.out
    lines = out.read_text().splitlines()
    assert lines[0] == 'file,label,speed_rpm,sample_rate_hz'
    first = os.path.relpath(folder / 'healthy' / '0.wav', out.parent)
    assert lines[1] == f'{first},healthy,1500,8000'
    out.write_text('\n'.join([lines[0], *lines[2:]]).replace('outer_race,', 'ring,'))
    monkeypatch.chdir('/')
    found = call('inspect', out, '--rows=3')
    assert found.code == 0 and '14 recordings (14 can be used), 3 classes' in found.out
    assert '1500' in found.out and 'manifest' in found.out


def test_a_manifest_is_not_overwritten_unasked(call, folder, tmp_path):
    out = tmp_path / 'm.csv'
    out.write_text('mine')
    assert '--overwrite' in call('manifest', folder, f'--out={out}').error
    assert out.read_text() == 'mine'
    assert call('manifest', folder, f'--out={out}', '--overwrite').code == 0
    assert out.read_text().startswith('file,label')
    assert 'a manifest is a .csv file' in call('manifest', folder, f'--out={tmp_path / "m.xlsx"}').error
    assert 'name one folder' in call('manifest', f'--out={out}').error


def test_names_give_labels_speeds_and_loads(call, tmp_path):
    for name in ('1800_inner_11lb.wav', '1800_good_0lb.wav', '900_inner_0lb.wav'):
        write_wav(tmp_path / name, 1)
    done = call('manifest', tmp_path, '--pattern={speed_rpm}_{label}_{load}.wav', f'--out={tmp_path / "m.csv"}')
    assert done.code == 0
    rows = (tmp_path / 'm.csv').read_text().splitlines()
    assert rows[0] == 'file,label,speed_rpm,load' and '1800_inner_11lb.wav,inner,1800,11' in rows
    assert re.search(r'good +normal +1', done.out)
