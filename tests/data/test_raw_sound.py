"""FLAC, AIFF, Ogg and others as libsndfile writes them; compressed .wav; damage."""

from __future__ import annotations

import resource

import numpy as np
import pytest

from fdx.data.raw.files import raw_length, read_raw_file
from fdx.types import DataError
from tests.data.raw_file_checks import refuse

soundfile = pytest.importorskip('soundfile')
RATE_HZ = 25600
COUNTS = np.round(20000 * np.sin(np.arange(20_000) * 0.05) * np.linspace(0.1, 1, 20_000)).astype(np.int32)


def sound(path, counts=COUNTS, subtype='PCM_16', rate_hz=RATE_HZ, **options):
    """Counts of the subtype's bits, written in the upper bits of 32 as libsndfile takes them."""
    bits = {'PCM_16': 16, 'PCM_24': 24, 'PCM_32': 32, 'PCM_S8': 8, 'ALAC_16': 16, 'ALAC_24': 24}[subtype]
    soundfile.write(path, counts.astype(np.int32) << (32 - bits), rate_hz, subtype=subtype, **options)
    return path


@pytest.mark.parametrize(
    ('name', 'subtype', 'scale'),
    [
        ('a.flac', 'PCM_16', 1),
        ('a.flac', 'PCM_24', 256),
        ('a.flac', 'PCM_S8', 1 / 256),
        ('a.aiff', 'PCM_16', 1),
        ('a.aif', 'PCM_24', 200),
        ('a.w64', 'PCM_32', 10000),
        ('a.au', 'PCM_16', 1),
        ('a.caf', 'ALAC_24', 200),
        ('a.wav', 'PCM_24', 200),
    ],
)
def test_integers_keep_their_counts(tmp_path, name, subtype, scale):
    counts = np.round(COUNTS * scale).astype(np.int32)
    both = np.stack([counts, -counts], 1)
    path = sound(tmp_path / name, both, subtype, format='AIFF' if name == 'a.aif' else None)
    r = read_raw_file(path)
    assert (r.sample_rate_hz, r.unit, r.notes) == (RATE_HZ, 'counts', ())
    np.testing.assert_array_equal(r.samples, both.astype(np.float32))
    np.testing.assert_array_equal(read_raw_file(path, channel=1).samples[:, 0], -counts.astype(np.float32))
    for start, stop in ((0, 1), (1, 2), (4095, 4097), (12345, 20_000), (19_999, 20_000)):
        piece = read_raw_file(path, start_s=start / RATE_HZ, stop_s=stop / RATE_HZ)
        np.testing.assert_array_equal(piece.samples, both[start:stop].astype(np.float32))
    length = raw_length(path)
    assert (length.num_samples, length.sample_rate_hz, length.num_channels, length.seekable) == (
        20_000,
        RATE_HZ,
        2,
        True,
    )
    refuse(path, '`stop_s` is 1', '20000 samples', stop_s=1)


@pytest.mark.parametrize('subtype', ['FLOAT', 'DOUBLE'])
def test_floats_are_kept(tmp_path, subtype):
    values = np.array([1.5, -300.25, np.nan, np.inf, 0.1])
    soundfile.write(tmp_path / 'a.aiff', values, RATE_HZ, subtype=subtype)
    r = read_raw_file(tmp_path / 'a.aiff')
    assert r.unit == ''
    np.testing.assert_array_equal(r.samples[:, 0], values.astype(np.float32))


@pytest.mark.parametrize(('name', 'subtype'), [('a.ogg', 'VORBIS'), ('a.oga', 'VORBIS'), ('a.mp3', 'MPEG_LAYER_III')])
def test_codecs_that_lose_detail_say_so(tmp_path, name, subtype):
    tone = 0.5 * np.sin(np.arange(44100) * 0.05)
    kind = {'mp3': 'MP3'}.get(name[-3:], 'OGG')
    soundfile.write(tmp_path / name, tone, 44100, subtype=subtype, format=kind)
    r = read_raw_file(tmp_path / name)
    assert (r.sample_rate_hz, r.unit) == (44100.0, 'counts')
    assert 'loss of detail' in r.notes[0]
    assert np.abs(r.samples[4000:40_000]).max() == pytest.approx(16384, rel=0.05)


def test_a_wav_of_another_codec_or_kind(tmp_path):
    """GSM 6.10 is not read by our own reader, FLAC and AIFF under the name .wav are not either."""
    soundfile.write(tmp_path / 'gsm.wav', COUNTS.astype(np.int16), 8000, subtype='GSM610')
    r = read_raw_file(tmp_path / 'gsm.wav')
    assert 'loss of detail' in r.notes[0]
    assert np.corrcoef(r.samples[:20_000, 0], COUNTS)[0, 1] > 0.99
    for kind in ('FLAC', 'AIFF'):
        sound(tmp_path / 'other.wav', format=kind)
        np.testing.assert_array_equal(read_raw_file(tmp_path / 'other.wav').samples[:, 0], COUNTS)
    (tmp_path / 'flac.wav').write_bytes(b'fLaC' + bytes(100))
    refuse(tmp_path / 'flac.wav', 'holds FLAC')


@pytest.mark.parametrize('subtype', ['ULAW', 'IMA_ADPCM'])
def test_pieces_of_a_compressed_wav(tmp_path, subtype):
    soundfile.write(tmp_path / 'a.wav', COUNTS.astype(np.int16), 8000, subtype=subtype)
    whole = read_raw_file(tmp_path / 'a.wav').samples
    piece = read_raw_file(tmp_path / 'a.wav', start_s=1, stop_s=2).samples
    np.testing.assert_array_equal(piece, whole[8000:16000])


def test_cut_off(tmp_path):
    """What can be decoded is there, and a note; pieces agree with it."""
    good = sound(tmp_path / 'a.flac').read_bytes()
    path = tmp_path / 'b.flac'
    for share in (0.9, 0.5, 0.3):
        path.write_bytes(good[: int(share * len(good))])
        r = read_raw_file(path)
        n = len(r.samples)
        assert 0.5 * share * 20_000 < n < 20_000
        np.testing.assert_array_equal(r.samples[:, 0], COUNTS[:n])
        assert 'cut off' in r.notes[0]
        assert raw_length(path).num_samples == n
        piece = read_raw_file(path, start_s=(n - 100) / RATE_HZ)
        np.testing.assert_array_equal(piece.samples, r.samples[-100:])


def test_damage(tmp_path):
    good = sound(tmp_path / 'a.flac').read_bytes()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for suffix in ('.flac', '.aiff', '.ogg', '.mp3', '.w64', '.caf', '.au', '.opus'):
        for content in (good[:3], good[:30], b'garbage' * 99, bytes(5000), b'FORM' + bytes(50), b'OggS' + bytes(50)):
            (tmp_path / f'b{suffix}').write_bytes(content)
            refuse(tmp_path / f'b{suffix}')
    # Bytes 18 to 25 of the first block hold rate, channels, bits and the number of samples.
    rng = np.random.default_rng(0)
    for place in [*range(4, 60), *rng.integers(60, len(good), 30)]:
        content = bytearray(good)
        content[place] ^= 0xFF
        (tmp_path / 'b.flac').write_bytes(content)
        try:
            assert read_raw_file(tmp_path / 'b.flac', sample_rate_hz=1).samples.size <= 2**20
        except DataError as e:
            assert len(str(e).splitlines()) == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # KiB


def test_a_length_that_nothing_backs_and_silence(tmp_path, monkeypatch):
    content = bytearray(sound(tmp_path / 'a.flac').read_bytes())
    content[21] |= 0x0F  # The number of samples has 36 bits.
    content[22:26] = b'\xff' * 4
    (tmp_path / 'a.flac').write_bytes(content)
    r = read_raw_file(tmp_path / 'a.flac')
    np.testing.assert_array_equal(r.samples[:, 0], COUNTS)
    assert 'announces 68719476735 samples' in r.notes[0]
    content[21] &= 0xF0
    content[22:26] = bytes(4)  # a stream whose length was not known
    (tmp_path / 'a.flac').write_bytes(content)
    assert read_raw_file(tmp_path / 'a.flac').notes == ()
    monkeypatch.setattr('fdx.data.raw.sound.FREE_BYTES', 2**16)
    path = sound(tmp_path / 'silent.flac', np.zeros(2**21, np.int32))
    refuse(path, 'unpacks to', 'read it in pieces')
    assert not read_raw_file(path, start_s=1, stop_s=2).samples.any()
