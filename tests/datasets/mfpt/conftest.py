"""Files as MFPT's are: the struct `bearing` with its fields in the two orders that occur."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.io
import tensorflow_datasets as tfds

from fdx.data.source import open_dataset
from fdx.datasets.mfpt import mfpt_dataset_builder as mfpt


def _write_mfpt(folder, file, signal=None, *, seed=0, name=None, **changes):
    """Writes a file of the table; `changes` replace fields, a field that is None is left out."""
    if signal is None:
        signal = np.random.default_rng(seed).normal(size=file.length).astype(np.float32)
    healthy = file.fault == 'normal'
    # Healthy files begin with the rate and have the load as a number, the others as text.
    fields = {'sr': float(file.rate_hz), 'gs': np.reshape(signal, (-1, 1)), 'load': float(file.load_lbs), 'rate': 25.0}
    if not healthy:
        fields = {'rate': 25.0, 'load': str(file.load_lbs), 'gs': fields['gs'], 'sr': fields['sr']}
    fields |= changes
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (name or file.name)
    scipy.io.savemat(path, {'bearing': {k: v for k, v in fields.items() if v is not None}, 'BPFO': 81.125})
    return path


@pytest.fixture(scope='session')
def write_mfpt():
    return _write_mfpt


def _prepare_mfpt(config, data_dir, manual_dir):
    """Builds a config from the files of a folder and opens it."""
    builder = mfpt.Builder(config=config, data_dir=data_dir)
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=manual_dir))
    return open_dataset(f'mfpt/{config}', data_dir)


@pytest.fixture(scope='session')
def prepare_mfpt():
    return _prepare_mfpt
