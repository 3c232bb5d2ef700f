"""What a run keeps of its windows: the limit follows what is left out, and few windows say why they cannot judge."""

from __future__ import annotations

import types

import numpy as np
import pytest

from fdx.data.familiar import COVERAGE, Familiar, nearest
from fdx.data.familiar_fit import FEWEST_WINDOWS, MOST_WINDOWS, fit_familiar, spread_over
from fdx.data.summary import MOST_NUMBERS, summarise_inputs
from fdx.signal.front_ends import create_front_end

MEL = create_front_end('band_mel', 12000.0)


def dataset(recordings, domains, images, front_end=MEL):
    """What `fit_familiar` asks of a dataset."""
    table = {'recording': np.array(recordings), 'domain': np.array(domains)}
    return types.SimpleNamespace(table=table, inputs=lambda i: images[i], front_end=front_end)


def images_of(places, seed=0):
    """Images [N, 16, 64, 1] whose mean spectra lie at `places` along one direction."""
    rng = np.random.default_rng(seed)
    direction = np.sin(np.arange(64))
    return [(p * direction + rng.normal(0, 0.05, (16, 64)))[..., None].astype(np.float32) for p in places]


def test_the_mean_spectrum_of_images_in_either_order():
    x = np.random.default_rng(0).normal(size=(3, 16, 64, 1))
    np.testing.assert_allclose(summarise_inputs(x, MEL), x.mean(axis=1)[..., 0])
    turned = create_front_end('triaxial_mel', 12000.0)
    y = np.random.default_rng(1).normal(size=(2, 128, 24, 3))
    found = summarise_inputs(y, turned)
    assert found.shape == (2, 126) and found.shape[1] <= MOST_NUMBERS
    # 128 bands become 42: the first holds bands 0 to 2.
    np.testing.assert_allclose(found[:, :3], y.mean(axis=2)[:, :3].mean(axis=1))


def test_the_spectrum_of_waveforms_does_not_hear_their_phase():
    front_end = create_front_end('waveform', 12000.0)
    t = np.arange(1024) / 12000.0
    waves = np.stack([np.sqrt(2) * np.sin(2 * np.pi * 1500 * t + p) for p in (0.0, 1.0, 2.0)])[:, :, None, None]
    found = summarise_inputs(waves, front_end)
    assert found.shape == (3, 64) and (found.argmax(axis=1) == 16).all()
    assert np.abs(found - found[0]).max() < 0.05


def test_the_nearest_of_several():
    assert nearest(np.array([[3.0, 4.0]]), np.array([[0.0, 0.0], [3.0, 3.0]])) == pytest.approx(1 / np.sqrt(2))


def test_conditions_that_are_left_out_set_the_limit():
    places = np.repeat([0.0, 1.0, 2.0, 5.0], 10)
    names = np.repeat(['a', 'b', 'c', 'd'], 10)
    fitted = fit_familiar([(dataset(names, names, images_of(places)), np.arange(40))], 1.0)
    assert fitted.left_out == 'domain' and fitted.judges
    found = fitted.distances(np.stack(images_of([0.5, 1.9, 7.9, 8.3, -30.0], seed=1)), MEL, 1.0)
    # d is three from its nearest neighbour, so whatever is three away is familiar.
    assert (found[:3] <= 1.01).all() and (found[3:] > 1.05).all()


def test_recordings_are_left_out_where_there_is_one_condition():
    places, names = np.repeat([0.0, 1.0, 2.0], 10), np.repeat(['a', 'b', 'c'], 10)
    fitted = fit_familiar([(dataset(names, [''] * 30, images_of(places)), np.arange(30))], 1.0)
    assert fitted.left_out == 'recording'
    own = fitted.distances(np.stack(images_of(places, seed=2)), MEL, 1.0)
    assert (own <= 1).mean() >= COVERAGE


def test_both_sides_of_an_adaptation_belong_to_it():
    first = dataset(['a'] * 10, ['x'] * 10, images_of([0.0] * 10))
    second = dataset(['a'] * 10, ['x'] * 10, images_of([3.0] * 10))
    rows = np.arange(10)
    fitted = fit_familiar([(first, rows), (second, rows)], 1.0)
    assert fitted.left_out == 'domain' and len(fitted.windows) == 20
    assert (fitted.distances(np.stack(images_of([0.0, 3.0], seed=3)), MEL, 1.0) < 1).all()


@pytest.mark.parametrize(('windows', 'recordings'), [(0, 0), (1, 1), (2, 2), (FEWEST_WINDOWS - 1, 2), (20, 1)])
def test_too_few_windows_say_why_they_cannot_judge(windows, recordings):
    names = [f'r{i % max(1, recordings)}' for i in range(windows)]
    fitted = fit_familiar([(dataset(names, names, images_of([0.0] * windows)), np.arange(windows))], 1.0)
    assert not fitted.judges and fitted.reason.startswith(f'training and validation have {windows} windows')
    stored = Familiar.from_json(fitted.to_json())
    assert stored.reason == fitted.reason and np.isnan(stored.distances(np.zeros((2, 16, 64, 1)), MEL, 1.0)).all()


@pytest.mark.parametrize('name', ['fault_orders', 'envelope_spectrum'])
def test_orders_are_not_judged(name):
    fitted = fit_familiar([(dataset(['a'], ['b'], [None], create_front_end(name, 12000.0)), np.arange(1))], 1.0)
    assert not fitted.judges and 'orders' in fitted.reason


def test_it_is_the_same_after_a_checkpoint():
    names = np.repeat(['a', 'b'], 10)
    fitted = fit_familiar([(dataset(names, names, images_of(np.repeat([0.0, 1.0], 10))), np.arange(20))], 1.0)
    again = Familiar.from_json(fitted.to_json())
    new = np.stack(images_of([0.3, 2.0, 9.0], seed=4))
    expected, found = fitted.distances(new, MEL, 1.0), again.distances(new, MEL, 1.0)
    np.testing.assert_allclose(found, expected, rtol=2e-3)
    new[1] = np.inf
    assert np.isnan(again.distances(new, MEL, 1.0)).tolist() == [False, True, False]
    assert again.to_json() == fitted.to_json()


def test_rows_are_spread_over_recordings():
    recordings = np.repeat([f'r{i:02}' for i in range(10)], 50)
    kept = spread_over(recordings, np.arange(500), 100)
    assert np.unique(recordings[kept], return_counts=True)[1].tolist() == [10] * 10
    many = np.array([f'r{i:04}' for i in range(1000)])
    kept = spread_over(many, np.arange(1000), MOST_WINDOWS)
    assert len(kept) == MOST_WINDOWS and kept[0] == 0 and kept[-1] == 999
