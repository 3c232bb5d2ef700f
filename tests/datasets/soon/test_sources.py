"""Where the files come from: the user's folder, earlier downloads, Zenodo; and what is said of missing ones."""

from __future__ import annotations

import functools
import http.server
import pathlib
import threading
import urllib.parse

import pytest

from fdx.data.download import NetworkUnreachableError
from fdx.datasets.soon.files import FILES, URL_TEMPLATE
from fdx.datasets.soon.sources import resolve_files
from fdx.datasets.soon.subsets import SUBSETS, Subset
from fdx.types import DataError

NUMBERS = (1, 2, 15)
TINY = Subset('tiny', 'Three files.', tuple(FILES[n] for n in NUMBERS))


class FakeDownloader:
    """Writes a file of the logger's form, or raises what it was told to raise for a file number."""

    def __init__(self, write, errors=None, text=None):
        self.write, self.errors, self.text, self.urls = write, errors or {}, text, []

    def __call__(self, url, target, *, looks_right):
        self.urls.append(url)
        error = self.errors.get(int(target.name[:2]), self.errors.get('all'))
        if error:
            raise error
        path = self.write(target, 50)
        if self.text is not None:
            path.write_text(self.text)
        complaint = looks_right(path)
        if complaint:
            path.unlink()
            raise DataError(complaint)
        return path


def files_in(folder):
    return sorted(path.name for path in folder.rglob('*') if path.is_file())


def test_manual_folder_comes_before_earlier_downloads_and_zenodo(tmp_path, write_soon):
    manual, downloads = tmp_path / 'manual', tmp_path / 'downloads'
    expected = {
        1: write_soon(manual / FILES[1].name, 50),
        2: write_soon(manual / 'soon' / FILES[2].name, 50),
        15: write_soon(downloads / 'soon' / FILES[15].name, 50),
    }
    write_soon(downloads / FILES[1].name, 50)
    downloader = FakeDownloader(write_soon)
    assert resolve_files(TINY, manual, downloads, downloader=downloader) == expected
    assert downloader.urls == []


def test_only_missing_files_are_fetched_under_quoted_names_and_kept(tmp_path, write_soon):
    manual, downloads = tmp_path / 'manual', tmp_path / 'downloads'
    write_soon(manual / FILES[2].name, 50)
    downloader = FakeDownloader(write_soon)
    paths = resolve_files(TINY, manual, downloads, downloader=downloader)
    assert list(paths) == list(NUMBERS)
    assert downloader.urls == [FILES[1].url, FILES[15].url]
    assert downloader.urls[0] == (
        'https://zenodo.org/records/6473455/files/01%20-%20m1_half_shaft_speed_no_mechanical_load.csv?download=1'
    )
    assert paths[15] == downloads / 'soon' / FILES[15].name
    again = FakeDownloader(write_soon)
    assert resolve_files(TINY, manual, downloads, downloader=again) == paths
    assert again.urls == []


def test_without_network_all_missing_files_are_named_and_the_configs_that_fit(tmp_path, write_soon):
    for number in range(1, 15):
        write_soon(tmp_path / FILES[number].name, 50)
    downloader = FakeDownloader(write_soon, {'all': NetworkUnreachableError('no connection to zenodo.org')})
    with pytest.raises(DataError) as caught:
        resolve_files(SUBSETS['all'], tmp_path, tmp_path / 'downloads', downloader=downloader)
    text = str(caught.value)
    assert len(downloader.urls) == 1
    assert 'SOON all: 16 of 30 files are missing' in text
    assert [f'{FILES[n].name!r}' in text for n in FILES] == [False] * 14 + [True] * 16
    assert f'put them into `manual_dir`={tmp_path}, or' in text
    assert 'what stopped that: no connection to zenodo.org.' in text
    assert text.endswith('The files that are there suffice for the configs m1_alone.')


def test_refused_file_does_not_hold_up_the_others(tmp_path, write_soon):
    downloader = FakeDownloader(write_soon, {1: DataError('status 404'), 15: DataError('status 410')})
    with pytest.raises(DataError, match=r"2 of 3 files are missing: '01 - .*\.csv', '15 - .*status 404\.$"):
        resolve_files(TINY, None, tmp_path, downloader=downloader)
    assert len(downloader.urls) == 3
    assert files_in(tmp_path) == [FILES[2].name]


def test_what_does_not_read_as_a_recording_is_not_kept(tmp_path, write_soon):
    downloader = FakeDownloader(write_soon, text='Timestamp,AccX,AccY\n0,1,2\n1876,3,4\n')
    with pytest.raises(DataError, match='3 of 3 files are missing.*AccZ is missing'):
        resolve_files(TINY, None, tmp_path, downloader=downloader)
    assert files_in(tmp_path) == []


def test_strangers_in_the_folder_are_ignored_and_named(says, tmp_path, write_soon):
    for n in range(7):
        write_soon(tmp_path / 'soon' / f'copy {n}.csv', 50)
    (tmp_path / '6473455.zip').write_bytes(b'PK')
    (tmp_path / 'readme.md').write_text('x')
    with pytest.raises(DataError) as caught:
        resolve_files(TINY, tmp_path, None)
    assert says(
        str(caught.value),
        "no download folder ... '6473455.zip', 'copy 0.csv', 'copy 1.csv', "
        "'copy 2.csv', 'copy 3.csv' and 3 more: unpack archives, ... names on Zenodo",
    )


def test_template_needs_a_place_for_the_name(tmp_path):
    with pytest.raises(DataError, match=r"'https://example\.org/files' has no '\{NAME\}'"):
        resolve_files(TINY, tmp_path, tmp_path, url_template='https://example.org/files')


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server of the folder tmp_path/site on this machine: (folder, address, paths asked for)."""
    monkeypatch.setenv('no_proxy', '127.0.0.1')
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            del args
            asked.append(self.path)

    site = tmp_path / 'site'
    site.mkdir()
    httpd = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Handler, directory=str(site)))
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield site, f'http://127.0.0.1:{httpd.server_address[1]}', asked
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def test_files_come_over_http_and_a_record_that_holds_something_else_is_told(says, tmp_path, server, write_soon):
    site, address, asked = server
    template = URL_TEMPLATE.replace('https://zenodo.org', address)
    folder = site / 'records' / '6473455' / 'files'
    write_soon(folder / FILES[1].name, 50)
    (folder / FILES[2].name).write_text('<!DOCTYPE html><html>maintenance</html>')
    downloads = tmp_path / 'downloads'
    with pytest.raises(DataError) as caught:
        resolve_files(TINY, None, downloads, url_template=template)
    assert files_in(downloads) == [FILES[1].name]
    assert says(str(caught.value), '2 of 3 files ... missing')
    assert says(str(caught.value), 'HTML')
    assert says(str(caught.value), 'unpack ... archive')
    names = {pathlib.PurePosixPath(urllib.parse.unquote(urllib.parse.urlsplit(path).path)).name for path in asked}
    assert names == {FILES[n].name for n in NUMBERS}
    write_soon(folder / FILES[2].name, 50)
    write_soon(folder / FILES[15].name, 50)
    assert list(resolve_files(TINY, None, downloads, url_template=template)) == list(NUMBERS)
