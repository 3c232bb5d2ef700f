"""ImageNet's ResNet-50, fetched from a server on this machine."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from fdx.types import ConfigError, WeightsError
from fdx.weights.files import load_weights, manifest_path
from fdx.weights.imagenet import FOLDER_URL, fetch_imagenet_resnet50, version_digits


@pytest.fixture
def payload(resnet_state, torch_bytes):
    """A small stand-in for the 102 MB file, and its digest."""
    raw = torch_bytes.state_file(resnet_state)
    return raw, hashlib.sha256(raw).hexdigest()


def test_versions_and_their_digits():
    """The digits are those of torchvision's ResNet50_Weights, IMAGENET1K_V1 and IMAGENET1K_V2."""
    names = {'v1': '0676ba61', 'v2': '11ad3fa6', '0676ba61': '0676ba61', '11ad3fa6': '11ad3fa6'}
    assert {name: version_digits(name) for name in names} == names
    assert FOLDER_URL == 'https://download.pytorch.org/models'


@pytest.mark.parametrize('version', ['v3', '', '11AD3FA6', '11ad'])
def test_an_unknown_version_lists_the_known(says, version, tmp_path, server):
    with pytest.raises(ConfigError) as e:
        fetch_imagenet_resnet50(version, tmp_path, folder_url=server.base)
    assert says(str(e.value), f'`weights_version`={version}: ... resnet50 ... v1 (0676ba61), v2 (11ad3fa6)')
    assert server.asked == [] and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(('version', 'name'), [('v2', 'resnet50-11ad3fa6'), ('0676ba61', 'resnet50-0676ba61')])
def test_it_is_downloaded_and_converted_once(
    version, name, server, tmp_path, payload, slim_resnet, resnet_state, monkeypatch
):
    raw, digest = payload
    monkeypatch.setenv('FDX_CACHE', str(tmp_path / 'cache'))
    url = server.give(f'/models/{name}.pth', raw)
    steps = []
    paths = [
        fetch_imagenet_resnet50(
            version,
            folder_url=f'{server.base}/models',
            sha256_prefix=digest[:8],
            progress=lambda *s: steps.append(s),
            **slim_resnet,
        )
        for _ in range(2)
    ]
    assert server.asked == [f'/models/{name}.pth']
    assert steps[-1] == (len(raw), len(raw))
    assert paths == [tmp_path / 'cache' / f'{name}.safetensors'] * 2
    tree, manifest = load_weights(paths[0])
    np.testing.assert_array_equal(tree['head']['kernel'], resnet_state['fc.weight'].T)
    np.testing.assert_array_equal(tree['batch_stats']['stem']['bn']['mean'], resnet_state['bn1.running_mean'])
    facts = ('model', 'origin', 'source_sha256', 'licence', 'num_classes', 'arrays')
    assert [manifest[fact] for fact in facts] == ['resnet50', url, digest, 'BSD-3-Clause', 7, 102]
    assert manifest == json.loads(manifest_path(paths[0]).read_text())


def test_the_default_is_v2_and_its_name_is_the_check(says, server, tmp_path, payload):
    """A file with other digits than its name has is refused, and nothing of it stays."""
    server.give('/resnet50-11ad3fa6.pth', payload[0])
    with pytest.raises(WeightsError) as e:
        fetch_imagenet_resnet50(cache_dir=tmp_path, folder_url=server.base)
    assert server.asked == ['/resnet50-11ad3fa6.pth']
    assert says(str(e.value), f'{payload[1]}, ... 11ad3fa6')
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_the_error_names_the_address_and_the_folder(server, tmp_path):
    server.http.socket.close()
    with pytest.raises(WeightsError, match='no connection to') as e:
        fetch_imagenet_resnet50('v1', tmp_path, folder_url=server.base)
    assert f'{server.base}/resnet50-0676ba61.pth' in str(e.value)
    assert f'put it at {tmp_path / "resnet50-0676ba61.pth"}' in str(e.value)
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_breaks_off_leaves_nothing(server, tmp_path, payload):
    raw, digest = payload
    server.give('/resnet50-11ad3fa6.pth', raw[:1000], length=len(raw))
    with pytest.raises(WeightsError, match=f'1000 of {len(raw)} bytes'):
        fetch_imagenet_resnet50(cache_dir=tmp_path, folder_url=server.base, sha256_prefix=digest[:8])
    assert list(tmp_path.iterdir()) == []


def test_a_file_put_there_by_hand_is_checked_and_used(server, tmp_path, payload, slim_resnet):
    """As after a conversion that was stopped: the downloaded file is there, half of the converted pair too."""
    raw, digest = payload
    given = tmp_path / 'resnet50-11ad3fa6.pth'
    given.write_bytes(raw)
    (tmp_path / 'resnet50-11ad3fa6.safetensors').write_bytes(b'half')
    with pytest.raises(WeightsError, match=r'resnet50-11ad3fa6\.pth: .*SHA-256 .* 11ad3fa6; delete it'):
        fetch_imagenet_resnet50(cache_dir=tmp_path, folder_url=server.base)
    path = fetch_imagenet_resnet50(cache_dir=tmp_path, folder_url=server.base, sha256_prefix=digest[:8], **slim_resnet)
    assert server.asked == []
    assert load_weights(path)[1]['source_sha256'] == digest


def test_other_arrays_are_refused_and_no_target_is_left(server, tmp_path, payload):
    raw, digest = payload
    server.give('/resnet50-11ad3fa6.pth', raw)
    with pytest.raises(WeightsError, match=r'resnet50 (.|\n)*\n- bn1\.bias \[64\]\n\+ bn1\.bias \[4\]'):
        fetch_imagenet_resnet50(cache_dir=tmp_path, folder_url=server.base, sha256_prefix=digest[:8])
    assert [p.name for p in tmp_path.iterdir()] == ['resnet50-11ad3fa6.pth']
