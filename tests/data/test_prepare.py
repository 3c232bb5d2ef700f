"""prepare: a dataset by name, built on first use, opened ever after; without a word on standard output."""

from __future__ import annotations

import pytest

from fdx.data.prepare import prepare
from fdx.data.preparing import check_manual_dir
from fdx.types import ConfigError, DataError


@pytest.fixture(scope='module')
def small(rig, tmp_path_factory):
    """A folder with one prepared dataset, and the lines that preparing it gave to `notify`."""
    folder, lines = tmp_path_factory.mktemp('prepared'), []
    with rig.small_bearing_rig():
        data = prepare('bearing_rig/rig_b_small', folder, notify=lines.append)
    return folder, data, lines


def test_the_first_call_builds_and_every_call_opens(small):
    folder, data, lines = small
    again = []
    same = prepare('bearing_rig/rig_b_small', folder, notify=again.append)
    assert lines == [f'preparing {data.name.replace(":", "/")} in {folder} (once)'] and again == []
    assert same.name == data.name and len(same) == len(data) == 30


def test_overwrite_builds_again_in_silence(rig, small, capfd):
    folder, data, _ = small
    before = (data.data_dir / 'dataset_info.json').stat().st_mtime_ns
    lines = []
    with rig.small_bearing_rig():
        new = prepare('bearing_rig/rig_b_small', folder, overwrite=True, notify=lines.append)
    assert len(lines) == 1 and new.data_dir == data.data_dir
    assert capfd.readouterr() == ('', '')
    assert (new.data_dir / 'dataset_info.json').stat().st_mtime_ns > before
    assert len(new) == 30


def test_overwrite_leaves_a_folder_that_fdx_did_not_make(rig, small, tmp_path):
    _, data, _ = small
    theirs = tmp_path / data.data_dir.parent.parent.name / data.data_dir.parent.name / data.data_dir.name
    theirs.mkdir(parents=True)
    (theirs / 'mine.txt').write_text('mine')
    with rig.small_bearing_rig(), pytest.raises(DataError, match='no dataset_info.json'):
        prepare('bearing_rig/rig_b_small', tmp_path, overwrite=True)
    assert (theirs / 'mine.txt').read_text() == 'mine'


def test_errors_name_the_parameters(tmp_path):
    with pytest.raises(ConfigError, match='`manual_dir`.*absent.* not a folder.*name the folder'):
        check_manual_dir(tmp_path / 'absent')
    with pytest.raises(ConfigError, match='`group_column`=machine .* `csv`'):
        prepare('motor_maintenance/mine', tmp_path, group_column='machine')
    with pytest.raises(ConfigError, match='`csv`=log.csv: bearing_rig .*recordings.* table'):
        prepare('bearing_rig/mine', tmp_path, csv='log.csv')
    with pytest.raises(ConfigError, match='`dataset`=bearing_rig/none: .* small, small-vggish_train'):
        prepare('bearing_rig/none', tmp_path)
    assert not list(tmp_path.iterdir())
