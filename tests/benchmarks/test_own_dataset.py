"""The own_machine benchmark on recordings of the user's own: which rows and protocols fit, and a run by the program."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.io import wavfile

from fdx.benchmarks.own_dataset import DEFAULT, own_study
from fdx.data.collection.entry import Shared
from fdx.data.collection.own import OwnRecordings
from fdx.data.collection.spec import CollectionSpec
from fdx.data.prepare import prepare_if_missing
from fdx.types import ConfigError

RATE = 6000


def write_bench(folder, seconds: float = 1.0, channels: int = 1) -> None:
    """Two classes at three speeds: normal_600.wav, ..., inner_race_1200.wav."""
    folder.mkdir(parents=True, exist_ok=True)
    for speed in (600, 900, 1200):
        for label, hz in (('normal', 300), ('inner_race', 1500)):
            t = np.arange(round(seconds * RATE)) / RATE
            rng = np.random.default_rng([speed, hz])
            waves = np.sin(2 * np.pi * hz * t)[:, None] + 0.1 * rng.standard_normal((len(t), channels))
            wavfile.write(folder / f'{label}_{speed}.wav', RATE, (9000 * waves).astype(np.int16))


def study_of(folder, data_dir, tasks=None, inputs=None, **shared):
    """(study, name of the prepared dataset) of a folder with the pattern of `write_bench`."""
    own = OwnRecordings(CollectionSpec(str(folder), '{label}_{speed_rpm}.wav', (), Shared(**shared)))
    prepared = prepare_if_missing('recordings/rig-band_mel', data_dir, recordings=own)
    return own_study(prepared, data_dir, own, tasks, inputs)


def test_the_rows_are_those_that_the_recordings_allow(tmp_path):
    write_bench(tmp_path / 'one', seconds=2.0)
    study = study_of(tmp_path / 'one', str(tmp_path / 'data'), bearing='skf_6205')
    assert study.name == 'own_machine_rig'
    assert [kind.name for kind in study.inputs] == [DEFAULT, 'linear, 1 s', 'fault orders', 'cnn_small, 0.25 s']
    # The row of the same front end and network is the first one, and one channel has no axes.
    left_out = [line.partition(': ')[0] for line in study.left_out]
    assert left_out[0] == 'cnn_small, 0.25 s, all axes'
    assert [task.protocol for task in study.tasks][0] == 'by_domain'
    assert ('recordings/rig time_blocks', DEFAULT) in study.pairs
    # Five windows of 1 s need more than 2 s.
    assert ('recordings/rig time_blocks', 'fault orders') not in study.pairs
    assert any('fault orders by time_blocks: ' in line and 'too short' in line for line in study.left_out)
    names = {kind.name: study.tasks[0].bench.dataset(kind) for kind in study.inputs}
    assert names[DEFAULT] == 'recordings/rig-band_mel'
    assert names['fault orders'] == 'recordings/rig_first_1000ms-fault_orders'


def test_without_bearing_or_length_rows_are_left_out_with_the_reason(tmp_path):
    write_bench(tmp_path / 'two', channels=2)
    study = study_of(tmp_path / 'two', str(tmp_path / 'data'))
    names = [kind.name for kind in study.inputs]
    assert names == [DEFAULT, 'linear, 0.25 s', 'linear, 1 s', 'cnn_small, 0.25 s, all axes', 'cnn_small, 0.25 s']
    assert any(line.startswith('fault orders: ') and '`bearing`' in line for line in study.left_out)
    bench = study.tasks[0].bench
    first, other = study.inputs[:2]
    assert bench.recordings('', first).spec.shared.channel == ''
    assert bench.recordings('', other).spec.shared.channel == '0'
    with pytest.raises(ConfigError, match='by_bearing'):
        study_of(tmp_path / 'two', str(tmp_path / 'data'), tasks=('by_bearing',))
    with pytest.raises(ConfigError, match='fdx train; linear'):
        study_of(tmp_path / 'two', str(tmp_path / 'data'), inputs=('moon',))
