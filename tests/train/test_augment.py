"""Mixup and SpecAugment: what they make of a batch, by key and on any number of devices, and the step around them."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.stats

from fdx.train import parallel
from fdx.train.augment import LARGEST_SHARE, MASKS, MIXUP_ALPHA, specaugment
from fdx.train.partition import apply_updates, join_variables, stop_frozen_gradients


@pytest.fixture(scope='module')
def program(load_program):
    return load_program('augment_program.py')


@pytest.fixture(scope='module')
def mixed(program):
    """mixed(seed, real) -> (how much of each original an example holds [7, 7], targets, original targets).

    Original i is an image that is 1 in pixel i and 0 elsewhere. Those from `real` on are padding, though not zero.
    """
    size = program.BATCH_SIZE
    images = np.zeros((size, *program.SHAPE), np.float32)
    images.reshape(size, -1)[range(size), range(size)] = 1
    originals = np.random.default_rng(0).dirichlet(np.ones(program.CLASSES), size).astype(np.float32)

    def mix(seed, real):
        batch = {'inputs': images, 'targets': originals, 'mask': (np.arange(size) < real).astype(np.float32)}
        found = program.compiled('mixup')(np.int32(seed), {name: value[None] for name, value in batch.items()})
        inputs, targets = jax.device_get(found)
        parts = inputs.reshape(size, -1)
        assert not parts[:, size:].any()
        return parts[:, :size], targets, originals

    return mix


@pytest.mark.parametrize('real', [1, 2, 5, 7])
def test_targets_are_mixed_as_the_inputs_and_padding_is_nobodys_partner(mixed, real):
    for seed in range(30):
        parts, targets, originals = mixed(seed, real)
        assert (parts >= 0).all()
        np.testing.assert_allclose(parts.sum(1), 1, atol=1e-6)
        np.testing.assert_allclose(targets, parts.astype(np.float64) @ originals, atol=1e-6)
        np.testing.assert_allclose(targets.sum(1), 1, atol=1e-6)
        assert ((parts > 0).sum(1) <= 2).all()
        assert not parts[:real, real:].any()
        # Padding is left as it is, bit by bit.
        np.testing.assert_array_equal(parts[real:], np.eye(len(parts))[real:])
        np.testing.assert_array_equal(targets[real:], originals[real:])


def partners(parts, real):
    """The other original in each real example; None where all of them are too faint to be seen."""
    others = parts[:real] - np.diag(np.diag(parts))[:real]
    return others.argmax(1).tolist() if others.any(1).all() else None


def test_partners_are_a_random_ring_of_the_real_examples(mixed):
    rings = [ring for ring in (partners(mixed(seed, 5)[0], 5) for seed in range(120)) if ring]
    assert len(rings) > 80
    for ring in rings:
        way = [0]
        while ring[way[-1]] not in way:
            way.append(ring[way[-1]])
        assert sorted(way) == [0, 1, 2, 3, 4]
        assert ring[way[-1]] == 0
    # There are 4! rings of five.
    assert len({tuple(ring) for ring in rings}) > 18


def test_shares_follow_the_beta_distribution_each_drawn_by_itself(mixed):
    drawn = np.array([np.diag(mixed(seed, 7)[0]) for seed in range(400)])
    law = scipy.stats.beta(MIXUP_ALPHA, MIXUP_ALPHA)
    assert MIXUP_ALPHA == 0.2
    assert drawn.mean() == pytest.approx(0.5, abs=0.03)
    for share in (0.001, 0.05, 0.3, 0.5, 0.7, 0.95, 0.999):
        assert (drawn <= share).mean() == pytest.approx(law.cdf(share), abs=0.03), share
    # Examples of a batch have shares of their own.
    between = np.corrcoef(drawn.T)
    assert np.abs(between - np.eye(7)).max() < 0.2


@pytest.mark.parametrize('name', ['mixup', 'specaugment'])
def test_the_key_decides(program, name):
    data = program.examples(7)
    targets = np.eye(program.CLASSES, dtype=np.float32)[data['labels']]
    batch = parallel.shard({'inputs': data['inputs'], 'targets': targets}, 7)
    first, again, other = (np.asarray(program.compiled(name)(np.int32(seed), batch)[0]) for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes()
    changed = (first != other).any((1, 2, 3))
    assert changed.all() if name == 'specaugment' else changed.sum() > 4


def masked(images, seed, augmented):
    """(images after SpecAugment, rows [N, H] and columns [N, W] that it hides)."""
    targets = np.random.default_rng(0).random((len(images), 3)).astype(np.float32)
    batch = {'inputs': images, 'targets': targets, 'mask': np.ones(len(images), np.float32)}
    found, same = jax.device_get(augmented(np.int32(seed), {name: value[None] for name, value in batch.items()}))
    assert same.tobytes() == targets.tobytes()
    assert (found.shape, found.dtype) == (images.shape, np.float32)
    changed = found != images
    return found, changed.all((2, 3)), changed.all((1, 3))


def bands(hidden):
    """Number of bands of neighbouring rows."""
    return (np.diff(np.r_[0, hidden.astype(int), 0]) == 1).sum()


def test_whole_rows_and_columns_are_set_to_the_mean_and_nothing_else_changes(program):
    images, counts = program.examples(7)['inputs'] + 3, {0: [], 1: []}
    limits = [int(LARGEST_SHARE * length) for length in program.SHAPE[:2]]
    assert (MASKS, limits) == (2, [3, 2])
    seen = {0: np.zeros(20, int), 1: np.zeros(14, int)}
    for seed in range(60):
        found, *hidden = masked(images, seed, program.compiled('specaugment'))
        cross = hidden[0][:, :, None] | hidden[1][:, None, :]
        means = images.astype(np.float64).mean((1, 2))
        for image, before, where, mean in zip(found, images, cross, means):
            assert image[~where].tobytes() == before[~where].tobytes()
            np.testing.assert_allclose(image[where], np.broadcast_to(mean, image[where].shape), rtol=1e-6)
        for axis, of_axis in enumerate(hidden):
            seen[axis] += of_axis.sum(0)
            counts[axis] += of_axis.sum(1).tolist()
            assert max(bands(one) for one in of_axis) <= MASKS
    for axis, limit in enumerate(limits):
        # Two bands of up to the largest width each, anywhere, the ends too.
        assert set(counts[axis]) == set(range(MASKS * limit + 1))
        assert (seen[axis] > 0).all()


@pytest.mark.parametrize('shape', [(20, 1, 1), (1, 20, 1)])
def test_an_axis_of_length_one_has_no_mask(shape):
    def augmented(seed, batch):
        changed = specaugment(batch['inputs'], batch['targets'], batch['mask'], jax.random.key(seed))
        return jax.tree.map(parallel.gather, changed)

    images = np.random.default_rng(1).random((16, *shape)).astype(np.float32)
    found = masked(images, 3, parallel.compile_forward(augmented))[0]
    hidden = (found != images).reshape(16, 20).sum(1)
    assert 0 < hidden.max() <= MASKS * int(LARGEST_SHARE * 20)


def test_four_devices_compute_what_one_does(program, start_program, tmp_path):
    process = start_program({'output': str(tmp_path / 'four.npz')}, devices=4, script='augment_program.py')
    one = program.run()
    log, _ = process.communicate(timeout=240)
    assert process.returncode == 0, log
    with np.load(tmp_path / 'four.npz') as four:
        assert (one.pop('devices'), four['devices']) == (1, 4)
        assert set(four.files) == {*one, 'devices'}
        for name, value in one.items():
            np.testing.assert_allclose(four[name], value, rtol=1e-5, atol=1e-6, err_msg=name)


def former_step(model, optimiser, mask, *, start):
    """The step as it was before there was augmentation, of a network without statistics."""

    def step(state, batch):
        count = jax.lax.psum(batch['mask'].sum(), parallel.AXIS)
        key = jax.random.fold_in(jax.random.key(state.seed), state.step)

        def loss_fn(params):
            variables = join_variables(state.prefix, stop_frozen_gradients(params, mask), state.stats)
            logits, _ = model.apply(variables, batch['inputs'], train=True, start=start, rngs={'dropout': key})
            losses = optax.softmax_cross_entropy_with_integer_labels(logits, batch['labels'])
            total = (losses * batch['mask']).sum()
            return total * jax.lax.axis_size(parallel.AXIS) / count, (total, logits)

        grads, (total, logits) = jax.grad(loss_fn, has_aux=True)(state.params)
        grads = jax.tree.map(lambda g: jax.lax.pmean(g, parallel.AXIS), grads)
        updates, opt_state = optimiser.update(grads, state.opt_state, state.params)
        hits = ((logits.argmax(-1) == batch['labels']) * batch['mask']).sum()
        metrics = {'loss': jax.lax.psum(total, parallel.AXIS), 'correct': jax.lax.psum(hits, parallel.AXIS)}
        metrics |= {'count': count, 'gradient_norm': optax.global_norm(jax.tree.leaves(grads))}
        params = apply_updates(state.params, updates, mask)
        return state.replace(step=state.step + 1, params=params, opt_state=opt_state), metrics

    return step


def test_without_augmentation_the_step_is_what_it_was(program):
    now = program.one_step(program.compiled_step())
    before = program.one_step(program.compiled_step(make=former_step))
    assert set(now) == set(before)
    for name, value in before.items():
        np.testing.assert_allclose(now[name], value, rtol=1e-6, atol=1e-7, err_msg=name)
    same = program.one_step(program.compiled_step(lambda inputs, targets, mask, key: (inputs, targets)))
    for name, value in now.items():
        np.testing.assert_allclose(same[name], value, rtol=1e-6, atol=1e-6, err_msg=name)


def test_the_step_learns_from_the_inputs_and_targets_that_it_is_given_back(program):
    step = program.compiled_step(lambda inputs, targets, mask, key: (2 * inputs, jnp.roll(targets, 1, axis=-1)))
    data, found = program.examples(5), program.one_step(step)
    kernel = np.asarray(program.make_state().params['head']['kernel'], np.float64)
    logits = 2 * data['inputs'].reshape(5, -1) @ kernel
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    targets = np.roll(np.eye(program.CLASSES)[data['labels']], 1, axis=1)
    assert found['loss'] == pytest.approx(-(targets * log_p).sum(), rel=1e-5)
    np.testing.assert_allclose(found['bias'], 0.1 * (targets - np.exp(log_p)).mean(0), rtol=1e-4, atol=1e-6)
    # What counts as correct is the example's own class.
    assert (found['correct'], found['count']) == ((logits.argmax(1) == data['labels']).sum(), 5)


def test_every_step_and_every_seed_draws_anew(program):
    step = program.compiled_step(lambda inputs, targets, mask, key: (inputs + jax.random.normal(key), targets))
    first, again, later, other = (
        float(program.one_step(step, **of_state)['loss']) for of_state in ({}, {}, {'at': 1}, {'seed': 6})
    )
    assert first == again
    assert len({first, later, other}) == 3
