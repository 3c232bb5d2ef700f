"""musicnn_vgg: which patches reach which stage, and options and patches that are refused."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import pytest

from fdx.models import create_model
from fdx.models.musicnn_vgg import DEPTH, POOLS, deepest_stage, smallest_map
from fdx.types import ConfigError


def slim(**options):
    return create_model('musicnn_vgg', 3, **{'width_multiplier': 1 / 32, **options})


def sizes_after(frames, bands):
    """(frames, bands) after every stage that leaves any, by counting the places of the cell one by one."""
    found = []
    for cell, stride in POOLS:
        frames, bands = (
            sum(1 for start in range(0, n, s) if start + c <= n) for n, c, s in zip((frames, bands), cell, stride)
        )
        if not frames or not bands:
            break
        found.append((frames, bands))
    return found


def test_deepest_stage_is_the_last_one_that_leaves_a_value():
    for frames, bands in itertools.product((*range(0, 80), 187), (1, 14, 15, 30, 62, 63, 96)):
        assert deepest_stage(frames, bands) == len(sizes_after(frames, bands)), (frames, bands)
    assert [deepest_stage(n) for n in (3, 4, 61, 65, 66, 187)] == [0, 1, 4, 4, 5, 5]
    for depth in range(1, DEPTH + 1):
        frames, bands = smallest_map(depth)
        assert sizes_after(frames, bands)[depth - 1] == (1, 1)
        assert deepest_stage(frames - 1, 96) < depth
        assert deepest_stage(96, bands - 1) < depth


@pytest.mark.parametrize('frames', [4, 18, 61, 66, 187])
def test_any_length_that_reaches_the_depth(frames):
    model = slim(depth=deepest_stage(frames))
    (_, features), _ = jax.eval_shape(
        lambda x: model.init_with_output(jax.random.key(0), x), jax.ShapeDtypeStruct((2, frames, 96, 1), jnp.float32)
    )
    assert [features[s].shape[1:3] for s in model.STAGES[:-1]] == sizes_after(frames, 96)
    assert features['head'].shape == (2, 3)


@pytest.mark.parametrize(
    ('options', 'shape', 'call', 'text'),
    [
        ({}, (61, 96, 1), {}, '66 frames x 63 bands.*61 x 96: .*depth.*=4'),
        ({'depth': 2}, (5, 96, 1), {}, '=2 .*6 frames x 3 bands.*5 x 96: .*depth.*=1'),
        ({'depth': 1}, (3, 96, 1), {}, '4 frames x 1 bands.*3 x 96: no depth fits'),
        ({}, (96, 20, 1), {'stop': 1}, '96 x 20: .*depth.*=4'),
        ({}, (7, 12, 4), {'start': 3}, '8 frames x 8 bands .*stage4, not 7 x 12'),
        ({'head_input': 'flatten'}, (188, 96, 1), {}, '187 frames x 96 bands, not 188 x 96: .*pooled'),
    ],
)
def test_patches_that_are_too_small_are_refused_when_traced(options, shape, call, text):
    model = slim(**options)
    with pytest.raises(ConfigError, match=text):
        jax.eval_shape(lambda x: model.init_with_output(jax.random.key(0), x, **call), jnp.zeros((1, *shape)))


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        ({'depth': 0}, 'depth.*=0 .*from 1 to 5'),
        ({'depth': 6}, 'depth.*=6 '),
        ({'depth': 3.0}, 'depth.*=3.0 '),
        ({'width_multiplier': 0.0}, 'width_multiplier.*=0.0 '),
        ({'head_input': 'mean'}, "head_input.*='mean' .*pooled or flatten"),
        ({'head_input': 'flatten', 'depth': 4}, 'head_input.*=flatten .*depth=5, not 4: take pooled'),
    ],
)
def test_options_that_cannot_be_are_refused(options, text):
    with pytest.raises(ConfigError, match=text):
        slim(**options)
