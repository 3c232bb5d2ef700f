"""Recordings at 48,828 Hz and at 97,656 Hz in one dataset: one rate, one band, no class told by either."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.signal

from fdx.data.prepared import prepare_recording
from fdx.data.protocols.splits import folds_of, split_rows
from fdx.datasets.mfpt import mfpt_dataset_builder as mfpt
from fdx.datasets.mfpt.files import FILES, Subset
from fdx.datasets.mfpt.reader import read_file

LOW_HZ = 48828


def signal(file, seed, tones):
    """White noise, as strong per Hz at either rate, and tones of {Hz: amplitude}."""
    noise = np.random.default_rng(seed).normal(0, (file.rate_hz / LOW_HZ) ** 0.5, file.length)
    t = np.arange(file.length) / file.rate_hz
    return (noise + sum(a * np.sin(2 * np.pi * hz * t) for hz, a in tones.items())).astype(np.float32)


@pytest.fixture(scope='module')
def tiny():
    """Three recordings a class, the healthy and the outer-race ones at 97,656 Hz."""
    stems = [f'{s}_{i}' for s in ('baseline', 'InnerRaceFault_vload', 'OuterRaceFault') for i in (1, 2, 3)]
    files = [FILES[s] for s in stems]
    return Subset('all', 'Nine files.', tuple(dataclasses.replace(f, duration_s=f.duration_s / 3) for f in files))


@pytest.fixture(scope='module')
def everything(tiny, tmp_path_factory, write_mfpt, prepare_mfpt):
    manual = tmp_path_factory.mktemp('synthetic')
    for i, file in enumerate(tiny.files):
        write_mfpt(manual / 'unpacked' / file.fault, file, signal(file, i, {1000: 1.0}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(mfpt.SUBSETS, 'all', tiny)
        return prepare_mfpt('all-vggish', tmp_path_factory.mktemp('mfpt'), manual)


def density(x, rate_hz):
    return scipy.signal.welch(np.asarray(x, np.float64), rate_hz, 'blackmanharris', nperseg=rate_hz // 12)


def test_all_has_three_classes_at_one_rate(everything, tiny):
    table = everything.table
    assert everything.class_names() == ['normal', 'inner_race', 'outer_race']
    assert set(table['sample_rate_hz']) == {48828.0}
    # 11 windows in 2 s, 1 in 1 s, three recordings each.
    assert np.bincount(table['label']).tolist() == [33, 3, 33]
    assert dict(zip(table['recording'].tolist(), table['domain'].tolist())) == {
        file.recording: file.domain for file in tiny.files
    }
    for fold in folds_of('by_recording', table):
        splits = split_rows(table, 'by_recording', fold=fold)
        assert set(table['label'][splits.test]) == {0, 1, 2}
    assert folds_of('by_recording', table) == [0, 1, 2]
    waveforms = {n: everything.read([int(np.flatnonzero(table['label'] == n)[1])], 'waveform')[0] for n in range(3)}
    for x in waveforms.values():
        hz, power = density(x[:, 0], LOW_HZ)
        # The tone is at 1 kHz whatever the rate of the file, and the band ends at 0.9 of 24,414 Hz.
        assert hz[power.argmax()] == pytest.approx(1000, abs=LOW_HZ / (LOW_HZ // 12))
        assert power[hz > 22200].mean() < 1e-5 * power[(hz > 15000) & (hz < 20000)].mean()


def test_healthy_recordings_are_brought_to_the_common_band(tmp_path, write_mfpt):
    spec = mfpt.Builder(config='all-vggish', data_dir=tmp_path).record_spec()
    densities = {}
    # The healthy machine's tone at 30 kHz lies above the common band, and would fold to 18,828 Hz.
    for stem, tones in (
        ('baseline_1', {8000: 1.0, 30000: 10.0}),
        ('InnerRaceFault_vload_1', {8000: 1.0, 23000: 10.0}),
    ):
        file = dataclasses.replace(FILES[stem], duration_s=2.0)
        x = signal(file, 1, tones)
        recording = read_file(write_mfpt(tmp_path, file, x), file)
        assert recording.sample_rate_hz == file.rate_hz
        prepared = prepare_recording(recording, spec).recording
        assert prepared.sample_rate_hz == LOW_HZ
        assert prepared.samples.shape == (2 * LOW_HZ, 1)
        densities[stem] = density(prepared.samples[:, 0], LOW_HZ)
    hz, healthy = densities['baseline_1']
    faulty = densities['InnerRaceFault_vload_1'][1]
    # The noise is equal up to the end of the band, and gone above it.
    for low, high in ((100, 7000), (9000, 20000), (18700, 18950), (20000, 20800)):
        inside = (hz > low) & (hz < high)
        assert healthy[inside].mean() == pytest.approx(faulty[inside].mean(), rel=0.15), (low, high)
    above = hz > 22200
    level = healthy[(hz > 9000) & (hz < 20000)].mean()
    assert max(healthy[above].max(), faulty[above].max()) < 1e-4 * level
    at_8_khz = (hz > 7900) & (hz < 8100)
    # A tone of amplitude 1 has a power of 0.5.
    tone = healthy[at_8_khz].sum() * (hz[1] - hz[0]) - level * 200
    assert tone == pytest.approx(0.5, rel=0.1)
