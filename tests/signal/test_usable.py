"""Which windows have a vote, and when a recording has a verdict."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fdx.signal.usable import Usability, counted, inspect_recording, verdict_refusal
from fdx.types import DataError, Recording


def usability(total=10000, dead=(), wild=(), breaks=(), rate_hz=1000.0):
    masks = [np.zeros(total, bool), np.zeros(total, bool)]
    for mask, places in zip(masks, (dead, wild)):
        for place in places:
            mask[place] = True
    return Usability(rate_hz, *masks, np.array(breaks, np.int64))


STARTS = np.arange(0, 10000, 1000)


def test_a_window_is_dead_where_it_holds_a_dead_sample_or_a_filter_carries_one_into_it():
    found = usability(dead=[slice(2000, 3000), slice(7999, 8000)])
    assert found.faults(STARTS, 1000, 1000.0) == ['', '', 'dead', '', '', '', '', 'dead', '', '']
    near = found.faults(STARTS, 1000, 1000.0, reach_s=0.003)
    assert near == ['', 'dead', 'dead', 'dead', '', '', '', 'dead', 'dead', '']
    # Windows that are counted at another rate, as after resampling.
    assert found.faults(STARTS / 2, 500, 500.0) == found.faults(STARTS, 1000, 1000.0)


def test_time_is_lost_only_inside_a_window():
    found = usability(breaks=[1000, 2500, 9999])
    assert found.faults(STARTS, 1000, 1000.0) == ['', '', 'lost_time', *[''] * 6, 'lost_time']


def test_many_wild_samples_spoil_a_window_few_do_not():
    found = usability(wild=[slice(0, 10), slice(1000, 1011)])
    assert found.faults(STARTS[:3], 1000, 1000.0) == ['', 'wild', '']
    assert found.wild_samples == 21


def test_the_first_reason_is_named():
    found = usability(dead=[500], breaks=[600], wild=[slice(0, 100)])
    assert found.faults(STARTS[:1], 1000, 1000.0) == ['dead']


def test_a_verdict_takes_half_of_the_windows():
    assert verdict_refusal(['', '', 'dead', 'dead']) is None
    assert verdict_refusal(['']) is None
    words = verdict_refusal(['', 'dead', 'dead', 'lost_time'])
    assert words.startswith('1 of 4 windows can be used, and at least half are needed (2 dead: the sensor is silent')
    assert '1 lost_time: time is missing inside the window' in words
    assert verdict_refusal(['dead']).startswith('0 of 1 windows')
    assert counted(['', 'dead', 'lost_time', 'dead']) == {'dead': 2, 'lost_time': 1}


def recording(x, **changes):
    return dataclasses.replace(Recording(x, 1000.0, 'r', '', '', '', '', source='r.npy'), **changes)


def test_a_recording_comes_back_repaired_and_with_a_note():
    x = np.random.default_rng(0).standard_normal((5000, 2)).astype(np.float32)
    x[1234, 0] = 500
    x[3000:4000] = 0
    repaired, found = inspect_recording(recording(x, time_breaks=(700,), notes=('from a logger',)), 100)
    assert np.abs(repaired.samples).max() < 6
    assert repaired.notes[0] == 'from a logger'
    assert repaired.notes[1].startswith('1 wild samples') and repaired.notes[1].endswith('the first at 1.234 s')
    assert found.faults(np.arange(0, 5000, 1000), 1000, 1000.0) == ['lost_time', '', '', 'dead', '']
    # A dead stretch is found although a wild sample lies in it, and one wild sample makes nothing else silent.
    x[3500] = 500
    assert inspect_recording(recording(x), 100)[1].dead[3010:3990].all()


def test_clipping_is_a_note():
    x = np.clip(np.random.default_rng(0).standard_normal((5000, 1)), -1, 1).astype(np.float32)
    notes = inspect_recording(recording(x), 100)[0].notes
    assert len(notes) == 1
    assert notes[0].startswith('channel 0 looks clipped: ')


def test_what_the_checks_refuse_is_refused():
    with pytest.raises(DataError, match=r'r\.npy: channel 0 is constant'):
        inspect_recording(recording(np.ones((5000, 1), np.float32)), 100)
