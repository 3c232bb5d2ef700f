"""bearing_datasets/NAME prepared from a dataset that the package has built: records, versions, where it is found."""

from __future__ import annotations

import json
import pathlib
import shutil

import numpy as np
import pytest

import fdx
from fdx.data.collection.built_root import built_folder
from fdx.data.collection.entry import Shared
from fdx.data.collection.own import OwnRecordings
from fdx.data.collection.spec import CollectionSpec
from fdx.data.prepare import prepare_if_missing
from fdx.data.protocols.splits import split_rows
from fdx.types import ConfigError, DataError

from .conftest import with_values

NAME = 'bearing_datasets/tiny_rig'


@pytest.fixture(autouse=True)
def nobody(monkeypatch, tmp_path):
    """A user who has saved no folder."""
    monkeypatch.setenv('XDG_CONFIG_HOME', str(tmp_path / 'config'))
    for name in ('BEARING_DATASETS_ROOT', 'FDX_RAW_DATA', 'APPDATA'):
        monkeypatch.delenv(name, raising=False)


def own(folder, **options):
    return OwnRecordings(CollectionSpec(str(folder), shared=Shared(**options)))


def test_a_dataset_of_both_channels(golden, tmp_path):
    notes = []
    data = fdx.prepare(NAME + '-band_mel', tmp_path, manual_dir=golden.parent, notify=notes.append)
    assert data.name == f'{NAME}-band_mel:1.0.0' and len(notes) == 1
    assert data.class_names() == data.class_names('fault_type') == ['normal', 'inner_race', 'outer_race']
    assert data.metadata['unit'] == 'g' and data.metadata['channel_names'] == ['DE', 'FE']
    assert data.metadata['common_rate_hz'] == 4000.0
    assert data.metadata['license'] == 'Apache-2.0 (simulated by fdx)'
    assert data.metadata['citation'] == 'fdx, tests/golden/make_bearing_datasets.py'
    of = data.table['recording'] == 'inner_2'
    assert set(data.table['bearing'][of]) == {'bearing_inner_2'} and set(data.table['speed_rpm'][of]) == {1800.0}
    record = data.record(int(np.flatnonzero(of)[0]), ('waveform', 'waveform_scale', 'geometry'))
    assert record['waveform'].shape[1] == 2
    np.testing.assert_allclose(record['geometry'], (100, 20.338, 9, 0), atol=0.01)
    splits = split_rows(data.table, 'by_bearing', fold=0, seed=0)
    test = set(data.table['bearing'][splits.test])
    assert len(test) == 3 and not test & set(data.table['bearing'][splits.train])


def test_every_front_end_of_one_channel_and_one_physical_run(golden, tmp_path):
    name = prepare_if_missing(NAME + '-fault_orders', tmp_path, recordings=own(golden, channel='DE'))
    data = fdx.open_dataset(name, tmp_path)
    assert data.metadata['channels'] == 1 and len(set(data.table['recording'])) == 6
    assert len(set(data.table['acquisition'])) == 6  # All lie in one file, but are runs of their own.
    with pytest.raises(ConfigError, match=f'{NAME}-vggish: vggish does not take 2 channels; choose one with `channel`'):
        prepare_if_missing(NAME + '-vggish', tmp_path, recordings=own(golden))


def test_a_dataset_that_is_there_is_kept_and_a_rebuilt_one_is_a_new_version(changed, tmp_path):
    folder, data_dir = changed(), tmp_path / 'data'
    name = prepare_if_missing(NAME + '-band_mel', data_dir, folder.parent)
    assert name == f'{NAME}-band_mel:1.0.0'
    assert prepare_if_missing(NAME, data_dir) == NAME  # It needs no folder of built datasets any more.
    assert prepare_if_missing(NAME + '-band_mel', data_dir, recordings=folder).endswith(':1.0.0')
    other = changed(with_values('inner_1', speed_rpm=1501.0), 'other')
    shutil.copyfile(other / 'metadata.parquet', folder / 'metadata.parquet')
    assert prepare_if_missing(NAME + '-band_mel', data_dir, recordings=folder).endswith(':1.0.1')
    with pytest.raises(ConfigError, match='leave out the version'):
        prepare_if_missing(NAME + '-band_mel:1.0.9', data_dir, folder.parent)
    with pytest.raises(ConfigError, match='new content is a new version'):
        prepare_if_missing(NAME, data_dir, folder.parent, overwrite=True)


def test_a_damaged_dataset_leaves_nothing_behind(changed, tmp_path):
    folder = changed(with_values('inner_2', n_samples=8001))
    with pytest.raises(DataError, match='inner_2/DE has 8000 samples where 8001 are announced'):
        prepare_if_missing(NAME + '-band_mel', tmp_path / 'data', folder.parent)
    assert not list((tmp_path / 'data').rglob('1.0.*'))


def test_where_built_datasets_are_looked_for(golden, tmp_path, monkeypatch):
    with pytest.raises(DataError, match='no folder of built datasets is known; build it with .*bearing-datasets build'):
        built_folder(NAME)
    (tmp_path / 'config' / 'bearing_datasets').mkdir(parents=True)
    saved = tmp_path / 'config' / 'bearing_datasets' / 'config.json'
    for content in ('{', '[]', '{"root": null}'):
        saved.write_text(content)
        with pytest.raises(DataError, match='no folder of built'):
            built_folder(NAME)
    saved.write_text(json.dumps({'root': str(golden.parent)}))  # As `bearing-datasets root FOLDER` writes it.
    assert built_folder(NAME) == built_folder(NAME + '-band_mel') == golden
    monkeypatch.setenv('BEARING_DATASETS_ROOT', str(tmp_path))
    assert built_folder(NAME) == golden  # The saved folder is asked next.
    assert built_folder(NAME, golden) == built_folder(NAME, golden.parent) == golden
    with pytest.raises(DataError, match=r'no built dataset cwru in .*/bearing_datasets \(built there: tiny_rig\)'):
        built_folder('bearing_datasets/cwru', golden.parent)
    with pytest.raises(ConfigError, match='bearing_datasets/NAME'):
        built_folder('bearing_datasets')
    with pytest.raises(ConfigError, match='which is not a folder'):
        built_folder(NAME, tmp_path / 'nowhere')


def test_names_and_sources_that_do_not_go_together(golden, tmp_path):
    (tmp_path / 'in' / 'a').mkdir(parents=True)
    for label in 'ab':
        (tmp_path / 'in' / label).mkdir(exist_ok=True)
        np.save(tmp_path / 'in' / label / 'x.npy', np.random.default_rng(0).standard_normal(9000))
    spec = own(tmp_path / 'in', sample_rate_hz=4000.0)
    with pytest.raises(ConfigError, match='in was not built by bearing-datasets; call recordings of your own'):
        prepare_if_missing(NAME, tmp_path / 'data', recordings=spec)
    with pytest.raises(DataError, match='is not prepared in .*`manual_dir` where the datasets lie'):
        fdx.open_dataset(NAME, tmp_path / 'data')
    # A built dataset may also be called recordings/NAME.
    name = prepare_if_missing('recordings/mine-band_mel', tmp_path / 'data', recordings=golden)
    assert name == 'recordings/mine-band_mel:1.0.0' and pathlib.Path(tmp_path / 'data' / 'recordings').is_dir()
