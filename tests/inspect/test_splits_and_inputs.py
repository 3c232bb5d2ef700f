"""Which protocols and front ends fit, and the words for why."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fdx.inspect.inputs import front_ends_of, recommended
from fdx.inspect.splits import protocols_of
from fdx.signal.bearings import parse_bearing
from tests.inspect.recordings import some_facts

RNG = np.random.default_rng(0)


def grid(*, per_cell: int = 1, samples: int = 32000, speeds=(600.0, 1200.0, 1800.0), **fields):
    return [
        some_facts(
            c, i, rng=RNG, recording=f'{c}_{s:g}_{i}', speed_rpm=s, domain=f'{s:g} rpm', samples=samples, **fields
        )
        for c in ('normal', 'inner_race')
        for s in speeds
        for i in range(per_cell)
    ]


def test_several_speeds_ask_for_a_speed_that_was_not_seen():
    found = protocols_of(grid(), 0.975)
    assert found.right == 'by_domain' and 'at a speed that it has not seen' in found.reason
    assert 'bearings and mountings' in found.reason
    fits = {f.name: f for f in found.fits}
    assert fits['by_recording'].possible and not fits['time_blocks'].possible
    assert '6 of 6 recordings are too short' in fits['time_blocks'].reason and '0.32 s' in fits['time_blocks'].reason


def test_several_bearings_ask_for_a_bearing_that_was_not_seen():
    facts = [dataclasses.replace(f, bearing=f'{f.label}{i % 3}') for i, f in enumerate(grid())]
    found = protocols_of(facts, 0.975)
    assert found.right == 'by_bearing' and 'a bearing that it has not seen' in found.reason


def test_several_machines_ask_for_a_machine_that_was_not_seen():
    facts = [dataclasses.replace(f, machine=f.domain, bearing=f'{f.label}{i % 3}') for i, f in enumerate(grid())]
    found = protocols_of(facts, 0.975)
    assert found.right == 'by_domain' and 'at a machine that it has not seen' in found.reason


def test_one_long_recording_of_each_class_can_only_be_cut_in_time():
    found = protocols_of(grid(speeds=(1200.0,), samples=16000 * 30), 0.975)
    assert found.right == 'time_blocks' and 'it knows the machine' in found.reason


def test_nothing_fits_two_short_recordings():
    found = protocols_of(grid(speeds=(1200.0,)), 0.975)
    assert found.right == '' and '5.28 s' in found.reason
    assert 'inner_race has 1' in {f.name: f for f in found.fits}['by_recording'].reason


def test_front_ends_say_what_is_missing():
    fits = {f.name: f for f in front_ends_of(grid())}
    assert fits['vggish'].fits and '0.975 s' in fits['vggish'].reason
    assert not fits['fault_orders'].fits and 'lack: `bearing`' in fits['fault_orders'].reason
    assert not fits['envelope_spectrum'].fits and '600 rpm' in fits['envelope_spectrum'].reason
    assert not fits['triaxial_mel'].fits and recommended(list(fits.values())) == 'band_mel'
    known = grid(geometry=parse_bearing('skf_6205'), speeds=(1200.0, 1800.0))
    assert {f.name: f for f in front_ends_of(known)}['fault_orders'].fits
    nameless = [dataclasses.replace(f, speed_rpm=float('nan')) for f in grid()]
    assert 'speed of the shaft' in {f.name: f for f in front_ends_of(nameless)}['envelope_spectrum'].reason


def test_recordings_of_a_tenth_of_a_second_have_one_spectrogram():
    fits = front_ends_of(grid(samples=1600))
    assert [f.name for f in fits if f.fits] == ['waveform', 'snippet_mel'] and recommended(fits) == 'snippet_mel'


def test_several_axes_have_front_ends_of_their_own():
    facts = [dataclasses.replace(f, channels=f.channels * 3) for f in grid()]
    fits = {f.name: f for f in front_ends_of(facts)}
    assert fits['triaxial_mel'].fits and not fits['vggish'].fits and '`channel`' in fits['vggish'].reason
    assert recommended(list(fits.values())) == 'band_mel'
    mixed = front_ends_of([*facts, *grid()])
    assert not any(f.fits for f in mixed) and '1 and 3 channels' in mixed[0].reason


def test_a_slow_rate_leaves_filters_empty_and_says_so():
    slow = [dataclasses.replace(f, sample_rate_hz=8000.0) for f in grid()]
    assert '23 % of its filters' in {f.name: f for f in front_ends_of(slow)}['vggish'].reason


@pytest.mark.parametrize(('short', 'fits'), [(1, True), (4, False)])
def test_few_short_recordings_do_not_rule_out_a_front_end(short, fits):
    facts = [dataclasses.replace(f, samples=100) if i < short else f for i, f in enumerate(grid())]
    assert {f.name: f for f in front_ends_of(facts)}['vggish'].fits == fits
