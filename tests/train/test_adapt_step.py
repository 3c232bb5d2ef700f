"""The step on two domains: every method, one and four devices, what has a part in it and what has none."""

from __future__ import annotations

import importlib.util
import pathlib
import sys

import jax
import numpy as np
import optax
import pytest

from fdx.adapt import step as adapt_step
from fdx.adapt.methods import METHODS
from fdx.adapt.schedule import annealed
from fdx.adapt.step import as_vectors
from fdx.adapt.terms.dirt_t import update_teacher
from fdx.train import parallel
from fdx.train.steps import TrainState, make_train_step


@pytest.fixture(scope='module')
def program():
    path = pathlib.Path(__file__).with_name('adapt_step_program.py')
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setitem(sys.modules, path.stem, module)  # Linen looks a module's annotations up there.
    spec.loader.exec_module(module)
    yield module
    monkeypatch.undo()


@pytest.fixture(scope='module')
def steps(program):
    return program.make_steps()


@pytest.fixture(scope='module')
def one_device(program, steps):
    return program.run(steps)


@pytest.fixture(scope='module')
def one_step(program, steps):
    """Function (method, batch, step's number) -> (state, metrics)."""

    def run(name, batch, at=program.FIRST_STEP):
        return steps[name](program.make_state(METHODS[name], at), parallel.shard(batch, program.SIZES[1]))

    return run


FROZEN = ('embedding/bias', 'head/kernel')


def part(found, where):
    return {k[len(where) + 1 :]: v for k, v in found.items() if k.startswith(f'{where}/')}


def distance(a, b):
    """Largest difference of two flat dicts."""
    assert a.keys() == b.keys()
    return max(np.abs(np.asarray(a[k], np.float64) - b[k]).max() for k in a)


def identical(a, b):
    return a.keys() == b.keys() and all(np.asarray(a[k]).tobytes() == np.asarray(b[k]).tobytes() for k in a)


@pytest.mark.parametrize('name', METHODS)
def test_a_step_of_every_method(program, one_device, name):
    found, method = part(one_device, f'{name}/{program.FIRST_STEP}'), METHODS[name]
    assert all(np.isfinite(v).all() for v in found.values())
    assert found['metrics/count'] == program.SIZES[0][0]
    assert ('metrics/domain_accuracy' in found) == (method.discriminates is not None)
    assert (found['metrics/term'] != 0) == method.sees_target
    params = part(found, 'params')
    before = program.flat(program.parameters())
    for path, value in params.items():
        # Law 7.
        assert (value.tobytes() == before[path].tobytes()) == (path in FROZEN), path
        assert path in FROZEN or np.abs(value - before[path]).max() > 1e-5, path
    if method.sees_target or method.needs_domains:
        assert distance(params, part(one_device, f'source_only/{program.FIRST_STEP}/params')) > 1e-5
    if name == 'adabn':
        assert identical(params, part(one_device, f'source_only/{program.FIRST_STEP}/params'))


def test_four_devices_compute_what_one_does(one_device, start_program, tmp_path):
    """5 source and 3 target examples on 4 devices: one device has one example of each, another no target, one nothing.

    With a norm over both domains, and dropout. Random directions of virtual adversarial training are replaced.
    """
    process = start_program({'output': str(tmp_path / 'four.npz')}, devices=4, script='adapt_step_program.py')
    log, _ = process.communicate(timeout=240)
    assert process.returncode == 0, log
    with np.load(tmp_path / 'four.npz') as four:
        assert (four['devices'], one_device['devices']) == (4, 1)
        assert set(four.files) == set(one_device)
        for name in set(four.files) - {'devices'}:
            np.testing.assert_allclose(four[name], one_device[name], rtol=2e-4, atol=2e-5, err_msg=name)


def test_source_only_is_the_plain_step(program, one_step):
    """Dropout is on: each example has the place, and so the mask, that it has without adaptation."""
    params, data, optimiser = program.parameters(), program.batch((4, 1))['source'], optax.sgd(program.RATE)
    plain = parallel.compile_step(make_train_step(program.Tiny(), optimiser, program.trained(), start=0))
    stats = jax.device_get(program.make_state(METHODS['source_only'], 0).stats)
    start = TrainState(np.int32(0), np.int32(program.SEED), params, stats, {'params': {}}, optimiser.init(params))
    wanted, metrics = plain(parallel.replicate(start), parallel.shard(data, 5))
    got, found = one_step('source_only', {'source': data, 'target': data}, 0)
    for name in ('loss', 'correct', 'count'):
        assert found[name] == pytest.approx(float(metrics[name]), rel=1e-6)
    for name in ('params', 'stats'):
        assert distance(program.flat(getattr(got, name)), program.flat(getattr(wanted, name))) < 1e-6
    assert distance(program.flat(got.params), program.flat(params)) > 0.01
    assert got.step == 1


@pytest.mark.parametrize('name', [n for n, m in METHODS.items() if m.sees_target])
def test_labels_of_the_target_have_no_part(program, one_step, name):
    batch, other = program.batch(), program.batch()
    other['target']['labels'] = (program.CLASSES - 1 - other['target']['labels']).astype(np.int32)
    assert (batch['target']['labels'] != other['target']['labels']).any()
    (state, metrics), (again, same) = one_step(name, batch), one_step(name, other)
    for field in ('params', 'extra', 'stats'):
        assert identical(program.flat(getattr(state, field)), program.flat(getattr(again, field))), field
    assert {k: float(v) for k, v in metrics.items()} == {k: float(v) for k, v in same.items()}
    other['source']['labels'] = (program.CLASSES - 1 - other['source']['labels']).astype(np.int32)
    assert not identical(program.flat(state.params), program.flat(one_step(name, other)[0].params))


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def forward(params, batch, at):
    """Embeddings and logits of both domains, float64: the norm is of both, dropout is off."""
    p = jax.tree.map(lambda x: np.asarray(x, np.float64), params)
    x = np.concatenate([batch[name]['inputs'].astype(np.float64) for name in ('source', 'target')])
    x = x @ p['first']['kernel']
    x = np.tanh((x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5) * p['bn']['scale'] + p['bn']['bias'])
    f = x @ p['embedding']['kernel'] + p['embedding']['bias']
    logits = f @ p['head']['kernel'] + p['head']['bias']
    return (f[:at], f[at:]), (logits[:at], logits[at:])


def discriminate(extra, x):
    e = jax.tree.map(lambda v: np.asarray(v, np.float64), jax.device_get(extra))
    for name in ('hidden1', 'hidden2'):
        x = np.maximum(x @ e[name]['kernel'] + e[name]['bias'], 0)
    return (x @ e['logit']['kernel'] + e['logit']['bias'])[:, 0]


def cross_entropy(batch, logits):
    p = softmax(logits)
    return -np.log(p[np.arange(len(p)), batch['source']['labels']]).mean()


@pytest.mark.parametrize('name', ['dann', 'cdan_e'])
def test_loss_and_gradient_of_an_adversarial_step_by_numpy(program, name):
    """The network goes down its cross-entropy and up the discriminator's loss, by the ramp; differences of float64.

    Weights of CDAN+E, 1 + exp(-H), stay with their examples, and predictions are conditions: nothing flows into them.
    """
    batch, params = program.batch(), program.parameters()
    state = program.make_state(METHODS[name], program.FIRST_STEP)
    extra, at = jax.device_get(state.extra), program.SIZES[0][0]
    fixed = [softmax(z) for z in forward(params, batch, at)[1]]

    def domain_loss(params, weighted=name == 'cdan_e'):
        losses = []
        for f, p, sign in zip(forward(params, batch, at)[0], fixed, (-1, 1)):
            x = f if name == 'dann' else np.einsum('bd,bk->bdk', f, p).reshape(len(f), -1)
            weights = 1 + np.exp((p * np.log(p)).sum(1)) if weighted else np.ones(len(f))
            losses.append(np.average(np.log1p(np.exp(sign * discriminate(extra, x))), weights=weights))
        return np.mean(losses)

    state, metrics = program.make_step(METHODS[name], dropout_rate=0.0)(state, parallel.shard(batch, program.SIZES[1]))
    assert float(metrics['term']) == pytest.approx(domain_loss(params), rel=1e-5)
    assert float(metrics['loss']) == pytest.approx(
        at * cross_entropy(batch, forward(params, batch, at)[1][0]), rel=1e-5
    )
    if name == 'cdan_e':
        assert abs(domain_loss(params) - domain_loss(params, False)) > 1e-4
    progress = program.FIRST_STEP / program.TOTAL_STEPS
    factor, rate = 2 / (1 + np.exp(-10 * progress)) - 1, program.RATE * (1 + 10 * progress) ** -0.75
    moved = (np.asarray(state.params['embedding']['kernel'], np.float64) - params['embedding']['kernel']) / -rate
    shares = []
    for i, j in ((0, 0), (1, 3), (4, 2)):
        slopes = []
        for objective in (lambda p: cross_entropy(batch, forward(p, batch, at)[1][0]), domain_loss):
            values = []
            for change in (1e-5, -1e-5):
                near = jax.tree.map(lambda x: x.astype(np.float64), params)
                near['embedding']['kernel'][i, j] += change
                values.append(objective(near))
            slopes.append((values[0] - values[1]) / 2e-5)
        assert moved[i, j] == pytest.approx(slopes[0] - factor * slopes[1], rel=1e-3, abs=1e-4)
        shares.append(abs(factor * slopes[1]))
    assert max(shares) > 0.01


def test_the_discriminator_learns_to_tell_the_domains(program, one_step):
    """With the network held, its step alone lowers the loss."""
    batch, params = program.batch(), program.parameters()

    def loss(extra):
        features, _ = forward(params, batch, program.SIZES[0][0])
        return np.mean([np.log1p(np.exp(s * discriminate(extra, f))).mean() for f, s in zip(features, (-1, 1))])

    state, metrics = one_step('dann', batch)
    before = loss(program.make_state(METHODS['dann'], 0).extra)
    assert float(metrics['term']) == pytest.approx(before, rel=1e-5)
    assert loss(state.extra) < before - 0.003


def test_at_the_start_nothing_is_reversed(program, one_step):
    """The ramp is 0 at step 0: the network learns the source alone, in the same batch; the discriminator learns."""
    dann, _ = one_step('dann', program.batch(), 0)
    plain, metrics = one_step('mcc', program.batch(), 0)
    assert float(metrics['term']) == 0
    assert distance(program.flat(dann.params), program.flat(plain.params)) < 1e-6
    before = program.make_state(METHODS['dann'], 0).extra
    assert distance(program.flat(dann.extra), program.flat(before)) > 1e-3


def test_the_refinement_leaves_the_source(program, one_step):
    """In the second half neither labels nor discriminator have a part, and a target that agrees is not moved."""
    batch, other = program.batch(), program.batch()
    other['source']['labels'] = (program.CLASSES - 1 - other['source']['labels']).astype(np.int32)
    early = [one_step('dirt_t', b)[0] for b in (batch, other)]
    late = [one_step('dirt_t', b, program.LATE_STEP)[0] for b in (batch, other)]
    assert not identical(*(program.flat(s.params) for s in early))
    assert identical(*(program.flat(s.params) for s in late))
    before = program.make_state(METHODS['dirt_t'], 0)
    assert distance(program.flat(late[0].extra), program.flat(before.extra)) < 1e-7
    assert distance(program.flat(late[0].params), program.flat(before.params)) > 1e-4


def test_the_teacher_starts_as_the_network_and_follows_it_slowly(program, one_step):
    """Until the second half it is the network itself, or an average would hold what it was initialised with."""
    early, _ = one_step('dirt_t', program.batch())
    assert identical(program.flat(early.teacher), program.flat(early.params))
    late, _ = one_step('dirt_t', program.batch(), program.LATE_STEP)
    teacher = jax.tree.map(lambda x: 0.9 * x, program.parameters())
    wanted = update_teacher(teacher, jax.device_get(late.params))
    assert distance(program.flat(late.teacher), program.flat(wanted)) < 1e-6
    assert distance(program.flat(late.teacher), program.flat(late.params)) > 0.05


def test_both_domains_move_the_statistics_of_norms(program, one_step):
    batch, params = program.batch(), program.parameters()
    x = (
        np.concatenate([batch[n]['inputs'] for n in ('source', 'target')]).astype(np.float64)
        @ params['first']['kernel']
    )
    for name, hidden in (('mcc', x), ('source_only', x[: program.SIZES[0][0]])):
        state, _ = one_step(name, batch)
        stats = jax.device_get(state.stats['bn'])
        np.testing.assert_allclose(stats['mean'], 0.9 * 0.3 + 0.1 * hidden.mean(0), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(stats['var'], 0.9 * 2 + 0.1 * hidden.var(0, ddof=1), rtol=1e-4, atol=1e-6)


def test_the_learning_rate_falls(program, one_step):
    """To (1 + 10 p)^-0.75 of it at p = 0.7; the discriminator's gradient does not depend on the ramp or on dropout."""
    assert float(annealed(0.0)) == 1
    before = program.flat(program.make_state(METHODS['dann'], 0).extra)
    first, late = (program.flat(one_step('dann', program.batch(), at)[0].extra) for at in (0, program.LATE_STEP))
    path = 'logit/kernel'
    assert np.abs(first[path] - before[path]).max() > 1e-3
    np.testing.assert_allclose(
        late[path] - before[path], (first[path] - before[path]) * 8.0**-0.75, rtol=1e-3, atol=1e-6
    )


def test_maps_become_vectors():
    x = np.arange(24.0).reshape(2, 3, 2, 2)
    np.testing.assert_allclose(as_vectors(x), x.mean((1, 2)))
    np.testing.assert_array_equal(as_vectors(x[:, 0, 0]), x[:, 0, 0])


def test_examples_take_turns():
    a, b = np.arange(3), 10 + np.arange(3)
    np.testing.assert_array_equal(adapt_step._in_turns([a, b]), [0, 10, 1, 11, 2, 12])
    np.testing.assert_array_equal(adapt_step._in_turns([a]), a)
