"""Where the files come from: the user's folder, earlier downloads, the archive; and what is said of missing ones."""

from __future__ import annotations

import dataclasses
import pathlib
import zipfile

import pytest

from fdx.data.download import NetworkUnreachableError
from fdx.datasets.mfpt import sources
from fdx.datasets.mfpt.files import ARCHIVE_URL, FILES, MIRROR_URL, SUBSETS, Subset
from fdx.datasets.mfpt.reader import read_file
from fdx.datasets.mfpt.sources import ARCHIVE, resolve_files
from fdx.types import DataError

STEMS = ('baseline_1', 'InnerRaceFault_vload_2', 'OuterRaceFault_vload_7')
# As in the society's archive, where the name of a file says which one it is.
FOLDERS = {
    'b': 'MFPT Fault Data Sets/1 - Three Baseline Conditions/',
    'I': 'MFPT Fault Data Sets/4 - Seven Inner Race Fault Conditions/',
    'O': 'MFPT Fault Data Sets/3 - Seven More Outer Race Fault Conditions/',
}


@pytest.fixture
def subset():
    files = tuple(dataclasses.replace(FILES[s], duration_s=200 / FILES[s].rate_hz) for s in STEMS)
    return Subset('tiny', 'Three short files.', files)


@pytest.fixture
def make_archive(tmp_path, subset, write_mfpt):
    def make(path, *, leave_out=(), prefix=None, length=None):
        """An archive of the subset's files; `prefix` stands in place of the society's folders."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, 'w') as archive:
            archive.writestr('MFPT Fault Data Sets/__MACOSX/._baseline_1.mat', b'no recording')
            for i, file in enumerate(f for f in subset.files if f.stem not in leave_out):
                shown = file if length is None else dataclasses.replace(file, duration_s=length / file.rate_hz)
                source = write_mfpt(tmp_path / 'source', shown, seed=i)
                archive.write(source, (FOLDERS[file.stem[0]] if prefix is None else prefix) + file.name)
        return path

    return make


class FakeDownloader:
    """Makes the archive in place of fetching it, or raises an error."""

    def __init__(self, make, error=None):
        self.make, self.error, self.urls = make, error, []

    def __call__(self, url, target, *, looks_right):
        self.urls.append(url)
        if self.error:
            raise self.error
        self.make(target)
        complaint = looks_right(target)
        if complaint:
            target.unlink()
            raise DataError(complaint)
        return target


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in pathlib.Path(folder).rglob('*') if path.is_file())


def test_order_of_the_places(tmp_path, subset, write_mfpt):
    manual, downloads = tmp_path / 'manual', tmp_path / 'downloads'
    first, second, third = subset.files
    expected = {
        first.stem: write_mfpt(manual, first),
        second.stem: write_mfpt(manual / 'mfpt', second),
        third.stem: write_mfpt(manual / 'old' / 'unpacked' / FOLDERS['O'], third),
    }
    for file in subset.files:
        write_mfpt(manual / 'zz', file)
        write_mfpt(downloads, file)
    downloader = FakeDownloader(None)
    assert resolve_files(subset, manual, downloads, downloader=downloader) == expected
    write_mfpt(manual / 'mfpt', third)
    assert resolve_files(subset, manual, downloads)[third.stem] == manual / 'mfpt' / third.name
    by_download = resolve_files(subset, tmp_path / 'source', downloads, downloader=downloader)
    assert by_download == {f.stem: downloads / f.name for f in subset.files}
    assert downloader.urls == []


def test_a_dangling_link_is_no_file(tmp_path, subset, write_mfpt):
    manual = tmp_path / 'manual'
    for file in subset.files:
        write_mfpt(manual / 'unpacked', file)
    (manual / 'a').mkdir()
    (manual / 'a' / subset.files[0].name).symlink_to(tmp_path / 'gone')
    assert resolve_files(subset, manual, None)[subset.files[0].stem].parent == manual / 'unpacked'


def test_the_archive_is_fetched_once_and_only_missing_files_are_taken_out(tmp_path, subset, write_mfpt, make_archive):
    manual, downloads = tmp_path / 'manual', tmp_path / 'downloads'
    own = write_mfpt(manual, subset.files[1])
    downloader = FakeDownloader(make_archive)
    paths = resolve_files(subset, manual, downloads, downloader=downloader)
    assert downloader.urls == [ARCHIVE_URL]
    assert list(paths) == list(STEMS)
    assert paths[STEMS[1]] == own
    assert files_in(downloads) == [f'mfpt/{n}' for n in (ARCHIVE, f'{STEMS[2]}.mat', f'{STEMS[0]}.mat')]
    assert read_file(paths[STEMS[0]], subset.files[0]).recording == 'mfpt_normal_1'
    # Another subset later finds the archive and needs no network.
    own.unlink()
    paths = resolve_files(subset, manual, downloads, downloader=downloader)
    assert paths[STEMS[1]] == downloads / 'mfpt' / f'{STEMS[1]}.mat'
    assert len(downloader.urls) == 1


@pytest.mark.parametrize('place', ['', 'mfpt'])
def test_the_user_s_archive_saves_the_download(tmp_path, subset, make_archive, place):
    manual, downloads = tmp_path / 'manual', tmp_path / 'downloads'
    make_archive(manual / place / ARCHIVE)
    downloader = FakeDownloader(None)
    paths = resolve_files(subset, manual, downloads, downloader=downloader)
    assert downloader.urls == []
    assert paths == {s: downloads / 'mfpt' / f'{s}.mat' for s in STEMS}
    assert files_in(manual) == [f'{place}/{ARCHIVE}'.lstrip('/')]


@pytest.mark.parametrize('prefix', ['../../', '/tmp/fdx_escape/', '..\\..\\', ''])
def test_no_member_is_written_outside_of_the_folder(tmp_path, subset, make_archive, prefix):
    downloads = tmp_path / 'deep' / 'down' / 'downloads'
    make_archive(tmp_path / 'manual' / ARCHIVE, prefix=prefix)
    resolve_files(subset, tmp_path / 'manual', downloads)
    assert files_in(tmp_path / 'deep') == sorted(f'down/downloads/mfpt/{s}.mat' for s in STEMS)
    assert not pathlib.Path('/tmp/fdx_escape').exists()


def test_without_network_all_missing_files_are_named(tmp_path, write_mfpt):
    subset = SUBSETS['all']
    write_mfpt(tmp_path / 'mfpt', FILES['baseline_2'], [0.0, 1.0])
    downloader = FakeDownloader(None, NetworkUnreachableError('no connection to mfpt.org: timed out'))
    with pytest.raises(DataError) as caught:
        resolve_files(subset, tmp_path, tmp_path / 'downloads', downloader=downloader)
    text = str(caught.value)
    assert downloader.urls == [ARCHIVE_URL]
    assert 'MFPT subset all: 19 of 20 files are missing' in text
    assert all(f' {file.name}' in text for file in subset.files if file.stem != 'baseline_2')
    assert 'baseline_2' not in text
    assert f'Either put them, or the archive {ARCHIVE}, into `manual_dir`={tmp_path}, or' in text
    assert ARCHIVE_URL in text
    assert MIRROR_URL in text
    assert text.endswith('no connection to mfpt.org: timed out')


def test_message_about_the_folders(tmp_path, subset):
    with pytest.raises(DataError, match='a folder and name it with .manual_dir., or .*no download folder is given$'):
        resolve_files(subset, None, None)
    with pytest.raises(DataError, match=r'manual_dir.*=\S+nowhere .*does not exist'):
        resolve_files(subset, tmp_path / 'nowhere', None)


def test_what_the_archive_lacks_or_holds_wrongly_is_told_and_not_kept(tmp_path, subset, make_archive):
    downloads = tmp_path / 'downloads'
    make_archive(downloads / 'mfpt' / ARCHIVE, leave_out=STEMS[:1])
    with pytest.raises(DataError, match=rf'1 of 3 files .*: baseline_1\.mat\. .*{ARCHIVE} .*no baseline_1'):
        resolve_files(subset, None, downloads)
    assert files_in(downloads) == sorted(f'mfpt/{n}' for n in (ARCHIVE, f'{STEMS[1]}.mat', f'{STEMS[2]}.mat'))
    other = tmp_path / 'other'
    make_archive(other / 'mfpt' / ARCHIVE, length=100)
    with pytest.raises(DataError, match=r'3 of 3 .*baseline_1\.mat in \S+: bearing\.gs .*100 samples'):
        resolve_files(subset, None, other)
    assert files_in(other) == [f'mfpt/{ARCHIVE}']


def test_damaged_archives(tmp_path, subset, make_archive, monkeypatch):
    def damaged(path):
        make_archive(path)
        data = bytearray(path.read_bytes())
        at = data.index(b'baseline_1.mat', data.index(b'1 - Three')) + 200
        data[at] ^= 0xFF
        path.write_bytes(data)

    downloads = tmp_path / 'downloads'
    with pytest.raises(DataError, match=r'3 of 3 .*baseline_1\.mat. .*damaged'):
        resolve_files(subset, None, downloads, downloader=FakeDownloader(damaged))
    with pytest.raises(DataError, match=r'3 of 3 .*zip archive .*BadZipFile'):
        resolve_files(subset, None, downloads, downloader=FakeDownloader(lambda p: _write(p, b'PK\x03\x04 cut')))
    assert files_in(downloads) == []
    # The user's own archive is not checked as a whole: what is whole in it is used.
    damaged(tmp_path / 'manual' / ARCHIVE)
    with pytest.raises(DataError, match=r'1 of 3 .*baseline_1\.mat in \S+: it is damaged \(BadZipFile'):
        resolve_files(subset, tmp_path / 'manual', downloads)
    assert files_in(downloads) == sorted(f'mfpt/{s}.mat' for s in STEMS[1:])
    _write(tmp_path / 'empty' / ARCHIVE, b'')
    with pytest.raises(DataError, match=r'cannot be unpacked \(BadZipFile: .*remove or replace it'):
        resolve_files(subset, tmp_path / 'empty', tmp_path / 'new')
    make_archive(tmp_path / 'large' / ARCHIVE)
    monkeypatch.setattr(sources, 'MAX_MEMBER_BYTES', 100)
    with pytest.raises(DataError, match=r'3 of 3 .*bytes are too many for a recording'):
        resolve_files(subset, tmp_path / 'large', tmp_path / 'new')


def test_a_folder_that_cannot_be_written_to(tmp_path, subset, make_archive):
    make_archive(tmp_path / 'manual' / ARCHIVE)
    (tmp_path / 'downloads').write_bytes(b'a file in the place of the folder')
    with pytest.raises(DataError, match=r'cannot write to \S+downloads/mfpt: .*free some space'):
        resolve_files(subset, tmp_path / 'manual', tmp_path / 'downloads')


def _write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
