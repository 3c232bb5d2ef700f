"""Terms for several source domains, beside plain NumPy: partners, mixup across domains, group DRO, MixStyle."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.adapt.terms.domain_mixup import domain_mixup, mixed_cross_entropy
from fdx.adapt.terms.group_dro import domain_losses, group_dro
from fdx.adapt.terms.mix_style import EPSILON, is_map, mix_style, style
from fdx.adapt.terms.partners import Pairing, draw_pairing

DOMAINS = np.array([0, 0, 1, 2, 1, 0, 2], np.int32)
REAL = np.ones(7, np.float32)


# One program each: operation by operation, each would be compiled.
compiled_pairing = jax.jit(draw_pairing)
compiled_dro = jax.jit(group_dro)
compiled_style = jax.jit(lambda x, pairing: mix_style(x, pairing, style(x)))


def drawn(domains=DOMAINS, mask=REAL, alpha=0.2):
    return jax.tree.map(np.asarray, compiled_pairing(domains, mask, jax.random.key(0), alpha))


@pytest.fixture(scope='module')
def many():
    """Pairings of 2000 seeds, as one: partners and shares [2000, 7]."""
    draw = jax.jit(jax.vmap(lambda k: draw_pairing(jnp.asarray(DOMAINS), jnp.asarray(REAL), k, 0.2)))
    return jax.tree.map(np.asarray, draw(jax.random.split(jax.random.key(1), 2000)))


def test_every_example_of_another_domain_is_partner_equally_often(many):
    for i, own in enumerate(DOMAINS):
        counts = np.bincount(many.partner[:, i], minlength=7)
        others = own != DOMAINS
        assert not counts[~others].any()
        # Four standard deviations of a share of 2000 draws.
        expected = 1 / others.sum()
        assert np.abs(counts[others] / 2000 - expected).max() < 4 * np.sqrt(expected / 2000)


def test_shares_are_of_the_beta_distribution(many):
    """Mean 1/2 and variance 1 / (4 (2 alpha + 1)) of Beta(alpha, alpha), with alpha 0.2; each example draws its own."""
    assert many.share.mean() == pytest.approx(0.5, abs=0.015)
    assert many.share.var() == pytest.approx(1 / (4 * 1.4), abs=0.005)
    assert abs(np.corrcoef(many.share[:, 0], many.share[:, 1])[0, 1]) < 0.1


def test_padding_changes_no_pair_and_is_no_partner():
    padded = drawn(np.append(DOMAINS, [0, 1, 5]), np.append(REAL, [0, 0, 0]))
    plain = drawn()
    np.testing.assert_array_equal(padded.partner[:7], plain.partner)
    np.testing.assert_array_equal(padded.share[:7], plain.share)
    np.testing.assert_array_equal(padded.partner[7:], [7, 8, 9])
    np.testing.assert_array_equal(padded.share[7:], 1)


def test_without_another_domain_everything_stays():
    pairing = drawn(np.zeros(7, np.int32))
    np.testing.assert_array_equal(pairing.partner, np.arange(7))
    x = np.random.default_rng(0).normal(size=(7, 4, 3)).astype(np.float32)
    np.testing.assert_array_equal(jax.jit(domain_mixup)(x, pairing), x)
    np.testing.assert_array_equal(compiled_style(x, pairing), x)


def test_domain_mixup_and_its_loss_by_numpy():
    rng = np.random.default_rng(2)
    x, z, y = rng.normal(size=(7, 3, 2)), rng.normal(size=(7, 4)), rng.integers(0, 4, 7)
    pairing = drawn()
    assert (pairing.share < 0.9).any()
    share = pairing.share.astype(np.float64)
    wanted = np.stack([s * x[i] + (1 - s) * x[j] for i, (j, s) in enumerate(zip(pairing.partner, share))])
    np.testing.assert_allclose(jax.jit(domain_mixup)(np.float32(x), pairing), wanted, rtol=1e-5, atol=1e-6)
    log_p = z - np.log(np.exp(z).sum(1, keepdims=True))
    losses = [-s * log_p[i, y[i]] - (1 - s) * log_p[i, y[j]] for i, (j, s) in enumerate(zip(pairing.partner, share))]
    found = jax.jit(mixed_cross_entropy)(np.float32(z), y, y[pairing.partner], pairing.share)
    np.testing.assert_allclose(found, losses, rtol=1e-5)


def test_group_dro_by_numpy():
    """Three batches one after the other; the last example is padding, and domain 2 is missing in the last batch."""
    rng = np.random.default_rng(3)
    weights, plain = np.full(3, 1 / 3, np.float32), np.full(3, 1 / 3)
    for batch in range(3):
        losses, mask = rng.gamma(2.0, 1.0, 8), np.append(REAL, 0)
        domains = np.append(DOMAINS if batch < 2 else DOMAINS % 2, 2).astype(np.int32)
        each = [np.mean(of) if len(of := losses[:7][domains[:7] == g]) else 0.0 for g in range(3)]
        plain = plain * np.exp(0.01 * np.array(each))
        plain /= plain.sum()
        losses[7] = np.nan
        loss, weights = compiled_dro(np.float32(losses), domains, np.float32(mask), weights)
        np.testing.assert_allclose(weights, plain, rtol=1e-5)
        assert float(loss) == pytest.approx(plain @ each, rel=1e-5)
    assert plain.max() - plain.min() > 0.005


def test_group_dro_finds_the_worst_domain_and_moves_it_alone():
    """After many batches the loss is that of the worst domain; the gradient is shared out by the weights."""
    losses, domains, mask = np.float32([1, 1, 3, 3]), np.int32([0, 0, 1, 1]), np.ones(4, np.float32)
    half = weights = np.full(2, 0.5, np.float32)
    for _ in range(600):
        loss, weights = compiled_dro(losses, domains, mask, weights)
    assert float(loss) == pytest.approx(3, abs=1e-3)
    slope = jax.jit(jax.grad(lambda v: group_dro(v, domains, mask, half, step_size=1.0)[0]))(losses)
    worst = 1 / (1 + np.exp(-2.0))
    np.testing.assert_allclose(slope, np.array([1 - worst, 1 - worst, worst, worst]) / 2, rtol=1e-5)


def test_group_dro_survives_a_huge_loss():
    ones, half = np.ones(2, np.float32), np.full(2, 0.5, np.float32)
    loss, weights = compiled_dro(np.float32([1e6, 1]), np.int32([0, 1]), ones, half)
    np.testing.assert_allclose(weights, [1, 0], atol=1e-6)
    assert float(loss) == pytest.approx(1e6)
    of_domains = jax.jit(domain_losses, static_argnums=3)(np.float32([2.0, 4.0]), np.int32([0, 0]), ones, 2)
    assert np.asarray(of_domains).tolist() == [3, 0]


def test_mix_style_by_numpy():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(7, 5, 4, 2)) * rng.gamma(2.0, 1.0, (7, 1, 1, 2)) + rng.normal(size=(7, 1, 1, 2))
    pairing = drawn(alpha=0.5)
    assert (np.abs(pairing.share - 0.5) < 0.4).any()
    wanted = np.empty_like(x)
    for i, (j, s) in enumerate(zip(pairing.partner, pairing.share.astype(np.float64))):
        for c in range(2):
            a, b = x[i, :, :, c], x[j, :, :, c]
            d_a, d_b = (np.sqrt(v.var(ddof=1) + EPSILON) for v in (a, b))
            wanted[i, :, :, c] = (a - a.mean()) / d_a * (s * d_a + (1 - s) * d_b) + s * a.mean() + (1 - s) * b.mean()
    found = compiled_style(np.float32(x), pairing)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    assert np.abs(wanted - x).max() > 0.5
    # A device treats its own part with the styles of all.
    part = Pairing(pairing.partner[4:], pairing.share[4:])
    of_part = jax.jit(lambda x: mix_style(x[4:], part, style(x)))(np.float32(x))
    np.testing.assert_allclose(of_part, found[4:], rtol=1e-6)


def test_no_gradient_flows_through_styles():
    x = np.random.default_rng(5).normal(size=(2, 6, 1)).astype(np.float32)
    pairing = Pairing(np.int32([1, 0]), np.float32([0.3, 0.8]))
    slope = jax.jit(jax.grad(lambda v: compiled_style(v, pairing).sum()))(x)
    d = np.sqrt(x.var((1, 2), ddof=1) + EPSILON)
    factors = [(0.3 * d[0] + 0.7 * d[1]) / d[0], (0.8 * d[1] + 0.2 * d[0]) / d[1]]
    np.testing.assert_allclose(slope[:, :, 0], np.repeat(np.array(factors)[:, None], 6, 1), rtol=1e-5)


def test_a_constant_map_stays_finite():
    found = compiled_style(np.zeros((2, 6, 1), np.float32), Pairing(np.int32([1, 0]), np.float32([0.3, 0.8])))
    np.testing.assert_array_equal(found, 0)


def test_what_is_a_map():
    assert [is_map(shape) for shape in ((2, 5, 1, 3), (2, 1, 1, 3), (2, 3), (2, 4, 3))] == [True, False, False, True]
