"""Damage of prepared datasets: named in one line, and never a changed class name."""

from __future__ import annotations

import pathlib
import shutil

import pytest

from fdx.data.incomplete import remove_interrupted
from fdx.data.seal import SEAL, check_seal, seal, seal_new
from fdx.data.source import open_dataset, prepared_folder
from fdx.types import ConfigError, DataError

NONSENSE = (b'', b'7', b'[1, 2, NaN]', b'{"a": {"b": [NaN, null]}}', b'[' * 100_000, b'\xff\xfe\x00')


@pytest.fixture(scope='module')
def sealed(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp('sealed')
    version = pathlib.Path(tiny.data_dir)
    shutil.copytree(version.parents[1], folder / version.parts[-3])
    seal(folder.joinpath(*version.parts[-3:]))
    return folder


@pytest.fixture
def copy(sealed, tiny, tmp_path):
    """(data_dir, the dataset's folder, its name)."""
    shutil.copytree(sealed, tmp_path / 'data')
    version = pathlib.Path(tiny.data_dir)
    return tmp_path / 'data', (tmp_path / 'data').joinpath(*version.parts[-3:]), tiny.name


def is_one_line(data_dir, name, path):
    with pytest.raises(DataError, match='prepare the dataset again|Prepare it: |not built by an fdx builder') as e:
        open_dataset(name, data_dir)
    assert '\n' not in str(e.value)
    assert str(path) in str(e.value)


def test_a_sealed_dataset_opens(copy, tiny):
    data_dir, folder, name = copy
    assert (folder / SEAL).is_file()
    assert open_dataset(name, data_dir).class_names() == tiny.class_names()


@pytest.mark.parametrize('has_seal', [True, False])
def test_any_damage_of_any_file_is_one_line(copy, has_seal):
    data_dir, folder, name = copy
    if not has_seal:
        (folder / SEAL).unlink()
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        for content in (*NONSENSE, data[: len(data) // 2], data[:-1]):
            if path.name == SEAL and content == data[:-1]:
                continue  # A line break, which says nothing.
            # Without a seal a class may be given another name, and a number has no checksum.
            if not has_seal and (path.name.endswith('.labels.txt') or content == data[:-1]):
                continue
            path.write_bytes(content)
            is_one_line(data_dir, name, folder)
        path.unlink()
        if path.name == SEAL:
            open_dataset(name, data_dir)
        elif path.name != 'dataset_info.json':
            is_one_line(data_dir, name, folder)
            path.mkdir()
            is_one_line(data_dir, name, folder)
            path.rmdir()
        path.write_bytes(data)
    open_dataset(name, data_dir)


def test_a_changed_class_name_is_found(copy):
    data_dir, folder, name = copy
    path = folder / 'label.labels.txt'
    names = path.read_text().splitlines()
    path.write_text('\n'.join(reversed(names)) + '\n')
    with pytest.raises(DataError, match=r'label\.labels\.txt is not as it was'):
        open_dataset(name, data_dir)
    (folder / SEAL).unlink()
    for wrong in (names[:-1], [*names, 'more'], [names[0]] * len(names)):
        path.write_text('\n'.join(wrong) + '\n')
        with pytest.raises(DataError, match=rf'label\.labels\.txt .*\d names .* {len(names)} classes'):
            open_dataset(name, data_dir)
    path.unlink()
    with pytest.raises(DataError, match='the names of the classes, is missing'):
        open_dataset(name, data_dir)


def test_a_seal_of_before_is_kept_and_a_missing_one_made(copy):
    _, folder, _ = copy
    before = (folder / SEAL).read_bytes()
    (folder / 'label.labels.txt').write_text('changed\n')
    seal_new(folder.parents[1])
    assert (folder / SEAL).read_bytes() == before
    with pytest.raises(DataError):
        check_seal(folder)
    (folder / SEAL).unlink()
    seal_new(folder.parents[1])
    check_seal(folder)


def test_an_interrupted_version_is_no_dataset(copy):
    data_dir, folder, name = copy
    folder.rename(folder.with_name(f'incomplete.ABC123_{folder.name}'))
    with pytest.raises(DataError, match='is not prepared'):
        prepared_folder(name, data_dir)


def test_only_what_a_killed_program_of_fdx_began_is_removed(tmp_path):
    for name in ('incomplete.ABC123_1.0.0', 'incomplete.ABC123_mine', 'incomplete.abc123_1.0.0', '1.0.0'):
        (tmp_path / 'a' / name).mkdir(parents=True)
    (tmp_path / 'a' / 'incomplete.LINK00_1.0.0').symlink_to(tmp_path / 'a' / '1.0.0')
    made = (tmp_path / 'a' / 'incomplete.ABC123_1.0.0').stat().st_mtime
    for since in (None, made + 60):
        remove_interrupted(tmp_path, since)
        assert len(list((tmp_path / 'a').iterdir())) == 5
    remove_interrupted(tmp_path, made - 60)
    left = ['1.0.0', 'incomplete.ABC123_mine', 'incomplete.LINK00_1.0.0', 'incomplete.abc123_1.0.0']
    assert sorted(p.name for p in (tmp_path / 'a').iterdir()) == left


@pytest.mark.parametrize(
    'name',
    ['b/../../x', '/etc/passwd', '../b/c', 'b//c', 'b/', '', 'b/c:', 'b/c:../1', 'b/.c', '.b/c', 'b/c\\d', 'b/c\nd',
     'b/c\0', 'b/c\x7f', 'b/' + 'c' * 300, 'b/c:1/2', '~/b/../c', 'b/\u2028'],
)  # fmt: skip
def test_names_never_leave_their_folder(name, tmp_path):
    with pytest.raises(ConfigError, match='cannot name a file or folder') as e:
        prepared_folder(name, tmp_path)
    assert '\n' not in str(e.value)
    with pytest.raises(ConfigError, match='cannot name a file or folder'):
        open_dataset(name, tmp_path)
