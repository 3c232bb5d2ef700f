"""Universal files as pyuff writes them: time records as channels, spectra refused, damage."""

from __future__ import annotations

import numpy as np
import pytest
import pyuff

from fdx.data.raw.files import raw_length, read_raw_file
from fdx.types import DataError
from tests.data.raw_file_checks import refuse

X = np.round(np.sin(np.arange(500) * 0.1), 4)


def record(data=X, rate_hz=25600.0, **facts):
    """A time record as a dictionary of pyuff."""
    n = len(data)
    common = dict.fromkeys(('id2', 'id3', 'id4', 'id5'), 'NONE')
    for axis in ('abscissa', 'ordinate', 'orddenom', 'z_axis'):
        common |= {f'{axis}_{k}_unit_exp': 0 for k in ('len', 'force', 'temp')}
        common |= {f'{axis}_axis_lab': 'NONE', f'{axis}_axis_units_lab': 'NONE', f'{axis}_spec_data_type': 0}
    return common | {
        'type': 58, 'binary': 0, 'func_type': 1, 'id1': 'NONE', 'func_id': 0, 'ver_num': 0, 'load_case_id': 0,
        'rsp_ent_name': 'NONE', 'rsp_node': 12, 'rsp_dir': 1, 'ref_ent_name': 'NONE', 'ref_node': 0, 'ref_dir': 0,
        'ord_data_type': 4, 'num_pts': n, 'abscissa_spacing': 1, 'abscissa_min': 0.0, 'abscissa_inc': 1 / rate_hz,
        'z_axis_value': 0.0, 'abscissa_spec_data_type': 17, 'abscissa_axis_units_lab': 's',
        'ordinate_spec_data_type': 12, 'ordinate_axis_lab': 'Acceleration', 'ordinate_axis_units_lab': 'm/s^2',
        'x': np.arange(n) / rate_hz, 'data': data, **facts,
    }  # fmt: skip


def uff(path, *sets):
    pyuff.UFF(str(path)).write_sets(list(sets), 'overwrite')
    return path


@pytest.mark.parametrize('binary', [0, 1])
@pytest.mark.parametrize('ordinate', [2, 4])
@pytest.mark.parametrize('suffix', ['.uff', '.unv'])
def test_one_record(tmp_path, binary, ordinate, suffix):
    path = tmp_path / f'a{suffix}'
    # pyuff writes binary sets in double precision only, and loses their headers where it overwrites.
    pyuff.UFF(str(path)).write_sets([record(binary=binary, ord_data_type=ordinate)], 'add', force_double=bool(binary))
    r = read_raw_file(path)
    assert (r.sample_rate_hz, r.unit, r.channel_names) == (25600.0, 'm/s^2', ('12+X',))
    np.testing.assert_allclose(r.samples[:, 0], X, atol=1e-6)
    np.testing.assert_array_equal(read_raw_file(path, start_s=0.005, stop_s=0.01).samples, r.samples[128:256])
    assert not raw_length(path).seekable


def test_sets_are_channels(tmp_path):
    path = uff(tmp_path / 'a.uff', *(record(i * X, rsp_dir=d) for i, d in enumerate((1, -2, 3), 1)))
    r = read_raw_file(path)
    assert r.channel_names == ('12+X', '12-Y', '12+Z')
    np.testing.assert_allclose(r.samples, np.stack([X, 2 * X, 3 * X], 1), atol=1e-6)
    np.testing.assert_array_equal(read_raw_file(path, channel='12-Y').samples, r.samples[:, 1:2])
    by_id = uff(tmp_path / 'b.uff', record(id1='drive end'), record(id1='fan end'))
    assert read_raw_file(by_id).channel_names == ('drive end', 'fan end')
    alike = uff(tmp_path / 'c.uff', record(), record())
    assert read_raw_file(alike, channel='set 2').channel_names == ('set 2',)


def test_other_rates_and_lengths_are_refused_with_the_names(tmp_path):
    path = uff(tmp_path / 'a.uff', record(id1='a'), record(id1='b', rate_hz=2000.0))
    refuse(path, 'different sampling rates', 'a: 25600 Hz', 'b: 2000 Hz')
    assert read_raw_file(path, channel='b').sample_rate_hz == 2000.0
    refuse(uff(tmp_path / 'b.uff', record(id1='a'), record(X[:50], id1='b')), 'different lengths', 'b: 50 samples')


def test_spectra_are_refused(tmp_path):
    spectrum = record(func_type=9, abscissa_spec_data_type=18)
    refuse(uff(tmp_path / 'a.uff', spectrum), 'no time record', 'set 1 is a power spectral density')
    response = record(X + 1j * X, func_type=4, ord_data_type=6, abscissa_spec_data_type=18)
    refuse(uff(tmp_path / 'a.uff', response), 'a frequency response')
    r = read_raw_file(uff(tmp_path / 'a.uff', spectrum, record()))
    assert r.samples.shape == (500, 1)
    assert r.notes == ('set 1 is a power spectral density: left out',)


def test_uneven_abscissa(tmp_path):
    path = uff(tmp_path / 'a.uff', record(rate_hz=1000.0, abscissa_spacing=0, abscissa_inc=0.0))
    r = read_raw_file(path)
    assert r.sample_rate_hz == 1000.0
    np.testing.assert_allclose(r.samples[:, 0], X, atol=1e-6)


def test_no_step_is_no_rate(tmp_path):
    path = uff(tmp_path / 'a.uff', record(x=np.zeros(500)))
    refuse(path, 'does not tell its sampling rate')
    assert read_raw_file(path, sample_rate_hz=500).sample_rate_hz == 500.0


def test_other_data_sets_and_damage(tmp_path, capsys):
    path = uff(tmp_path / 'a.uff', record())
    good = path.read_bytes()
    for content in (good[:5], good[:400], good[: len(good) // 2], b'garbage' * 200, bytes(3000), b'    -1\n    -1\n'):
        path.write_bytes(content)
        refuse(path, 'no complete data set 58')
    path.write_bytes(good.replace(b'       500', b'9999999999', 1))
    refuse(path, 'announces 9999999999 samples, 500 are there')
    lines = good.split(b'\n')
    for i in range(1, 13):
        path.write_bytes(b'\n'.join([*lines[:i], b'?' * 80, *lines[i + 1 :]]))
        try:
            read_raw_file(path)
        except DataError as e:
            assert len(str(e).splitlines()) == 1
    path.write_bytes(good.replace(b'e-01', b'?-01', 1))
    refuse(path, 'cannot read')
    assert capsys.readouterr() == ('', '')
