"""launch.predict on files of other formats: the same samples give the same verdict, and bare numbers need flags."""

from __future__ import annotations

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import soundfile
from nptdms import ChannelObject, TdmsWriter

from fdx.data.raw.binary import BinaryFormat
from fdx.types import ConfigError
from launch.flag_words import in_flags
from launch.format_flags import BINARY_FLAGS, FORMAT_FLAGS, Formats, TextFormat, check_formats
from tests.launch.test_predict_text import outer, rows_of, same, signal, verdict  # noqa: F401
from tests.launch.test_predict_zero_shot import RATE_HZ

RATE = f'--sample_rate={RATE_HZ}'


def test_one_verdict_for_all_formats(call, outer, signal, tmp_path):  # noqa: F811
    x, counts = signal, np.round(1000 * signal).astype(np.int32)
    with h5py.File(tmp_path / 'a.h5', 'w') as file:
        file['run/acc'] = x
        file['run/acc'].attrs['fs'] = RATE_HZ
    with TdmsWriter(tmp_path / 'a.tdms') as writer:
        writer.write_segment([ChannelObject('run', 'acc', x, {'wf_increment': 1 / RATE_HZ})])
    soundfile.write(tmp_path / 'a.aiff', x, RATE_HZ, subtype='DOUBLE')
    times = pa.table({'time': np.arange(len(x)) / RATE_HZ, 'acc': x})
    pyarrow.parquet.write_table(times, tmp_path / 'a.parquet')
    for suffix in ('h5', 'tdms', 'aiff', 'parquet'):
        row = verdict(call, tmp_path / f'a.{suffix}')
        assert row['predicted'] == outer['predicted']
        assert row['mean_probabilities'] == pytest.approx(outer['mean_probabilities'], abs=2e-3)
    (tmp_path / 'a.raw').write_bytes(b'header' + np.stack([counts * 0, counts], 1).astype('>i4').tobytes())
    flags = ('--dtype=int32', '--channels=2', '--byte_order=big', '--offset_bytes=6', '--channel=1')
    row = verdict(call, tmp_path / 'a.raw', RATE, *flags)
    assert row['predicted'] == 'outer_race'
    assert row['mean_probabilities'] == pytest.approx(outer['mean_probabilities'], abs=2e-3)


def test_bare_numbers_name_the_flags_that_they_need(call, tmp_path):
    for suffix in ('dat', 'raw'):
        (tmp_path / f'a.{suffix}').write_bytes(np.arange(3000, dtype='i2').tobytes())
        row = verdict(call, tmp_path / f'a.{suffix}')
        assert row['kind'] == 'error'
        for word in ('--dtype', '--channels', '--byte_order', '--offset_bytes', '--sample_rate'):
            assert word in row['error']


def test_flags_that_go_with_nothing(call, tmp_path):
    (tmp_path / 'a.csv').write_text('acc\n1\n2\n')
    (tmp_path / 'a.bin').write_bytes(bytes(100))
    for flags, name, word in (
        (['--channels=2'], 'a.bin', '--channels: goes with --dtype'),
        (['--byte_order=big', '--offset_bytes=1'], 'a.bin', '--byte_order and --offset_bytes: goes with --dtype'),
        (['--dtype=int16'], 'a.csv', '--dtype=int16: said of files without header (.bin, .raw, .dat, .pcm)'),
        (['--dtype=int16', '--channels=0'], 'a.bin', '--channels=0: a whole number'),
        (['--delimiter=tab'], 'a.bin', 'said of text files'),
    ):
        done = call('predict', '--zero_shot', '--bearing=skf_6205', '--speed_rpm=1500', *flags, tmp_path / name)
        assert done.code
        assert word in done.err + done.out


def test_in_a_folder_the_flags_apply_to_their_kind():
    binary = BinaryFormat('int16')
    formats = Formats(TextFormat(delimiter=';'), binary)
    assert formats.of('f/a.csv', ['f']) == {'text_format': formats.text, 'binary_format': None}
    assert formats.of('f/a.PCM', ['f']) == {'text_format': None, 'binary_format': binary}
    assert formats.of('f/a.wav', ['f']) == {'text_format': None, 'binary_format': None}
    assert formats.of('a.wav', ['a.wav']) == {'text_format': formats.text, 'binary_format': binary}
    assert formats.of('f/a.parquet', ['f'])['text_format'] is None
    timed = Formats(TextFormat(decimal=',', time_unit='ms'), None)
    assert timed.of('f/a.parquet', ['f'])['text_format'] == TextFormat(time_unit='ms')
    check_formats(['a.csv', 'b.bin'], formats)
    with pytest.raises(ConfigError, match='--dtype=int16'):
        check_formats(['a.csv'], formats)


def test_the_librarys_words_become_flags():
    assert in_flags('`num_channels`=3 and `dtype`', [*FORMAT_FLAGS, 'channel']) == '--channels=3 and --dtype'
    assert set(BINARY_FLAGS) == {'dtype', 'channels', 'byte_order', 'offset_bytes'}
