"""Downloads from a server on this machine: the good file, and every bad answer, after which nothing is left behind."""

import contextlib
import fcntl
import gzip
import http.server
import socket
import threading
import time

import pytest

from fdx.data.download import NetworkUnreachable, download, looks_like_html
from fdx.types import DataError

PAYLOAD = bytes(range(256)) * 800  # 200 KiB: several pieces of 64 KiB


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers by path; each path is one way a server can behave."""

    def log_message(self, *args):
        pass

    def _answer(self, body, *, status=200, kind='application/octet-stream', announced=None, headers=()):
        self.send_response(status)
        if kind:
            self.send_header('Content-Type', kind)
        if announced != 'none':
            self.send_header('Content-Length', str(len(body) if announced is None else announced))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _drip(self, piece, pause_s):
        """Sends for ever, or until the other side has had enough."""
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):
            while not self.server.released.wait(pause_s):
                self.wfile.write(piece)

    def answer(self):
        if self.path == '/good':
            self._answer(PAYLOAD)
        elif self.path == '/unannounced':
            self._answer(PAYLOAD, announced='none')
        elif self.path == '/half':
            self._answer(PAYLOAD[:100_000], announced=len(PAYLOAD))
        elif self.path == '/chunked_half':
            self._answer(b'ff\r\nabc', announced='none', headers=[('Transfer-Encoding', 'chunked')])
        elif self.path == '/empty':
            self._answer(b'')
        elif self.path == '/html_by_type':
            self._answer(b'We are moving.', kind='text/html; charset=utf-8')
        elif self.path == '/html_by_content':
            self._answer(b'\xef\xbb\xbf \n<!DOCTYPE html><p>lost', kind=None)
        elif self.path == '/login':
            self._answer(b'', status=302, headers=[('Location', '/html_by_type')])
        elif self.path == '/moved':
            self._answer(b'', status=302, headers=[('Location', '/good')])
        elif self.path == '/broken':
            self._answer(b'oops', status=503)
        elif self.path == '/part':
            self._answer(PAYLOAD, status=206, headers=[('Content-Range', f'bytes 0-{len(PAYLOAD) - 1}/999999')])
        elif self.path == '/nothing':
            self._answer(b'', status=204)
        elif self.path == '/gzip':
            self._answer(gzip.compress(PAYLOAD), headers=[('Content-Encoding', 'gzip')])
        elif self.path == '/endless':
            self._drip(b'x' * 4096, pause_s=0.0)
        elif self.path == '/drip':
            self._drip(b'x', pause_s=0.05)
        elif self.path == '/slow_headers':
            for _ in range(100):
                self.wfile.write(b'H')
                self.server.released.wait(0.05)
        elif self.path == '/silent':
            self.server.released.wait(5)
        else:
            self.send_error(404)


# The base class looks for a method of this name, which is not one of ours.
Handler = type('Handler', (Answers,), {'do_GET': Answers.answer})


@pytest.fixture(scope='module')
def site():
    httpd = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    httpd.daemon_threads = True
    httpd.released = threading.Event()
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f'http://127.0.0.1:{httpd.server_address[1]}'
    httpd.released.set()
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv('no_proxy', '127.0.0.1')


def _error(url, folder, kind=DataError, **options):
    """The message of the failure, after a check that the folder is as it was."""
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(kind) as caught:
        download(url, folder / 'file.mat', **options)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert type(caught.value) is kind or kind is not DataError
    assert url in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize('path', ['/good', '/unannounced', '/moved'])
def test_good_file_arrives_whole_and_alone(site, tmp_path, path):
    target = tmp_path / 'new' / 'file.mat'
    assert download(site + path, target) == target
    assert target.read_bytes() == PAYLOAD
    assert [p.name for p in target.parent.iterdir()] == ['file.mat']


def test_good_file_takes_the_place_of_an_older_one(site, tmp_path):
    target = tmp_path / 'file.mat'
    target.write_bytes(b'old')
    download(site + '/good', str(target))
    assert target.read_bytes() == PAYLOAD


def test_progress_counts_up_to_the_announced_size(site, tmp_path):
    calls = []
    download(site + '/good', tmp_path / 'a', progress=lambda size, total: calls.append((size, total)))
    assert calls[-1] == (len(PAYLOAD), len(PAYLOAD))
    assert len(calls) == 4
    assert [size for size, _ in calls] == sorted({size for size, _ in calls})
    calls.clear()
    download(site + '/unannounced', tmp_path / 'b', progress=lambda size, total: calls.append((size, total)))
    assert calls[-1] == (len(PAYLOAD), None)


@pytest.mark.parametrize(
    ('path', 'said'),
    [
        ('/nothing_here', 'status 404 (Not Found)'),
        ('/broken', 'status 503'),
        ('/half', '100000 of 204800 bytes'),
        ('/chunked_half', 'broke off in the middle'),
        ('/empty', 'sent 0 bytes, and at least 1'),
        ('/html_by_type', "HTML ... b'We are moving.'"),
        ('/html_by_content', 'HTML'),
    ],
)
def test_bad_answers_are_told_apart_and_leave_nothing(says, site, tmp_path, path, said):
    assert says(_error(site + path, tmp_path), said)


def test_failure_keeps_the_older_file(site, tmp_path):
    (tmp_path / 'file.mat').write_bytes(b'old')
    _error(site + '/half', tmp_path)
    assert (tmp_path / 'file.mat').read_bytes() == b'old'


def test_redirect_to_a_page_names_where_it_led(site, tmp_path):
    assert f'after a redirect to {site}/html_by_type' in _error(site + '/login', tmp_path)


def test_min_bytes(site, tmp_path):
    assert 'at least 204801 were expected' in _error(site + '/good', tmp_path, min_bytes=204801)
    assert download(site + '/good', tmp_path / 'file.mat', min_bytes=204800).stat().st_size == 204800


def test_looks_right_sees_the_whole_file_and_can_refuse_it(site, tmp_path):
    seen = []

    def refuse(path):
        seen.append((path.parent, path.read_bytes()))
        return 'it is a cake'

    assert 'something other than the file asked for: it is a cake' in _error(
        site + '/good', tmp_path, looks_right=refuse
    )
    assert seen == [(tmp_path, PAYLOAD)]
    assert download(site + '/good', tmp_path / 'file.mat', looks_right=lambda path: None).is_file()


def test_check_that_fails_itself_leaves_nothing(site, tmp_path):
    def stumble(path):
        raise KeyError('x')

    with pytest.raises(KeyError):
        download(site + '/good', tmp_path / 'file.mat', looks_right=stumble)
    assert list(tmp_path.iterdir()) == []


def test_closed_port_is_an_unreachable_network(tmp_path):
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))  # bound but not listening: connections are refused
        url = f'http://127.0.0.1:{taken.getsockname()[1]}/97.mat'
        assert 'refused' in _error(url, tmp_path, NetworkUnreachable)


def test_silence_is_an_unreachable_network(site, tmp_path):
    assert 'timed out' in _error(site + '/silent', tmp_path, NetworkUnreachable, timeout_s=0.2)


@pytest.mark.parametrize('url', ['file:///97.mat', 'ftp://host/97.mat', '97.mat'])
def test_only_http_addresses(tmp_path, url):
    assert 'must begin with http:// or https://' in _error(url, tmp_path)


def test_malformed_address(tmp_path):
    assert 'check the address' in _error('http://127.0.0.1:many/97.mat', tmp_path)


def test_target_that_cannot_be_written(site, tmp_path):
    (tmp_path / 'folder').write_bytes(b'a file')
    with pytest.raises(DataError, match=r'folder/97\.mat: File exists.*another folder'):
        download(site + '/good', tmp_path / 'folder' / '97.mat')
    assert (tmp_path / 'folder').read_bytes() == b'a file'


@pytest.mark.parametrize(
    ('head', 'html'),
    [
        (b'<html><body>', True),
        (b'  \r\n<!DocType HTML PUBLIC', True),
        (b'MATLAB 5.0 MAT-file', False),
        (b'<?xml version', False),
        (b'', False),
    ],
)
def test_looks_like_html(head, html):
    assert looks_like_html(head) is html


@pytest.mark.parametrize(
    ('path', 'said'),
    [
        ('/part', 'status 206 (Partial Content)'),
        ('/nothing', 'status 204'),
        ('/gzip', "compressed ... 'gzip'"),
    ],
)
def test_what_is_not_the_file_itself_is_refused(says, site, tmp_path, path, said):
    assert says(_error(site + path, tmp_path), said)


def test_an_announced_size_beyond_the_bound_is_refused_before_the_first_byte(site, tmp_path):
    calls = []
    message = _error(site + '/good', tmp_path, max_bytes=len(PAYLOAD) - 1, progress=lambda *c: calls.append(c))
    assert f'more than {len(PAYLOAD) - 1} bytes ({len(PAYLOAD)} so far or announced)' in message
    assert calls == []
    download(site + '/good', tmp_path / 'file.mat', max_bytes=len(PAYLOAD))


def test_a_body_without_end_is_cut_off_at_the_bound(site, tmp_path):
    assert 'more than 1000000 bytes' in _error(site + '/endless', tmp_path, max_bytes=1_000_000)


@pytest.mark.parametrize(('path', 'kind'), [('/drip', DataError), ('/slow_headers', NetworkUnreachable)])
def test_time_is_bounded_over_the_whole_download_and_not_each_read_alone(site, tmp_path, path, kind):
    began = time.monotonic()
    assert 'within 0.5 s' in _error(site + path, tmp_path, kind, max_seconds=0.5, timeout_s=30)
    assert time.monotonic() - began < 3


def test_the_part_of_a_killed_download_is_removed_and_that_of_a_living_one_is_not(site, tmp_path):
    killed, living = tmp_path / 'file.mat.0a1b2c3d.part', tmp_path / 'file.mat.ffffffff.part'
    others = [tmp_path / 'file.mat.part', tmp_path / 'other.mat.0a1b2c3d.part']
    for path in (killed, living, *others):
        path.write_bytes(b'half')
    with living.open('rb') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        download(site + '/good', tmp_path / 'file.mat')
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / 'file.mat', living, *others])
