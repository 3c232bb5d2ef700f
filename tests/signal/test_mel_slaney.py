"""Slaney's mel scale and librosa's filters, against librosa's own arrays (tests/golden/make_triaxial.py)."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from fdx.signal import mel_slaney
from fdx.signal.mel import empty_filters
from fdx.types import ConfigError


@pytest.fixture(scope='module')
def golden():
    with np.load(pathlib.Path(__file__).parents[1] / 'golden' / 'triaxial.npz') as file:
        return dict(file)


def test_the_scale_is_linear_to_1_khz_and_logarithmic_above():
    np.testing.assert_allclose(mel_slaney.hz_to_mel([0.0, 200.0, 1000.0, 6400.0]), [0, 3, 15, 42], atol=1e-12)
    hz = np.array([0.0, 1.0, 999.0, 1000.0, 1001.0, 20000.0])
    np.testing.assert_allclose(mel_slaney.mel_to_hz(mel_slaney.hz_to_mel(hz)), hz, rtol=1e-12)


def test_edges_and_filters_are_those_of_librosa(golden):
    np.testing.assert_allclose(mel_slaney.mel_edges_hz(128, 0.0, 11025.0), golden['edges_hz'], rtol=1e-12)
    for rate_hz, name, empty in ((1000.0, 'bank', 0), (22050.0, 'bank_22050', 20)):
        bank = mel_slaney.mel_filter_bank(128, 256, rate_hz, 0.0, rate_hz / 2)
        assert bank.shape == golden[name].shape == (129, 128)
        # librosa keeps float32.
        np.testing.assert_allclose(bank, golden[name], rtol=2e-6, atol=2e-8)
        wanted = np.flatnonzero(golden[name].max(axis=0) == 0)
        assert empty_filters(bank).tolist() == wanted.tolist()
        assert len(wanted) == empty
        assert not bank.flags.writeable


def test_filters_have_the_area_of_one_bin_width():
    bank = mel_slaney.mel_filter_bank(20, 8192, 8000.0, 100.0, 4000.0)
    np.testing.assert_allclose(bank.sum(axis=0) * 8000.0 / 8192, 1.0, rtol=2e-3)


def test_a_band_beyond_nyquist_is_refused():
    with pytest.raises(ConfigError, match='Nyquist frequency 500 Hz'):
        mel_slaney.mel_filter_bank(128, 256, 1000.0, 0.0, 501.0)
