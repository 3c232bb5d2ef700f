"""Recordings in .wav files: every sample that is there, or the true reason why there is none."""

from __future__ import annotations

import struct
import wave

import numpy as np
import pytest
import scipy.io.wavfile

from fdx.data.raw.files import read_raw_file
from fdx.data.raw.wav_chunks import read_layout, settle_size
from tests.data.raw_file_checks import refuse

RATE_HZ, NUM = 12000, 3000
COUNTS = np.round(np.random.default_rng(0).normal(size=NUM) * 3000).astype('<i2')
RAW = COUNTS.tobytes()
LIST = b'LIST' + struct.pack('<I', 26) + b'INFOISFT\x0e\0\0\0some recorder\0'
ID3 = b'id3 ' + struct.pack('<I', 3) + b'abc\0'
GUID = bytes.fromhex('000000001000800000aa00389b71')


def fmt(codec=1, channels=1, bits=16, rate_hz=RATE_HZ, extra=b'', block=None, order='<'):
    block = channels * bits // 8 if block is None else block
    body = struct.pack(f'{order}HHIIHH', codec, channels, rate_hz, rate_hz * block, block, bits) + extra
    return b'fmt ' + struct.pack(f'{order}I', len(body)) + body


def data(raw=RAW, size=None, order='<'):
    return b'data' + struct.pack(f'{order}I', len(raw) if size is None else size) + raw


def riff(*chunks, size=None, magic=b'RIFF', order='<'):
    body = b'WAVE' + b''.join(chunks)
    return magic + struct.pack(f'{order}I', len(body) if size is None else size) + body


def ds64(data_bytes, frames=NUM):
    return b'ds64' + struct.pack('<IQQQI', 28, 72 + data_bytes, data_bytes, frames, 0)


WHOLE = {
    'plain': riff(fmt(), data()),
    'riff size unknown': riff(fmt(), data(), size=0xFFFFFFFF),
    'riff size zero': riff(fmt(), data(), size=0),
    'chunks around': riff(b'JUNK' + struct.pack('<I', 28) + bytes(28), fmt(), LIST, data(), ID3, LIST),
    'odd chunk': riff(fmt(), b'note' + struct.pack('<I', 5) + b'hello\0', data()),
    'odd chunk without padding': riff(fmt(), b'note' + struct.pack('<I', 5) + b'hello', data()),
    'fmt after data': riff(data(), fmt()),
    'RF64': riff(ds64(len(RAW)), fmt(), data(size=0xFFFFFFFF), size=0xFFFFFFFF, magic=b'RF64'),
    'BW64': riff(ds64(len(RAW)), fmt(), data(size=0xFFFFFFFF), ID3, size=0xFFFFFFFF, magic=b'BW64'),
    'RIFX': riff(
        fmt(order='>'), data(COUNTS.astype('>i2').tobytes(), order='>'), magic=b'RIFX', order='>'
    ),
    'extensible': riff(fmt(0xFFFE, extra=struct.pack('<HHIH', 22, 16, 4, 1) + GUID), data()),
    'block size missing': riff(fmt(block=0), data()),
}  # fmt: skip
STREAMS = {
    'data size unknown': riff(fmt(), data(size=0xFFFFFFFF), size=0xFFFFFFFF),
    'data size zero': riff(fmt(), data(size=0), size=36),
    'ffmpeg, sox': riff(fmt(), data(size=0x7FFFF000), size=0x7FFFF024),
    'arecord': riff(fmt(), data(size=0x80000000), size=0x80000024),
    'header right but for the data': riff(fmt(), data(size=0)),
    'tags at the end': riff(fmt(), data(size=0xFFFFFFFF), LIST, ID3, size=0xFFFFFFFF),
    'tags at the end, size zero': riff(fmt(), data(size=0), LIST, size=36),
    'RF64 without sizes': riff(ds64(0, 0), fmt(), data(size=0xFFFFFFFF), size=0xFFFFFFFF, magic=b'RF64'),
    'RF64 unfinished': riff(b'JUNK' + struct.pack('<I', 28) + bytes(28), fmt(), data(size=0xFFFFFFFF)),
}
WRONG = {
    'wrapped': riff(fmt(), data(size=2000), size=2036),
    'wrapped, tags at the end': riff(fmt(), data(size=2000), LIST, size=2036),
    'stale': riff(fmt(), data(size=5000), size=5036),
    'cut off': riff(fmt(), data(size=len(RAW) + 1000), size=len(RAW) + 1036),
}


@pytest.mark.parametrize(('kind', 'content'), WHOLE.items())
def test_every_sample_without_a_word(tmp_path, caplog, kind, content):
    (tmp_path / 'a.wav').write_bytes(content)
    r = read_raw_file(tmp_path / 'a.wav')
    np.testing.assert_array_equal(r.samples[:, 0], COUNTS)
    assert (r.sample_rate_hz, r.unit, r.notes, caplog.text) == (RATE_HZ, 'counts', (), '')


@pytest.mark.parametrize(('kind', 'content'), [*STREAMS.items(), *WRONG.items()])
def test_every_sample_and_a_note_where_the_size_is_wrong(tmp_path, caplog, kind, content):
    (tmp_path / 'a.wav').write_bytes(content)
    r = read_raw_file(tmp_path / 'a.wav')
    np.testing.assert_array_equal(r.samples[:, 0], COUNTS)
    (note,) = r.notes
    assert note in caplog.text
    assert f'{NUM}' in note
    words = 'does not say how many' if kind in STREAMS else 'its header announces'
    assert words in note
    assert ('cut off' in note) == (kind == 'cut off')


@pytest.mark.parametrize(
    ('rest', 'word'),
    [
        (bytes(37), '37 bytes'),
        (bytes(5000), '5000 bytes'),
        (b'recorded by somebody with something\n', '36 bytes'),
        (b'TAG' + b'a title'.ljust(50), '53 bytes'),
        (b'\x7f' * 500, 'does not look like samples'),
    ],
)
def test_what_follows_the_samples_is_left_out_with_a_note(tmp_path, rest, word):
    (tmp_path / 'a.wav').write_bytes(riff(fmt(), data()) + rest)
    r = read_raw_file(tmp_path / 'a.wav')
    np.testing.assert_array_equal(r.samples[:, 0], COUNTS)
    assert any(word in note for note in r.notes)


@pytest.mark.parametrize('after', [b'', LIST])
def test_four_gibibytes_and_more(tmp_path, after):
    """A real wrap, in a file with a hole: 2**32 + 6000 bytes of samples under a size of 6000."""
    path, true = tmp_path / 'a.wav', 2**32 + len(RAW)
    path.write_bytes(riff(fmt(), data(), size=len(RAW) + 36))
    with path.open('r+b') as file:
        file.truncate(44 + true)
        file.seek(44 + true)
        file.write(after)
    with path.open('rb') as file:
        size, doubtful, note = settle_size(file, read_layout(file, path), 2, 'samples')
    assert (size, doubtful) == (true, 0)
    assert f'all {true // 2} were read' in note


def test_a_second_data_chunk_and_an_incomplete_sample_are_named(tmp_path):
    (tmp_path / 'a.wav').write_bytes(riff(fmt(), data(), data()))
    r = read_raw_file(tmp_path / 'a.wav')
    assert len(r.samples) == NUM
    assert 'second chunk data follows' in r.notes[0]
    (tmp_path / 'b.wav').write_bytes(riff(fmt(channels=2), data(RAW[:-1], size=0)))
    r = read_raw_file(tmp_path / 'b.wav')
    assert r.samples.shape == (NUM // 2 - 1, 2)
    assert any('last 3 bytes are not a whole sample' in note for note in r.notes)


@pytest.mark.parametrize(
    ('width', 'raw', 'expected'),
    [
        (1, bytes([0, 255, 128]), [-128, 127, 0]),
        (2, struct.pack('<3h', -(2**15), 2**14, 123), [-(2**15), 2**14, 123]),
        (3, b'\x00\x00\x80\x00\x00\x40\x01\x00\x00', [-(2**23), 2**22, 1]),
        (4, struct.pack('<3i', -(2**31), 2**30, 2**8), [-(2**31), 2**30, 2**8]),
    ],
)
def test_integers_keep_their_counts(tmp_path, width, raw, expected):
    with wave.open(str(tmp_path / 'a.wav'), 'wb') as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(25600)
        file.writeframes(raw)
    r = read_raw_file(tmp_path / 'a.wav')
    assert (r.sample_rate_hz, r.unit) == (25600.0, 'counts')
    assert r.samples[:, 0].tolist() == expected


@pytest.mark.parametrize('order', ['<', '>'])
def test_24_bits_in_both_byte_orders_and_20_in_24(tmp_path, order):
    wide = np.array([-(2**23), 2**23 - 1, -1, 0x123456], f'{order}i4')
    raw = wide.view(np.uint8).reshape(-1, 4)[:, slice(0, 3) if order == '<' else slice(1, 4)].tobytes()
    magic = b'RIFF' if order == '<' else b'RIFX'
    for form in (
        fmt(bits=24, order=order),
        fmt(0xFFFE, bits=24, order=order, extra=struct.pack(f'{order}HHIH', 22, 20, 4, 1) + GUID),
    ):
        (tmp_path / 'a.wav').write_bytes(riff(form, data(raw, order=order), magic=magic, order=order))
        assert read_raw_file(tmp_path / 'a.wav').samples[:, 0].tolist() == wide.tolist()


@pytest.mark.parametrize('dtype', ['<f4', '<f8'])
def test_floats_are_kept(tmp_path, dtype):
    values = np.array([1.5, -3, 0, 7], dtype)
    for form in (
        fmt(3, bits=values.itemsize * 8),
        fmt(3, bits=values.itemsize * 8, extra=b'\0\0') + b'fact' + struct.pack('<II', 4, 4),
        fmt(0xFFFE, bits=values.itemsize * 8, extra=struct.pack('<HHIH', 22, 32, 4, 3) + GUID),
    ):
        (tmp_path / 'a.wav').write_bytes(riff(form, data(values.tobytes())))
        r = read_raw_file(tmp_path / 'a.wav')
        assert (r.samples[:, 0].tolist(), r.unit) == (values.tolist(), '')


def test_a_given_rate_wins(tmp_path, caplog):
    path = tmp_path / 'a.WAV'
    scipy.io.wavfile.write(path, 8000, np.array([[1.5, -3], [0, 7]], np.float32))
    assert read_raw_file(path, sample_rate_hz=8000).samples.tolist() == [[1.5, -3], [0, 7]]
    assert not caplog.records
    r = read_raw_file(path, sample_rate_hz=8001)
    assert r.sample_rate_hz == 8001.0
    assert r.notes == ('`sample_rate_hz` 8001 Hz wins over the 8000 Hz of the header',)
    assert r.notes[0] in caplog.text


def test_codecs_are_decoded_to_counts(tmp_path):
    """ITU-T G.711: the largest mu-law code is 32124 of 16 bits, the largest A-law one 32256."""
    for codec, raw, expected in (
        (7, b'\x80\x00\xff\x7f\xfe', [32124, -32124, 0, 0, 8]),
        (6, b'\xaa\x2a\xd5\x55', [32256, -32256, 8, -8]),
    ):
        (tmp_path / 'a.wav').write_bytes(riff(fmt(codec, bits=8), data(raw, size=0), size=36))
        r = read_raw_file(tmp_path / 'a.wav')
        assert r.samples[:, 0].tolist() == expected
        assert r.unit == 'counts'
        assert any('-law' in note for note in r.notes)


def test_adpcm_follows_the_signal(tmp_path):
    soundfile = pytest.importorskip('soundfile')
    tone = np.round(8000 * np.sin(np.arange(5050) * 0.1)).astype(np.int16)
    for subtype in ('IMA_ADPCM', 'MS_ADPCM'):
        soundfile.write(tmp_path / 'a.wav', tone, RATE_HZ, subtype=subtype)
        r = read_raw_file(tmp_path / 'a.wav')
        assert len(r.samples) >= len(tone)
        assert np.corrcoef(r.samples[: len(tone), 0], tone)[0, 1] > 0.99


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        (riff(fmt(), data(b'')), ['holds no samples']),
        (riff(fmt(), data(b''), LIST), ['holds no samples']),
        (riff(fmt()), ['no data chunk', 'found: fmt']),
        (riff(data()), ['no fmt chunk']),
        (riff(fmt(channels=0), data()), ['0 channels']),
        (riff(fmt(rate_hz=0), data()), ['sampling rate of 0.0 Hz', 'sample_rate_hz']),
        (riff(fmt(0x55, bits=0), data()), ['0x0055 (MP3)', 'PCM']),
        (riff(fmt(0x1234), data()), ['0x1234']),
        (riff(fmt(0x11, bits=4, extra=struct.pack('<HH', 2, 505)), data()), ['IMA ADPCM', '0 bytes']),
        (riff(fmt(0xFFFE, extra=struct.pack('<HHIH', 22, 16, 4, 1) + bytes(14)), data()), ['sub-format']),
        (riff(fmt(3, bits=16), data()), ['float of 16 bits']),
        (riff(fmt(bits=0), data()), ['0 bits']),
        (riff(fmt(channels=3, block=4), data()), ['3 channels in 4 bytes']),
        (riff(b'JUNK' + struct.pack('<I', 10**6), fmt(), data()), ['JUNK leads past the end']),
        (riff(fmt(), b'\0\1\2\3' + bytes(100)), ['where a chunk should begin']),
        (bytes(1000), ['cannot be read as a .wav file']),
        (b'fLaC' + bytes(100), ['holds FLAC']),
        (b'FORM' + bytes(100), ['holds AIFF']),
    ],
)
def test_the_true_reason(tmp_path, content, words):
    (tmp_path / 'a.wav').write_bytes(content)
    refuse(tmp_path / 'a.wav', *words)


def test_a_rate_of_zero_can_be_given(tmp_path):
    (tmp_path / 'a.wav').write_bytes(riff(fmt(rate_hz=0), data()))
    assert read_raw_file(tmp_path / 'a.wav', sample_rate_hz=500).sample_rate_hz == 500.0


def test_a_changed_rate_shows_in_the_bytes_per_second(tmp_path):
    content = bytearray(riff(fmt(), data()))
    content[25] ^= 0x40  # 12000 Hz -> 28384 Hz
    (tmp_path / 'a.wav').write_bytes(content)
    (note,) = read_raw_file(tmp_path / 'a.wav').notes
    assert 'contradicts itself: 28384 Hz, but 24000 bytes per second are 12000 Hz' in note


def test_cut_at_every_byte(tmp_path):
    """Cut in the header: refused. Cut in the samples: those that are there, and a note."""
    path = tmp_path / 'a.wav'
    content = riff(fmt(), data(RAW[:200]))
    for size in range(1, len(content)):
        path.write_bytes(content[:size])
        if size < 46:
            refuse(path, 'cut off')
        else:
            r = read_raw_file(path)
            np.testing.assert_array_equal(r.samples[:, 0], COUNTS[: (size - 44) // 2])
            assert 'cut off' in r.notes[0]
