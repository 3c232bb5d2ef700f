"""The safetensors file and its manifest: both or neither, and each checked against the other."""

from __future__ import annotations

import hashlib
import json
import os
import re

import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy

import fdx
from fdx.types import WeightsError
from fdx.weights.files import load_weights, manifest_path, save_weights

FACTS = {'model': 'vggish', 'origin': 'https://example.org/a.pth', 'source_sha256': 'ab' * 32, 'licence': 'Apache-2.0'}


def params():
    return {
        'stage1': {'conv1': {'kernel': np.arange(18, dtype=np.float32).reshape(3, 3, 1, 2)}},
        'fc1': {'bias': jnp.array([0.5, -1.0]), 'half': np.array([1.5], np.float16)},
    }


def test_what_is_saved_is_loaded(tmp_path):
    path = tmp_path / 'w.safetensors'
    written = save_weights(path, params(), FACTS)
    tree, manifest = load_weights(path)
    assert tree['stage1']['conv1']['kernel'].tolist() == params()['stage1']['conv1']['kernel'].tolist()
    assert tree['fc1']['bias'].tolist() == [0.5, -1.0]
    assert tree['fc1']['half'].dtype == np.float16
    assert set(safetensors.numpy.load_file(path)) == {'stage1/conv1/kernel', 'fc1/bias', 'fc1/half'}
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    expected = {**FACTS, 'sha256': digest, 'fdx_version': fdx.__version__, 'arrays': 3, 'parameters': 21}
    assert manifest == written == expected == json.loads(manifest_path(path).read_text())
    assert sorted(p.name for p in tmp_path.iterdir()) == ['w.safetensors', 'w.safetensors.json']
    assert path.stat().st_mode == manifest_path(path).stat().st_mode


def test_the_same_weights_give_the_same_bytes(tmp_path):
    for name in ('a', 'b'):
        (tmp_path / name).mkdir()
        save_weights(tmp_path / name / 'w.safetensors', params(), FACTS)
    for name in ('w.safetensors', 'w.safetensors.json'):
        assert (tmp_path / 'a' / name).read_bytes() == (tmp_path / 'b' / name).read_bytes()


def test_transposed_views_are_saved_by_value(tmp_path):
    kernel = np.arange(6, dtype=np.float32).reshape(2, 3).T
    save_weights(tmp_path / 'w.safetensors', {'fc': {'kernel': kernel}}, FACTS)
    assert load_weights(tmp_path / 'w.safetensors')[0]['fc']['kernel'].tolist() == [[0, 3], [1, 4], [2, 5]]


def test_a_file_without_manifest_is_accepted(tmp_path):
    safetensors.numpy.save_file({'fc/kernel': np.ones((2, 2), np.float32)}, tmp_path / 'w.safetensors')
    tree, manifest = load_weights(tmp_path / 'w.safetensors')
    assert manifest == {}
    assert tree['fc']['kernel'].tolist() == [[1, 1], [1, 1]]


def test_a_file_that_is_not_its_manifests_is_an_error(tmp_path):
    path = tmp_path / 'w.safetensors'
    save_weights(path, params(), FACTS)
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(
        WeightsError, match=r'w\.safetensors: .*SHA-256 .*\w{16}\.\.\., .*manifest .*\w{16}\.\.\..*again'
    ):
        load_weights(path)


@pytest.mark.parametrize('text', ['{', '[]', '{}', '{"sha256": 3}', '\ud800'])
def test_a_damaged_manifest_is_an_error(text, tmp_path):
    path = tmp_path / 'w.safetensors'
    save_weights(path, params(), FACTS)
    manifest_path(path).write_bytes(text.encode('utf-8', 'surrogatepass'))
    with pytest.raises(WeightsError, match=r'w\.safetensors\.json: not a manifest'):
        load_weights(path)


def test_every_cut_of_the_file_is_an_error(tmp_path):
    path = tmp_path / 'w.safetensors'
    save_weights(path, params(), FACTS)
    manifest_path(path).unlink()
    raw = path.read_bytes()
    for size in range(len(raw)):
        path.write_bytes(raw[:size])
        with pytest.raises(WeightsError, match=r'w\.safetensors: not a whole .*again'):
            load_weights(path)
    with pytest.raises(WeightsError, match=r'absent\.safetensors: cannot be read'):
        load_weights(tmp_path / 'absent.safetensors')


@pytest.mark.parametrize('lacking', sorted(FACTS))
def test_a_manifest_must_say_where_weights_come_from(lacking, tmp_path):
    facts = {k: v for k, v in FACTS.items() if k != lacking}
    with pytest.raises(WeightsError, match=re.escape(f'the manifest lacks {lacking}')):
        save_weights(tmp_path / 'w.safetensors', params(), facts)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_nothing_new(tmp_path):
    path = tmp_path / 'w.safetensors'
    with pytest.raises(WeightsError, match='cannot be written'):
        save_weights(path, params(), {**FACTS, 'extra': object()})
    with pytest.raises(WeightsError, match='there is no array'):
        save_weights(path, {}, FACTS)
    with pytest.raises(WeightsError, match='cannot be written'):
        save_weights(tmp_path / 'no' / 'w.safetensors', params(), FACTS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('existed', [False, True])
def test_the_pair_is_replaced_together_or_not_at_all(existed, tmp_path, monkeypatch):
    path = tmp_path / 'w.safetensors'
    if existed:
        save_weights(path, {'fc': {'bias': np.zeros(3, np.float32)}}, FACTS)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    replace = os.replace

    def failing(source, target):
        if str(target).endswith('.json'):
            raise OSError('disk full')
        replace(source, target)

    monkeypatch.setattr(os, 'replace', failing)
    with pytest.raises(WeightsError, match='disk full'):
        save_weights(path, params(), FACTS)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    monkeypatch.undo()
    save_weights(path, params(), FACTS)
    assert sorted(p.name for p in tmp_path.iterdir()) == ['w.safetensors', 'w.safetensors.json']
    assert load_weights(path)[1]['parameters'] == 21
