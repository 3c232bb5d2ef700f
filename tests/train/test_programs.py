"""Programs that runs of one process share: which runs do, and that what differs is not shared."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from fdx.models import create_model
from fdx.train import parallel, programs
from fdx.train.augment import AUGMENT
from fdx.train.config import TrainConfig
from fdx.train.optimiser import make_optimiser, settings_of
from fdx.train.partition import trainable_mask
from fdx.train.programs import compiled_forward, compiled_step, forget_when_many, initial_variables
from fdx.train.steps import TrainState

SHAPE = (4, 3, 1)


@pytest.fixture
def model():
    return create_model('band_mlp', 3, axis_name=parallel.AXIS, dropout_rate=0.0, width_multiplier=1 / 16)


@pytest.fixture
def variables(model):
    return jax.device_get(initial_variables(model, SHAPE, 0))


def config(**changes):
    return TrainConfig(dataset='x', **{'learning_rate': 0.1, 'halve_every': 0, 'l2': 0.0, **changes})


def of(model, mask, *, steps_per_epoch=1, start=0, class_weights=None, augment=None, **changes):
    options = {'class_weights': class_weights, 'augment': augment}
    settings = settings_of(config(**changes))
    return compiled_step(model, settings, mask, steps_per_epoch=steps_per_epoch, start=start, **options)


def test_equal_runs_share_a_step_and_others_do_not(model, variables):
    mask = trainable_mask(variables['params'], [('train', '.*')])
    first = of(model, mask)
    assert of(model.clone(), dict(mask)) is first
    # Without a schedule nothing counts epochs; with one it does.
    assert of(model, mask, steps_per_epoch=7) is first
    assert of(model, mask, halve_every=1) is not of(model, mask, halve_every=1, steps_per_epoch=7)
    weights = (0.5, 1.0, 1.5)
    assert of(model, mask, class_weights=list(weights)) is of(model, mask, class_weights=np.array(weights))
    others = [
        of(model, trainable_mask(variables['params'], [('freeze', 'hidden/.*'), ('train', '(?!hidden/).*')])),
        of(model, mask, class_weights=weights),
        of(model, mask, class_weights=weights[::-1]),
        of(model, mask, augment=AUGMENT['mixup']),
        of(model, mask, start=1),
        *(of(model, mask, **change) for change in ({'learning_rate': 0.2}, {'l2': 0.1}, {'clip_norm': 1.0})),
        of(create_model('band_mlp', 3, axis_name=parallel.AXIS, dropout_rate=0.5, width_multiplier=1 / 16), mask),
    ]
    assert len({id(step) for step in [first, *others]}) == 1 + len(others)


def test_a_shared_step_computes_what_its_settings_say(model, variables):
    """The gradient's sign times the rate is Adam's first step, whichever step was compiled before."""
    rng = np.random.default_rng(0)
    batch = {'inputs': rng.standard_normal((6, *SHAPE)).astype(np.float32), 'labels': np.arange(6, dtype=np.int32) % 3}
    moved = {}
    mask = trainable_mask(variables['params'], [('train', '.*')])
    for rate in (0.1, 0.2, 0.1):
        optimiser = make_optimiser(config(learning_rate=rate), mask, 1)
        # A copy, because a step is given the memory of its state.
        params, stats = (jax.tree.map(np.array, variables[kind]) for kind in ('params', 'batch_stats'))
        state = TrainState(np.int32(0), np.int32(0), params, stats, {'params': {}}, optimiser.init(params))
        after, _ = of(model, mask, learning_rate=rate)(parallel.replicate(state), parallel.shard(batch, 6))
        step = np.asarray(after.params['head']['bias']) - variables['params']['head']['bias']
        np.testing.assert_array_equal(moved.setdefault(rate, step), step)
        np.testing.assert_allclose(np.abs(step), rate, rtol=1e-3)


def test_predictions_share_the_forward_pass_of_validation(model, variables):
    frozen = model.clone(frozen_norms=('hidden/bn',))
    assert compiled_forward(frozen) is compiled_forward(model)
    assert compiled_forward(model, feature='embedding') is not compiled_forward(model)
    assert compiled_forward(model, start=1) is not compiled_forward(model)
    batch = parallel.shard({'inputs': np.ones((2, *SHAPE), np.float32)}, 2)
    logits, _ = model.clone(axis_name=None).apply(variables, np.ones((2, *SHAPE), np.float32))
    np.testing.assert_allclose(compiled_forward(frozen)(variables, batch)[:2], logits, rtol=1e-5, atol=1e-6)


def test_initial_weights_follow_seed_shape_and_the_form_of_random_numbers(model, variables):
    again = initial_variables(model, SHAPE, 0)
    jax.tree.map(np.testing.assert_array_equal, again, variables)
    kernel = lambda tree: np.asarray(tree['params']['head']['kernel'])  # noqa: E731
    assert not np.array_equal(kernel(initial_variables(model, SHAPE, 1)), kernel(variables))
    assert initial_variables(model, (4, 5, 1), 0)['params'].keys() == variables['params'].keys()
    # The same program under other options of JAX is another program.
    other = not jax.config.jax_threefry_partitionable
    with jax.threefry_partitionable(other):
        changed = kernel(initial_variables(model, SHAPE, 0))
    assert not np.array_equal(changed, kernel(variables))


def test_programs_are_let_go_before_the_memory_maps_run_out(monkeypatch):
    cleared = []
    monkeypatch.setattr(programs.jax, 'clear_caches', lambda: cleared.append(1))
    forget_when_many()
    assert not cleared
    texts = {'/proc/self/maps': '\n' * 301, '/proc/sys/vm/max_map_count': '900'}
    monkeypatch.setattr(programs.pathlib.Path, 'read_bytes', lambda path: texts[str(path)].encode())
    monkeypatch.setattr(programs.pathlib.Path, 'read_text', lambda path: texts[str(path)])
    forget_when_many()
    assert cleared == [1]
