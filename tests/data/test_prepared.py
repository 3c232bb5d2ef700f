"""From samples to images: what an offset, a drift, a dead stretch, a wild sample and lost time do on the way."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np
import pytest
import scipy.special

from fdx.data.blocks import Windowing
from fdx.data.left_out import LeftOut
from fdx.data.prepared import RecordSpec, prepare_recording
from fdx.data.records import make_records
from fdx.models.registry import create_model
from fdx.signal.bearings import BEARINGS
from fdx.signal.front_ends import BASES, create_front_end, front_end_names, keeps_slow_part
from fdx.signal.patch import Condition
from fdx.signal.slow_part import SLOW_HZ
from fdx.types import Recording

RATE_HZ = 12000.0
ALL_BLOCKS = (-1, 0, 1, 2, 3, 4)
T = np.arange(5 * 12000)[:, None] / RATE_HZ
SLOW_PARTS = {
    'gravity': 1.0,
    'bias': 2.5,
    'middle of a converter': 10.0,
    'drift of 5': 5 * T / T[-1],
    'warming up': 5 * (1 - np.exp(-T)),
    'half a swing': 5 * np.sin(np.pi * T / T[-1]),
}


def signal(channels):
    return (0.07 * np.random.default_rng(0).standard_normal((len(T), channels))).astype(np.float32)


def recording(x, **changes):
    machine = {'speed_rpm': 1772.0, 'geometry': BEARINGS['skf_6205']}
    return dataclasses.replace(Recording(x, RATE_HZ, 'r', 'a', 'a', 'b', 'd', **machine), **changes)


def spec_of(name, channels=1):
    front_end = create_front_end(name, RATE_HZ)
    length = front_end.patch_samples(RATE_HZ)
    slow_hz = 0.0 if keeps_slow_part(name) else SLOW_HZ
    return RecordSpec(front_end, RATE_HZ, Windowing(length, length, 200), channels=channels, removed_below_hz=slow_hz)


def images(x, name):
    spec = spec_of(name, x.shape[1])
    prepared = prepare_recording(recording(x), spec)
    length = spec.windowing.window_length
    starts = np.arange(0, len(x) - length + 1, length)[:12]
    assert prepared.faults(starts) == [''] * len(starts)
    condition = Condition(1772.0, BEARINGS['skf_6205'])
    return np.stack([spec.front_end(prepared.window(s), RATE_HZ, condition) for s in starts])


@pytest.mark.parametrize('name', [n for n in (*BASES, 'vggish_train') if not keeps_slow_part(n)])
def test_no_slow_part_changes_a_probability(name):
    channels = 1 if name in front_end_names(1) else 3
    x = signal(channels)
    plain = images(x, name)
    network = create_model('cnn1d' if plain.shape[1:3].count(1) else 'cnn_small', 4)
    variables = jax.jit(network.init)(jax.random.key(0), plain[:1])
    forward = jax.jit(lambda v, p: network.apply(v, p, train=False)[0])

    def probabilities(patches):
        # A random network is undecided; ten times its logits decide, and show small changes.
        return scipy.special.softmax(10 * np.asarray(forward(variables, patches)), axis=1)

    reference = probabilities(plain)
    for what, slow in SLOW_PARTS.items():
        changed = images((x + slow).astype(np.float32), name)
        assert np.abs(probabilities(changed) - reference).max() < 0.01, what
        assert np.median(np.abs(changed - plain)) < 1e-3, what


def test_the_front_end_of_a_paper_keeps_the_paper_s_way():
    x = signal(3)
    assert np.abs(images(x + 1, 'triaxial_mel_paper') - images(x, 'triaxial_mel_paper')).max() > 10


def test_records_leave_out_what_cannot_be_used_and_say_so():
    x = signal(1)
    x[24000:25000] = 0
    x[50000] = 30
    left_out, spec = LeftOut(), spec_of('vggish')
    source = recording(x, time_breaks=(14000,))
    records = [r for _, r in make_records(source, spec, ALL_BLOCKS, left_out)]
    # Windows of 0.975 s: the second holds the break, the third the dead stretch.
    assert [r['block'] for r in records] == [0, 3, 4]
    assert left_out.metadata() == {'left_out_windows': {'dead': 1, 'lost_time': 1}, 'wild_samples': 1}
    # Each split asks for its blocks: windows add up, the wild samples of a recording are counted once.
    again = LeftOut()
    for blocks in ((0, 1, 2), (3,), (4,)):
        list(make_records(source, spec, blocks, again))
    assert again.metadata() == left_out.metadata()
    clean = [r for _, r in make_records(recording(signal(1)), spec, ALL_BLOCKS)]
    assert len(clean) == 5
    np.testing.assert_array_equal(records[1]['spectrogram'].shape, clean[3]['spectrogram'].shape)
    assert records[2]['rms'] == pytest.approx(clean[4]['rms'], rel=0.02)


def test_the_slow_part_stays_where_a_dataset_keeps_it():
    spec = dataclasses.replace(spec_of('vggish_none'), removed_below_hz=0.0)
    x = signal(1) + 1
    window = prepare_recording(recording(x), spec).window(12000)
    assert window.mean() == pytest.approx(1.0, abs=0.01)
