"""HIT-SM: its two rigs with files of the same names, levels that cannot be compared, and records of real files."""

from __future__ import annotations

import collections
import dataclasses
import types

import numpy as np
import pytest
import scipy.io

from fdx.data.prepare import prepare
from fdx.datasets.hit_sm import files as table
from fdx.datasets.hit_sm import hit_sm_dataset_builder as hit
from fdx.datasets.hit_sm.files import MFS, NAMES, entries, rigs_of
from fdx.signal.front_ends import create_front_end, front_end_names
from fdx.signal.patch import Condition
from fdx.types import DataError


def touch(folder, names=NAMES):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


def test_configs(tmp_path):
    names = [c.name for c in hit.Builder.BUILDER_CONFIGS]
    assert names == [f'{s}-{f}' for s in ('all', 'all_matched') for f in front_end_names(1)]
    for name in ('all-vggish', 'all_matched-vggish', 'all_matched-fault_orders'):
        spec = hit.Builder(config=name, data_dir=tmp_path).record_spec()
        assert (spec.common_rate_hz, spec.match_level) == (51200.0, 'matched' in name)
        assert spec.windowing.window_length == (51200 if 'orders' in name else 49917)


@pytest.mark.parametrize(
    ('folders', 'named', 'rigs'),
    [
        (['hit_mfs'], '', ['mfs']),
        (['hit_mfs', 'hit_self_built'], '', ['mfs', 'self_built']),
        (['SpectraQuest MFS dataset', 'Self-built dataset'], '', ['mfs', 'self_built']),
        (['hit_sm/hit_self_built'], '', ['self_built']),
        (['hit_mfs'], 'hit_mfs', ['mfs']),
        # The names of the files are the same, so that the folder's name decides.
        (['Self-built dataset'], 'Self-built dataset', ['self_built']),
    ],
)
def test_rigs_are_told_by_their_folders(tmp_path, folders, named, rigs):
    for folder in folders:
        touch(tmp_path / folder)
    found = rigs_of(tmp_path / named)
    assert [rig.name for rig, _ in found] == rigs
    assert [folder.name for _, folder in found] == [folder.rpartition('/')[2] for folder in folders]
    ids = [e.recording for rig, folder in found for e in entries(rig, folder)]
    assert len(ids) == len(set(ids)) == 21 * len(rigs)


def test_labels_and_what_is_not_known_of_the_second_rig(tmp_path):
    touch(tmp_path / 'hit_mfs')
    touch(tmp_path / 'hit_self_built')
    (_, mfs), (second, built) = rigs_of(tmp_path)
    found = entries(MFS, mfs)
    assert collections.Counter(e.label for e in found) == {'normal': 3, 'inner_race': 9, 'outer_race': 9}
    assert {e.bearing_id for e in found} == {'mfs_normal'} | {
        f'mfs_{r}_race_{n}deg' for r in ('inner', 'outer') for n in (2, 5, 8)
    }
    assert {(e.domain, e.speed_rpm) for e in found} == {(f'mfs_{n}rpm', float(n)) for n in (600, 900, 1200)}
    assert all(e.geometry is not None for e in found) and all(e.geometry is None for e in entries(second, built))


def test_a_rig_with_missing_files_and_no_rig(tmp_path, says):
    with pytest.raises(DataError) as e:
        rigs_of(tmp_path)
    assert says(str(e.value), 'rig mfs ... Normal_600.mat ... 16 more ... github.com ... hit_mfs/')
    touch(tmp_path / 'hit_mfs', NAMES[:-1])
    with pytest.raises(DataError) as e:
        rigs_of(tmp_path)
    assert says(str(e.value), f'files are missing: {NAMES[-1]}. ... hit_mfs')


def test_the_variable_has_any_name_and_a_short_file_is_refused(tmp_path, says):
    touch(tmp_path / 'hit_mfs')
    path = tmp_path / 'hit_mfs' / 'IR5_900.mat'
    x = np.random.default_rng(0).standard_normal(4000)
    entry = next(e for e in entries(MFS, path.parent) if e.files == (path,))
    published = dataclasses.replace(MFS.published, num_samples=4000)
    for name in ('Data', 'IR5_900_ch1'):
        scipy.io.savemat(path, {name: x[:, None]})
        recording = published.read(entry)
        np.testing.assert_allclose(recording.samples[:, 0], x, rtol=1e-6)
        assert (recording.sample_rate_hz, recording.recording, recording.unit) == (51200.0, 'hit_mfs_IR5_900', '')
    with pytest.raises(DataError) as e:
        MFS.published.read(entry)
    assert says(str(e.value), 'IR5_900.mat ... 4000 samples ... 262144 samples ... fresh copy')


@pytest.fixture
def few(raw_data, monkeypatch):
    if not (raw_data / 'hit_mfs').is_dir():
        pytest.skip('hit_mfs is absent')
    monkeypatch.setattr(table, 'SPEEDS_RPM', (600,))
    monkeypatch.setattr(table, 'STATES', {s: table.STATES[s] for s in ('Normal', 'IR5', 'OR8')})
    monkeypatch.setattr(table, 'NAMES', ('Normal_600.mat', 'IR5_600.mat', 'OR8_600.mat'))
    return raw_data


@pytest.mark.real_data
def test_levels_tell_the_class_unless_they_are_matched(few, tmp_path):
    data = prepare('hit_sm/all', tmp_path, manual_dir=few)
    assert data.name == 'hit_sm/all-vggish:1.0.0' and data.metadata['rigs'] == ['mfs']
    assert data.class_names() == ['normal', 'inner_race', 'outer_race']
    # 5.12 s hold five blocks with a window each.
    assert sorted(data.table['block'].tolist()) == sorted([0, 1, 2, 3, 4] * 3)
    label, rms = data.table['label'], data.table['rms']
    assert rms[label == 0].max() < 0.001 < 0.01 < rms[label > 0].min()
    matched = prepare('hit_sm/all_matched', tmp_path, manual_dir=few)
    assert matched.metadata['match_level'] is True and matched.metadata['unit'] == ''
    assert matched.table['rms'] == pytest.approx(1.0, rel=0.01)


@pytest.mark.real_data
def test_one_second_at_600_rpm_shows_the_fault(few):
    front_end = create_front_end('fault_orders', 51200.0)
    contrast = {}
    for rig, folder in rigs_of(few):
        for entry in entries(rig, folder):
            recording = rig.published.read(entry)
            image = front_end(recording.samples[:51200], 51200.0, Condition(600.0, recording.geometry))
            inner, outer = (image[..., front_end.channels.index(name)] for name in ('inner_race', 'outer_race'))
            contrast[entry.label] = (inner - outer).mean()
    assert contrast['inner_race'] > 0 > contrast['outer_race']


def test_a_rig_of_unknown_bearing_has_no_part_in_fault_orders(tmp_path, caplog):
    touch(tmp_path / 'hit_mfs')
    touch(tmp_path / 'hit_self_built')
    given = types.SimpleNamespace(manual_dir=str(tmp_path))
    for config, rigs in (('all-vggish', ['mfs', 'self_built']), ('all-fault_orders_stacked', ['mfs'])):
        builder = hit.Builder(config=config, data_dir=tmp_path / 'data')
        builder.recordings(given)
        assert builder.info.metadata['rigs'] == rigs
    assert 'self_built is not known' in caplog.text
