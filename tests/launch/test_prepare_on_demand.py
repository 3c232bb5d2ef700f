"""Datasets that are prepared on first use, from simulated and from real recordings."""

from __future__ import annotations

import dataclasses
import functools
import json
import shutil

import numpy as np
import pytest

from fdx.data.download import NetworkUnreachableError
from fdx.data.names import resolve_config
from fdx.data.prepare import prepare_if_missing
from fdx.data.source import open_dataset
from fdx.datasets.cwru import cwru_dataset_builder
from fdx.evaluate import evaluate
from fdx.evaluate.predictions import load_predictions
from fdx.types import ConfigError, DataError
from launch import prepare_on_demand

NUMBERS = (97, 105, 118)


def no_network(url, target, *, looks_right):
    """Stands for the downloader on a machine without network."""
    del target, looks_right
    raise NetworkUnreachableError(f'{url}: no network')


@pytest.fixture(scope='module')
def three_files():
    """cwru/load0_12k of three recordings, and no network."""
    with pytest.MonkeyPatch.context() as patch:
        whole = cwru_dataset_builder.SUBSETS['load0_12k']
        few = dataclasses.replace(whole, files=tuple(f for f in whole.files if f.number in NUMBERS))
        patch.setattr(cwru_dataset_builder, 'SUBSETS', {**cwru_dataset_builder.SUBSETS, 'load0_12k': few})
        offline = functools.partial(cwru_dataset_builder.resolve_files, downloader=no_network)
        patch.setattr(cwru_dataset_builder, 'resolve_files', offline)
        patch.delenv('FDX_RAW_DATA', raising=False)
        yield few


@pytest.fixture(scope='module')
def cwru_run(call, three_files, rig, raw_data, tmp_path_factory):
    """A run on the three recordings that prepared its dataset itself: (workdir, data_dir, what it printed)."""
    folder = tmp_path_factory.mktemp('cwru')
    done = call(
        'train',
        '--dataset=cwru/load0_12k',
        f'--data_dir={folder / "data"}',
        f'--manual_dir={raw_data}',
        f'--model_option=width_multiplier={rig.WIDTH}',
        '--freeze=head',
        '--epochs=1',
        '--learning_rate=0.05',
        f'--workdir={folder / "run"}',
    )
    assert done.code == 0, done.err
    return folder / 'run', folder / 'data', done.out


def test_train_prepares_from_manual_dir_once(call, cwru_run):
    workdir, data_dir, out = cwru_run
    assert out.count('preparing cwru/load0_12k-vggish/2.') == 1
    data = open_dataset('cwru/load0_12k', data_dir)
    assert sorted(set(data.table['recording'])) == ['cwru_097_de', 'cwru_105_de', 'cwru_118_de']
    assert set(data.table['sample_rate_hz']) == {12000.0}
    again = call('train', '--dataset=cwru/load0_12k', f'--data_dir={data_dir}', '--epochs=0', f'--workdir={workdir}')
    assert '--epochs=0' in again.error
    prepare_if_missing('cwru/load0_12k-vggish', str(data_dir), None)


def test_a_raw_file_of_cwru_gives_what_evaluation_gives(call, cwru_run, raw_data, monkeypatch):
    """97.mat was taken at 48 kHz and 105.mat at 12 kHz; the dataset's band is that of 12 kHz."""
    monkeypatch.setattr(evaluate, '_figures', lambda scored, results: {})
    workdir = cwru_run[0]
    assert call('evaluate', f'--checkpoint={workdir}', '--split=all').code == 0
    table = load_predictions(workdir / 'evaluation_all' / 'predictions.npz')
    for number, rate_hz in ((97, 48000), (105, 12000)):
        where = [r == f'cwru_{number:03d}_de' for r in table.recordings]
        first = int(np.flatnonzero(np.array(where) & (table.window_starts == 0))[0])
        flags = (f'--sample_rate={rate_hz}', f'--variable=X{number:03d}_DE_time')
        done = call('predict', f'--checkpoint={workdir}', *flags, raw_data / 'cwru' / f'{number}.mat')
        assert done.code == 0, done.out
        window = json.loads(done.out.splitlines()[0])
        assert (window['start_s'], window['kind']) == (0.0, 'window')
        np.testing.assert_allclose(
            list(window['probabilities'].values()), table.probabilities[first], rtol=1e-4, atol=1e-6
        )


def test_classes_that_the_checkpoint_does_not_know(call, cwru_run, leaking):
    done = call(
        'evaluate', f'--checkpoint={leaking}', '--dataset=cwru/load0_12k', f'--data_dir={cwru_run[1]}', '--split=all'
    )
    assert done.code == 1
    classes = set(open_dataset('cwru/load0_12k', cwru_run[1]).class_names()) - {'normal'}
    assert f'classes that the checkpoint does not know: {", ".join(sorted(classes))}' in done.error


def test_the_variable_names_the_folder_where_no_flag_does(three_files, raw_data, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv('FDX_RAW_DATA', str(tmp_path / 'absent'))
    with pytest.raises(ConfigError, match='FDX_RAW_DATA.*absent.* not a folder'):
        prepare_if_missing('cwru/load0_12k', str(tmp_path / 'data'), None)
    monkeypatch.setenv('FDX_RAW_DATA', str(raw_data))
    prepare_on_demand.prepare_if_missing('cwru/load0_12k', str(tmp_path / 'data'), None)
    assert len(open_dataset('cwru/load0_12k', tmp_path / 'data')) > 50
    assert 'preparing' in capsys.readouterr().out
    prepare_on_demand.prepare_if_missing('cwru/load0_12k', str(tmp_path / 'data'), None)
    assert capsys.readouterr().out == ''


def test_absent_files_are_listed_and_nothing_stays(call, three_files, raw_data, tmp_path):
    (tmp_path / 'raw').mkdir()
    shutil.copy(raw_data / 'cwru' / '105.mat', tmp_path / 'raw')
    done = call(
        'train',
        '--dataset=cwru/load0_12k',
        f'--data_dir={tmp_path / "data"}',
        f'--manual_dir={tmp_path / "raw"}',
        f'--workdir={tmp_path / "run"}',
    )
    assert done.code == 1
    assert '2 of 3 files are missing: 97.mat, 118.mat' in done.error
    assert str(tmp_path / 'raw') in done.error and 'no network' in done.error
    assert sorted(p.name for p in tmp_path.iterdir()) == ['raw']


def test_a_damaged_recording_leaves_nothing(three_files, raw_data, tmp_path):
    raw = tmp_path / 'raw'
    raw.mkdir()
    for number in NUMBERS:
        content = (raw_data / 'cwru' / f'{number}.mat').read_bytes()
        (raw / f'{number}.mat').write_bytes(content[:100_000] if number == 118 else content)
    with pytest.raises(DataError, match=r'118\.mat'):
        prepare_if_missing('cwru/load0_12k', str(tmp_path / 'data'), str(raw))
    assert sorted(p.name for p in tmp_path.iterdir()) == ['raw']


def test_a_failure_in_the_middle_leaves_nothing_but_what_was_there(rig, tmp_path, monkeypatch):
    rig.prepare(tmp_path, 'rig_a_small')
    before = sorted(tmp_path.rglob('*'))

    def breaks_off(machines, **options):
        for i, recording in enumerate(rig.recordings(machines, **options)):
            if i == 2:
                raise DataError('3.wav is cut off')
            yield recording

    with rig.small_bearing_rig():
        monkeypatch.setattr(rig.bearing_rig_dataset_builder, 'recordings', breaks_off)
        with pytest.raises(DataError, match='^3.wav is cut off$'):
            prepare_if_missing('bearing_rig/rig_b_small', str(tmp_path), None)
    assert sorted(tmp_path.rglob('*')) == before


@pytest.mark.parametrize(
    ('name', 'words'),
    [
        ('squeaky_wheel/small', 'no builder datasets/squeaky_wheel'),
        ('../cwru/load0_12k', 'cannot name a file or folder'),
        ('bearing_rig/huge', ' small, small-vggish_train'),
        ('bearing_rig', ' small, small-vggish_train'),
        ('bearing_rig/small:9.9.9', 'makes version 2.'),
    ],
)
def test_names_that_cannot_be_prepared(tmp_path, name, words):
    with pytest.raises(ConfigError) as caught:
        prepare_if_missing(name, str(tmp_path), None)
    assert words in str(caught.value) and f'`dataset`={name}' in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('config', 'meant'),
    [
        ('load0_12k', 'load0_12k-vggish'),
        ('load0_12k-vggish', 'load0_12k-vggish'),
        ('load0_12k-vggish_none', 'load0_12k-vggish_none'),
        ('small', 'small'),
        ('load0', None),
        ('', None),
    ],
)
def test_a_config_without_its_front_end_means_the_default_one(config, meant):
    known = ['load0_12k-vggish', 'load0_12k-vggish_none', 'small', 'small-vggish', '-vggish']
    assert resolve_config(config, known) == meant
