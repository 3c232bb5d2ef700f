"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


def _raw_data_dir() -> pathlib.Path | None:
    candidates = [os.environ.get('FDX_RAW_DATA'), ROOT.parent / 'shared' / 'data']
    return next((pathlib.Path(c) for c in candidates if c and (pathlib.Path(c) / 'cwru').is_dir()), None)


@pytest.fixture(scope='session')
def raw_data() -> pathlib.Path:
    """Folder of real recordings (cwru/, mfpt/, soon/); absent: a skip, but a failure where CI=true."""
    found = _raw_data_dir()
    if found is None:
        reason = 'real recordings are absent: put them into ../shared/data or name their folder in FDX_RAW_DATA'
        if os.environ.get('CI') == 'true':
            pytest.fail(reason)
        pytest.skip(reason)
    return found
