"""Programs that take a dataset built by the package bearing-datasets."""

from __future__ import annotations

import json
import pathlib

import pytest

BUILT = pathlib.Path(__file__).parents[1] / 'golden' / 'bearing_datasets'
PREPARE = ('prepare', 'datasets/bearing_datasets')


@pytest.fixture(autouse=True)
def nobody(monkeypatch, tmp_path):
    """A user who has saved no folder."""
    monkeypatch.setenv('XDG_CONFIG_HOME', str(tmp_path))
    for name in ('BEARING_DATASETS_ROOT', 'FDX_RAW_DATA', 'APPDATA'):
        monkeypatch.delenv(name, raising=False)


def test_prepare_and_train_on_demand(call, tmp_path, monkeypatch):
    to = f'--data_dir={tmp_path / "data"}'
    for _ in range(2):  # The second time nothing is done.
        done = call(*PREPARE, '--config=tiny_rig-band_mel', f'--manual_dir={BUILT}', to)
        assert done.code == 0 and 'band_mel:1.0.0: 42 windows of 6 recordings, classes normal, inner_race' in done.out
    assert 'preparing' not in done.out
    monkeypatch.setenv('BEARING_DATASETS_ROOT', str(BUILT))
    flags = ('--dataset=bearing_datasets/tiny_rig-band_mel', to, f'--workdir={tmp_path / "run"}', '--epochs=1')
    done = call('train', *flags, '--fold=0', '--channel=DE', '--label_column=native_label', '--protocol=random_windows')
    assert done.code == 0, done.err
    assert 'tiny_rig-band_mel: the recordings have changed, so version 1.0.1 is made' in done.out
    assert 'settings: --model=band_linear' in done.out
    file = BUILT / 'tiny_rig' / 'metadata.parquet'
    done = call('predict', f'--checkpoint={tmp_path / "run"}', file, '--variable=outer_2', '--channel=DE')
    assert done.code == 0 and json.loads(done.out.splitlines()[0])['kind'] != 'error'
    alone = json.loads(done.out.splitlines()[-1])
    # A folder is diagnosed recording by recording, under their names, with the same verdicts.
    done = call('predict', f'--checkpoint={tmp_path / "run"}', BUILT / 'tiny_rig', '--nowindows', '--channel=DE')
    rows = {row['file']: row for row in map(json.loads, done.out.splitlines())}
    assert done.code == 0 and len(rows) == 6, done.err
    assert rows[f'{file}:outer_2'] == {**alone, 'file': f'{file}:outer_2'}
    done = call('predict', f'--checkpoint={tmp_path / "run"}', BUILT / 'tiny_rig', '--format=table', '--channel=XY')
    assert done.code == 1 and '6 files: 6 error' in done.out


def test_flags_that_do_not_fit(call, tmp_path):
    to = f'--data_dir={tmp_path / "data"}'
    done = call(*PREPARE, '--config=cwru', f'--manual_dir={BUILT}', to)
    assert 'no built dataset cwru' in done.error and '--manual_dir' in done.error and done.code == 1
    done = call(*PREPARE, '--config=tiny_rig', f'--manual_dir={BUILT}', '--label_column=severity', to)
    assert 'has no column severity' in done.error and 'choose --label_column among' in done.error
    done = call('prepare', 'datasets/recordings', '--config=x', f'--manual_dir={BUILT}', to)
    assert '--manual_dir' in done.error and '--recordings' in done.error
    done = call('manifest', BUILT / 'tiny_rig', f'--out={tmp_path / "m.csv"}')
    assert 'its metadata.parquet takes the place of a manifest' in done.error
    assert not (tmp_path / 'm.csv').exists() and not list(tmp_path.rglob('1.0.*'))


def test_inspect_suggests_commands_that_name_it(call):
    done = call('inspect', BUILT / 'tiny_rig', '--channel=DE')
    assert [line.split()[:3] for line in done.out.splitlines() if line.startswith('by_b')] == [
        ['by_bearing', 'use', 'this']
    ]
    train = next(line for line in done.out.splitlines() if line.strip().startswith('fdx train'))
    assert '--dataset=bearing_datasets/tiny_rig' in train and f'--recordings={BUILT / "tiny_rig"} --channel=DE' in train
