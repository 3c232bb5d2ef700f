"""The inputs of ../shared/cases that are about files: each script's right column. Siblings are in test_raw_*.py."""

from __future__ import annotations

import math
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from fdx.data.raw.files import read_raw_file
from fdx.signal.bearings import BEARINGS
from tests.data.raw_file_checks import refuse

CASES = pathlib.Path(__file__).resolve().parents[3] / 'shared' / 'cases'
# What of wav_variants.py is read whole: words that a note must hold, or None for no note.
WHOLE = {
    **dict.fromkeys(
        ('plain', 'riff_size_ffffffff_data_right', 'riff_size_zero_data_right', 'bext_junk_list', 'odd_chunk_padded')
    ),
    **dict.fromkeys(('rf64', 'rifx', 'stereo_same', 'stereo_second_silent')),
    'stream_ffffffff': 'does not say how many',
    'data_size_zero': 'does not say how many',
    'sizes_wrapped_at_4GiB': 'announces 12000 samples, but they go on',
    'trailing_garbage': '37 bytes after its samples',
}
REFUSED = {
    'ima_adpcm': 'IMA ADPCM in blocks of 0 bytes',
    'zero_length': 'holds no samples',
    'no_data_chunk': 'no data chunk',
    'zero_channels': '0 channels',
    'zero_rate': 'sampling rate of 0.0 Hz',
}
SCALED = {
    'extensible_24': 2**23 - 1,
    'extensible_20_in_24': 2**23 - 1,
    'extensible_float': 1.0,
    'float64': 1.0,
    'float_fmt18_fact': 1.0,
}


def make(script: str, folder: pathlib.Path, raw_data: pathlib.Path | None = None) -> pathlib.Path:
    """Runs a script of the cases; skips where they are absent."""
    if not (CASES / script).is_file():
        pytest.skip(f'{CASES / script} is absent')
    env = {'FDX_RAW_DATA': str(raw_data)} if raw_data else None
    subprocess.run([sys.executable, CASES / script, folder], check=True, env=env, timeout=120)
    return folder


@pytest.fixture(scope='module')
def wavs(tmp_path_factory):
    return make('wav_variants.py', tmp_path_factory.mktemp('wav'))


@pytest.fixture(scope='module')
def formats(raw_data, tmp_path_factory):
    return make('units_and_formats.py', tmp_path_factory.mktemp('formats'), raw_data)


def test_wav_variants(wavs):
    counts = np.load(wavs / 'reference.npy') * 32768
    names = {p.stem for p in wavs.glob('*.wav')}
    assert names == {*WHOLE, *REFUSED, *SCALED, 'mulaw'}
    for name, word in WHOLE.items():
        r = read_raw_file(wavs / f'{name}.wav')
        np.testing.assert_array_equal(r.samples[:, 0], counts, err_msg=name)
        assert (r.sample_rate_hz, r.unit) == (12000.0, 'counts')
        assert r.samples.shape == (36000, 2 if 'stereo' in name else 1)
        assert len(r.notes) == (word is not None)
        assert word is None or word in r.notes[0]
    for name, full_scale in SCALED.items():
        r = read_raw_file(wavs / f'{name}.wav')
        np.testing.assert_allclose(r.samples[:, 0] / full_scale, counts / 32767, atol=1 / 32767)
        assert r.notes == ()
        assert r.unit == ('counts' if full_scale > 1 else '')
    mulaw = read_raw_file(wavs / 'mulaw.wav')
    assert np.unique(mulaw.samples).tolist() == [-716.0]  # code 0x55 of G.711
    for name, word in REFUSED.items():
        refuse(wavs / f'{name}.wav', word)


def test_broken_mat_files(tmp_path, caplog):
    made = make('broken_files.py', tmp_path)
    refuse(made / 'one_byte_kills_the_process.mat', 'cannot be read as a MATLAB file', sample_rate_hz=12000)
    r = read_raw_file(made / 'rate_is_sampling_rate.mat')
    assert (r.sample_rate_hz, r.load, r.samples.shape) == (97656.0, 1.0, (97656, 1))
    assert math.isnan(r.speed_rpm)
    assert 'bearing.rate' in r.notes[0]
    assert r.notes[0] in caplog.text


def test_one_recording_in_every_format(formats):
    """Floats as float32 (half precision within its own), the same rate, and counts as counts."""
    x = np.load(formats / 'a_f8.npy')
    paths = sorted(formats.glob('a*'))
    assert len(paths) == 15
    for path in paths:
        r = read_raw_file(path, sample_rate_hz=None if path.suffix == '.wav' or 'time' in path.stem else 12000)
        if path.stem == 'a_semicolon':
            r = read_raw_file(path)
        assert r.sample_rate_hz == pytest.approx(12000, rel=1e-9)
        np.testing.assert_allclose(r.samples[:, 0], x, rtol=1e-3 if 'f2' in path.stem else 1e-6, atol=1e-6)
        assert (r.samples.shape, r.unit, r.notes) == ((36000, 1), '', ())
    counts = [read_raw_file(formats / f'u_counts_{n}', sample_rate_hz=12000) for n in ('i2.npy', 'i2.wav', 'u2.npy')]
    assert [r.unit for r in counts] == ['counts'] * 3
    np.testing.assert_array_equal(counts[0].samples, np.load(formats / 'u_counts_i2.npy')[:, None])
    np.testing.assert_array_equal(counts[0].samples, counts[1].samples)
    np.testing.assert_array_equal(counts[0].samples + 32768, counts[2].samples)


def test_one_verdict_for_every_format(formats):
    """105.mat has an inner-race fault: so say its fault orders in every format, and with counts for g."""
    from fdx.predict.condition import with_condition
    from fdx.predict.zero_shot import diagnose_zero_shot

    scores = []
    for path in (*sorted(formats.glob('a*')), *sorted(formats.glob('u_*'))):
        r = with_condition(read_raw_file(path, sample_rate_hz=12000), 1797.0, BEARINGS['skf_6205'])
        row = diagnose_zero_shot(r).rows()[-1]
        assert row['predicted'] == 'inner_race', path
        scores.append([found['z'] for found in row['evidence'].values()])
    np.testing.assert_allclose(scores, np.broadcast_to(scores[0], np.shape(scores)), rtol=0.1, atol=0.2)


def test_the_same_counts_as_wav_npy_mat_and_csv(tmp_path):
    """The always-run sibling: 16-bit counts through every writer."""
    import scipy.io.wavfile

    counts = np.round(np.random.default_rng(0).normal(size=4000) * 900).astype(np.int16)
    scipy.io.wavfile.write(tmp_path / 'a.wav', 12000, counts)
    np.save(tmp_path / 'a.npy', counts)
    for name, options in (('v4', {'format': '4'}), ('v5', {}), ('v7', {'do_compression': True})):
        scipy.io.savemat(tmp_path / f'{name}.mat', {'x': counts, 'fs': 12000}, **options)
    (tmp_path / 'a.csv').write_text('acc\n' + '\n'.join(map(str, counts)) + '\n')
    for path in sorted(tmp_path.iterdir()):
        r = read_raw_file(path, sample_rate_hz=12000)
        np.testing.assert_array_equal(r.samples[:, 0], counts, err_msg=str(path))
        assert r.unit == ('' if path.suffix == '.csv' else 'counts')
        assert (r.sample_rate_hz, r.notes) == (12000.0, ())
