"""Where the files come from: the user's folder, earlier downloads, the server; and what is said of missing ones."""

import dataclasses
import functools
import http.server
import pathlib
import threading

import numpy as np
import pytest
import scipy.io

from fdx.data.download import NetworkUnreachable
from fdx.datasets.cwru.files import get_file
from fdx.datasets.cwru.reader import read_file, resolve_files
from fdx.datasets.cwru.subsets import SUBSETS, Subset
from fdx.types import DataError

NUMBERS = (97, 105, 118)


@pytest.fixture
def subset():
    files = tuple(dataclasses.replace(get_file(number), length=20) for number in NUMBERS)
    return Subset('tiny', 'Three short files.', files, 'DE')


def _write(folder, number, length=20):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f'{number}.mat'
    scipy.io.savemat(path, {f'X{number:03d}_DE_time': np.full((length, 1), float(number)), f'X{number:03d}RPM': 1796.0})
    return path


class FakeDownloader:
    """Writes a file of the wanted length, or raises what it was told to raise for an address."""

    def __init__(self, errors=None, length=20):
        self.errors, self.length, self.urls = errors or {}, length, []

    def __call__(self, url, target, *, looks_right):
        self.urls.append(url)
        number = int(pathlib.Path(url).stem)
        error = self.errors.get(number, self.errors.get('all'))
        if error:
            raise error
        path = _write(target.parent, number, self.length)
        complaint = looks_right(path)
        if complaint:
            path.unlink()
            raise DataError(complaint)
        return path


def _files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*') if path.is_file())


def test_manual_folder_comes_before_earlier_downloads_and_the_server(tmp_path, subset):
    manual, downloads = tmp_path / 'manual', tmp_path / 'downloads'
    expected = {97: _write(manual, 97), 105: _write(manual / 'cwru', 105), 118: _write(downloads / 'cwru', 118)}
    _write(downloads, 97)
    downloader = FakeDownloader()
    assert resolve_files(subset, manual, downloads, downloader=downloader) == expected
    assert downloader.urls == []


def test_only_missing_files_are_fetched_and_kept(tmp_path, subset):
    manual, downloads = tmp_path / 'manual', tmp_path / 'downloads'
    _write(manual, 105)
    downloader = FakeDownloader()
    paths = resolve_files(subset, manual, downloads, downloader=downloader)
    assert list(paths) == [97, 105, 118]
    assert downloader.urls == [f'https://engineering.case.edu/sites/default/files/{n}.mat' for n in (97, 118)]
    assert paths[97] == downloads / 'cwru' / '97.mat'
    again = FakeDownloader()
    assert resolve_files(subset, manual, downloads, downloader=again) == paths
    assert again.urls == []


def test_absent_network_is_tried_once_and_all_missing_files_are_named(tmp_path):
    subset = SUBSETS['drive_end_12k']
    _write(tmp_path, 97)
    downloader = FakeDownloader({'all': NetworkUnreachable('no connection to the server: timed out')})
    with pytest.raises(DataError) as caught:
        resolve_files(subset, tmp_path, tmp_path / 'downloads', downloader=downloader)
    text = str(caught.value)
    assert len(downloader.urls) == 1
    assert '39 of 40 files are missing' in text
    assert all(f' {file.name}' in text for file in subset.files if file.number != 97)
    assert ' 97.mat' not in text
    assert f'put them into manual_dir={tmp_path}, or' in text
    assert 'https://engineering.case.edu/sites/default/files/{N}.mat' in text
    assert 'no connection to the server: timed out' in text


def test_refused_file_does_not_hold_up_the_others(tmp_path, subset):
    downloader = FakeDownloader({97: DataError('status 404'), 105: DataError('status 410')})
    with pytest.raises(DataError, match=r'2 of 3 files .*: 97\.mat, 105\.mat\. .*status 404$'):
        resolve_files(subset, None, tmp_path, downloader=downloader)
    assert len(downloader.urls) == 3
    assert _files_in(tmp_path) == ['cwru/118.mat']


def test_fetched_file_of_the_wrong_length_is_not_kept(tmp_path, subset):
    with pytest.raises(DataError, match=r'3 of 3 files .*X097_DE_time .*\(19, 1\)'):
        resolve_files(subset, None, tmp_path, downloader=FakeDownloader(length=19))
    assert _files_in(tmp_path) == []


@pytest.mark.parametrize(('offline', 'reason'), [(True, 'downloads are off'), (False, 'no download folder is given')])
def test_nothing_is_fetched_offline_or_without_a_folder(tmp_path, subset, offline, reason):
    downloader = FakeDownloader()
    _write(tmp_path, 105)
    with pytest.raises(DataError, match=rf'97\.mat, 118\.mat\. .*{reason}$'):
        resolve_files(subset, tmp_path, tmp_path if offline else None, downloader=downloader, offline=offline)
    assert downloader.urls == []


def test_message_about_the_manual_folder(tmp_path, subset):
    with pytest.raises(DataError, match='a folder and name it in manual_dir, or'):
        resolve_files(subset, None, None)
    with pytest.raises(DataError, match=r'manual_dir=\S+nowhere .*does not exist'):
        resolve_files(subset, tmp_path / 'nowhere', None)


def test_template_needs_a_place_for_the_number(tmp_path, subset):
    with pytest.raises(DataError, match=r"'https://example\.org/files' has no '\{N\}'"):
        resolve_files(subset, tmp_path, tmp_path, url_template='https://example.org/files')


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server of the folder tmp_path/site on this machine."""
    monkeypatch.setenv('no_proxy', '127.0.0.1')

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    site = tmp_path / 'site'
    site.mkdir()
    httpd = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Handler, directory=str(site)))
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield site, f'http://127.0.0.1:{httpd.server_address[1]}/{{N}}.mat'
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def test_files_come_over_http_and_only_true_ones_stay(tmp_path, server, subset):
    site, template = server
    _write(site, 97)
    _write(site, 105, length=10)
    (site / '118.mat').write_bytes(b'<html>maintenance</html>')
    downloads = tmp_path / 'downloads'
    with pytest.raises(DataError, match=r'2 of 3 files .*: 105\.mat, 118\.mat'):
        resolve_files(subset, None, downloads, url_template=template)
    assert _files_in(downloads) == ['cwru/97.mat']
    _write(site, 105)
    _write(site, 118)
    paths = resolve_files(subset, None, downloads, url_template=template)
    assert _files_in(downloads) == ['cwru/105.mat', 'cwru/118.mat', 'cwru/97.mat']
    for file in subset.files:
        assert read_file(paths[file.number], file, 'DE').samples[0, 0] == file.number
