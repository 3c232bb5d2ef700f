"""Downloads and the cache, against a server on this machine."""

from __future__ import annotations

import hashlib
import json
import pathlib

import numpy as np
import pytest

from fdx.types import WeightsError
from fdx.weights.audioset import fetch_audioset_vggish
from fdx.weights.cache import cache_folder, download_file
from fdx.weights.convert import convert_file
from fdx.weights.files import load_weights, manifest_path
from fdx.weights.vggish import convert_vggish


def test_a_file_is_downloaded_whole(server, tmp_path):
    body = np.random.default_rng(0).bytes(2_500_000)
    url = server.give('/a.bin', body)
    steps = []
    digest = hashlib.sha256(body).hexdigest()
    path = download_file(
        url, tmp_path / 'new' / 'a.bin', sha256_prefix=digest[:8].upper(), progress=lambda *s: steps.append(s)
    )
    assert path.read_bytes() == body
    assert steps[-1] == (2_500_000, 2_500_000) and len(steps) > 1
    assert [p.name for p in path.parent.iterdir()] == ['a.bin']


def test_a_server_may_keep_the_length_to_itself(server, tmp_path):
    steps = []
    url = server.give('/a.bin', b'12345', length=-1)
    path = download_file(url, tmp_path / 'a.bin', progress=lambda *s: steps.append(s))
    assert path.read_bytes() == b'12345'
    assert steps == [(5, None)]


@pytest.mark.parametrize(
    ('answer', 'words'),
    [
        ({'body': b'x', 'status': 404}, 'status 404'),
        ({'body': b'x', 'status': 503}, 'status 503'),
        ({'body': b'12345', 'length': 9}, '5 of 9 bytes'),
        ({'body': b''}, 'sent 0 bytes'),
        ({'body': b'plain', 'Content_Type': 'text/html; charset=utf-8'}, 'an HTML page'),
        ({'body': b'\n <!DOCTYPE HTML><p>Log in'}, 'an HTML page'),
        ({'body': b'12345', 'Content_Length': 'many', 'length': -1}, 'it must begin with 00000000'),
        ({'body': b'12345'}, 'it must begin with 00000000'),
    ],
)
def test_a_failed_download_leaves_nothing(answer, words, server, tmp_path):
    url = server.give('/a.bin', **answer)
    target = tmp_path / 'a.bin'
    with pytest.raises(WeightsError) as e:
        download_file(url, target, sha256_prefix='00000000')
    assert words in str(e.value)
    assert url in str(e.value) and str(target) in str(e.value)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_download_leaves_the_older_file(server, tmp_path):
    (tmp_path / 'a.bin').write_bytes(b'old')
    with pytest.raises(WeightsError):
        download_file(server.give('/a.bin', b'12345', length=9), tmp_path / 'a.bin')
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {'a.bin': b'old'}


def test_an_interrupted_download_leaves_nothing(server, tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download_file(server.give('/a.bin', b'12345'), tmp_path / 'a.bin', progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_no_server_and_other_addresses(server, tmp_path):
    server.http.socket.close()
    with pytest.raises(WeightsError, match='no connection to'):
        download_file(server.base + '/a.bin', tmp_path / 'a.bin', timeout_s=2.0)
    (tmp_path / 'secret').write_text('x')
    with pytest.raises(WeightsError, match='http:// or https://'):
        download_file((tmp_path / 'secret').as_uri(), tmp_path / 'a.bin')
    assert [p.name for p in tmp_path.iterdir()] == ['secret']


def test_the_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.delenv('FDX_CACHE', raising=False)
    assert cache_folder() == tmp_path / '.cache' / 'fdx'
    monkeypatch.setenv('FDX_CACHE', str(tmp_path / 'c'))
    assert cache_folder() == tmp_path / 'c'
    assert cache_folder('~/d') == tmp_path / 'd'
    assert cache_folder(tmp_path / 'e') == tmp_path / 'e'


@pytest.fixture
def payload(slim_state, torch_bytes):
    """A small stand-in for the 288 MB file, PCA included, and its digest."""
    raw = torch_bytes.state_file({**slim_state, 'pproc.pca_means': np.zeros((2, 1), np.float32)}, 'stream')
    return raw, hashlib.sha256(raw).hexdigest()


def test_vggish_is_downloaded_and_converted_once(server, tmp_path, payload, slim_state, slim_width, monkeypatch):
    raw, digest = payload
    monkeypatch.setenv('FDX_CACHE', str(tmp_path / 'cache'))
    url = server.give('/v0.1/vggish-tiny.pth', raw)
    paths = [fetch_audioset_vggish(url=url, sha256_prefix=digest[:8], width_multiplier=slim_width) for _ in range(2)]
    assert server.asked == ['/v0.1/vggish-tiny.pth']
    assert paths == [tmp_path / 'cache' / 'vggish-tiny.safetensors'] * 2
    params, manifest = load_weights(paths[0])
    np.testing.assert_array_equal(params['fc1']['kernel'], slim_state['embeddings.0.weight'].T)
    assert len(convert_vggish(slim_state, width_multiplier=slim_width)) == len(params)
    assert {k: manifest[k] for k in ('model', 'origin', 'source_sha256', 'licence')} == {
        'model': 'vggish',
        'origin': url,
        'source_sha256': digest,
        'licence': 'Apache-2.0',
    }


def test_a_file_put_there_by_hand_is_used(tmp_path, payload, slim_width, server):
    raw, digest = payload
    (tmp_path / 'vggish-tiny.pth').write_bytes(raw)
    path = fetch_audioset_vggish(
        tmp_path, server.base + '/vggish-tiny.pth', sha256_prefix=digest[:8], width_multiplier=slim_width
    )
    assert server.asked == []
    assert path.exists() and manifest_path(path).exists()
    (tmp_path / 'vggish-tiny.pth').unlink()
    manifest_path(path).unlink()
    with pytest.raises(WeightsError, match='404'):  # half a pair is not trusted
        fetch_audioset_vggish(tmp_path, server.base + '/vggish-tiny.pth', sha256_prefix=digest[:8])


def test_without_a_network_the_error_names_the_address_and_the_folder(server, tmp_path):
    with pytest.raises(WeightsError) as e:
        fetch_audioset_vggish(tmp_path, server.base + '/vggish-tiny.pth')
    assert f'{server.base}/vggish-tiny.pth' in str(e.value)
    assert f'put it at {tmp_path / "vggish-tiny.pth"}' in str(e.value)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_file_by_hand_is_refused_and_left(tmp_path, server):
    given = tmp_path / 'vggish-tiny.pth'
    given.write_bytes(b'something else')
    with pytest.raises(WeightsError, match=r'vggish-tiny\.pth: .*SHA-256 .* 10086976; delete it'):
        fetch_audioset_vggish(tmp_path, server.base + '/vggish-tiny.pth')
    assert [p.name for p in tmp_path.iterdir()] == ['vggish-tiny.pth']
    with pytest.raises(WeightsError, match='names no .pth file'):
        fetch_audioset_vggish(tmp_path, server.base + '/')


def test_conversion_that_fails_leaves_no_target(tmp_path, slim_pth):
    with pytest.raises(WeightsError, match=r'(?s)slim\.pth: .*torchvggish.*\n- features'):
        convert_file('vggish', slim_pth, tmp_path / 'out.safetensors', licence='x')
    with pytest.raises(WeightsError, match=r'ends in \.safetensors'):
        convert_file('vggish', slim_pth, tmp_path / 'out.npz', licence='x')
    assert [p.name for p in tmp_path.iterdir()] == ['slim.pth']


def test_the_manifest_names_no_folder_of_this_machine(tmp_path, slim_pth, slim_width):
    target = pathlib.Path(tmp_path / 'out.safetensors')
    convert_file('vggish', slim_pth, target, licence='x', width_multiplier=slim_width)
    text = manifest_path(target).read_text()
    assert str(tmp_path) not in text
    assert json.loads(text)['origin'] == 'slim.pth'
    assert json.loads(text)['options'] == {'width_multiplier': slim_width}
