"""Pieces of files: of every format the same samples as the whole, at the same place."""

from __future__ import annotations

import json
import struct
import subprocess
import sys

import numpy as np
import pytest
import scipy.io
import scipy.io.wavfile

from fdx.data.raw.files import raw_length, read_raw_file
from tests.data.raw_file_checks import refuse

N, RATE_HZ = 3000, 1000
COUNTS = np.round(1000 * np.sin(np.arange(N) * 0.1)).astype(np.int16)
BOTH = np.stack([COUNTS, -COUNTS], 1)


def write_as(folder, kind):
    path = folder / f'a.{kind.partition("-")[0]}'
    if kind == 'npy':
        np.save(path, BOTH)
    elif kind == 'npy-row':
        np.save(path, BOTH.T.copy())
    elif kind == 'npy-fortran':
        np.save(path, np.asfortranarray(BOTH))
    elif kind == 'wav':
        scipy.io.wavfile.write(path, RATE_HZ, BOTH)
    elif kind == 'mat':
        scipy.io.savemat(path, {'x': BOTH, 'fs': 1000})
    else:
        path.write_text('time,a,b\n' + ''.join(f'{i / RATE_HZ:.4f},{a},{b}\n' for i, (a, b) in enumerate(BOTH)))
    return path


@pytest.mark.parametrize('kind', ['npy', 'npy-row', 'npy-fortran', 'wav', 'mat', 'csv'])
def test_a_piece_is_the_same_as_in_the_whole(tmp_path, kind):
    path = write_as(tmp_path, kind)
    options = {'sample_rate_hz': RATE_HZ} if kind.startswith('npy') else {}
    np.testing.assert_array_equal(read_raw_file(path, **options).samples, BOTH)
    length = raw_length(path, **options)
    assert (length.num_samples, length.num_channels, length.sample_rate_hz, length.duration_s) == (N, 2, 1000.0, 3.0)
    assert length.seekable == (kind not in ('mat', 'csv'))
    for start_s, stop_s in ((None, 0.001), (0, 3), (1, 2), (2.999, None), (0.0104, 0.0114)):
        piece = read_raw_file(path, **options, start_s=start_s, stop_s=stop_s, channel=[1])
        start, stop = round(1000 * (start_s or 0)), round(1000 * (3 if stop_s is None else stop_s))
        np.testing.assert_array_equal(piece.samples, BOTH[start:stop, 1:])
    for start_s, stop_s, word in (
        (3, None, '`start_s` is 3'),
        (None, 3.1, '`stop_s` is 3.1'),
        (2, 1, 'no sample lies between'),
        (1, 1, 'no sample lies between'),
        (None, 0, 'no sample lies between'),
        (-0.5, None, '`start_s` is -0.5'),
        (None, float('nan'), '`stop_s` is nan'),
    ):
        refuse(path, word, start_s=start_s, stop_s=stop_s, **options)


def test_pieces_follow_each_other_without_gap_or_overlap(tmp_path):
    """At a rate at which no piece is a whole number of samples."""
    np.save(tmp_path / 'a.npy', np.arange(10_000))
    cuts = [i * 0.0731 for i in range(100) if i * 0.0731 < 10_000 / 1706.7] + [None]
    pieces = [
        read_raw_file(tmp_path / 'a.npy', sample_rate_hz=1706.7, start_s=a, stop_s=b).samples
        for a, b in zip(cuts, cuts[1:])
    ]
    np.testing.assert_array_equal(np.concatenate(pieces)[:, 0], np.arange(10_000))


def test_pieces_with_a_level_too_high_for_single_precision_have_one_level(tmp_path):
    x = np.concatenate([np.zeros(70_000), 100 * np.sin(np.arange(70_000) * 0.3)]) + 2.0**31
    np.save(tmp_path / 'a.npy', x)
    pieces = [
        read_raw_file(tmp_path / 'a.npy', sample_rate_hz=1000, start_s=s, stop_s=s + 10) for s in range(0, 140, 10)
    ]
    moving = np.concatenate([p.samples[:, 0] for p in pieces[7:]])
    np.testing.assert_allclose(moving, x[70_000:] - 2.0**31, atol=0.01)
    assert 'single precision' in pieces[8].notes[0]


def test_a_wav_with_a_doubtful_end_in_pieces(tmp_path):
    """The header tells of 1000 samples, 3000 are there: the rule is the same for the whole and for a piece."""
    path = write_as(tmp_path, 'wav')
    content = bytearray(path.read_bytes())
    content[40:44] = struct.pack('<I', 4000)
    path.write_bytes(content)
    assert raw_length(path).num_samples == len(read_raw_file(path).samples) == N
    np.testing.assert_array_equal(read_raw_file(path, start_s=2.5).samples, BOTH[2500:])


HOURS = """
import json, resource, sys
import numpy as np
from fdx.data.raw.files import raw_length, read_raw_file
path, options = sys.argv[1], json.loads(sys.argv[2])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
length = raw_length(path, **options)
total = 0.0
for start_s in range(0, int(length.duration_s), 60):
    piece = read_raw_file(path, **options, start_s=start_s, stop_s=min(start_s + 60, length.duration_s))
    total += float(np.abs(piece.samples, dtype=np.float64).sum())
print(length.num_samples, total, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize('suffix', ['npy', 'wav', 'h5'])
def test_a_long_file_in_pieces_takes_the_memory_of_a_piece(tmp_path, suffix):
    """64 MB of samples; a piece has 2.6 MB."""
    samples = np.zeros(32_000_000, np.int16)
    samples[::1000] = 3
    path, rate_hz, options = tmp_path / f'a.{suffix}', 22_000, {}
    if suffix == 'npy':
        np.save(path, samples)
        options = {'sample_rate_hz': rate_hz}
    elif suffix == 'wav':
        scipy.io.wavfile.write(path, rate_hz, samples)
    else:
        import h5py

        with h5py.File(path, 'w') as file:
            file['x'] = samples
            file['x'].attrs['fs'] = rate_hz
    done = subprocess.run(
        [sys.executable, '-c', HOURS, str(path), json.dumps(options)], capture_output=True, text=True, check=True
    )
    num_samples, total, grown = done.stdout.split()
    assert (int(num_samples), float(total)) == (32_000_000, 3 * 32_000)
    assert int(grown) < 40_000  # KiB
