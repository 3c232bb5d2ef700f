"""Builders leave nothing behind in the folder for temporary files."""

from __future__ import annotations

import tempfile

import pytest

from fdx.data.builders import builder_class


@pytest.mark.parametrize(('name', 'config'), [('bearing_rig', 'rig_b_small'), ('motor_maintenance', 'small')])
def test_a_builder_leaves_no_temporary_folder(tmp_path, monkeypatch, name, config):
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path / 'temporary'))
    (tmp_path / 'temporary').mkdir()
    builder_class(name)(config=config, data_dir=tmp_path / 'data')
    assert not list((tmp_path / 'temporary').iterdir())
