"""The package itself builds a private dataset from its YAML, and fdx reads what the package reads.

It needs bearing-datasets 0.3 in this environment or in that of FDX_BEARING_DATASETS_PYTHON.
"""

from __future__ import annotations

import importlib.util
import os
import pathlib
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest

from fdx.data.collection.collect import open_collection
from fdx.data.collection.read import read_entry

GOLDEN = pathlib.Path(__file__).parents[2] / 'golden'
SCRIPT = """
import pathlib, sys
sys.path.insert(0, sys.argv[1])
import bearing_datasets, make_bearing_datasets, numpy
built = make_bearing_datasets.build(pathlib.Path(sys.argv[2]))
dataset = bearing_datasets.open('tiny_rig', sys.argv[2])
signals = dataset.iter_signals(dataset.metadata().signal_id)
numpy.savez(built / 'signals.npz', **{name.replace('/', '|'): x for name, x in signals})
"""


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    """The folder of a dataset that is built now, with the signals as the package reads them."""
    python = os.environ.get('FDX_BEARING_DATASETS_PYTHON')
    if not python and importlib.util.find_spec('bearing_datasets') is None:
        pytest.skip('bearing-datasets is not installed: name a Python that has it in FDX_BEARING_DATASETS_PYTHON')
    root = tmp_path_factory.mktemp('built')
    command = [python or sys.executable, '-c', SCRIPT, str(GOLDEN), str(root)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, 'XDG_CONFIG_HOME': str(root)})
    return root / 'tiny_rig'


def test_fdx_reads_what_the_package_reads(built):
    entries = {e.recording: e for e in open_collection(str(built)).entries}
    assert len(entries) == 6
    with np.load(built / 'signals.npz') as signals:
        assert len(signals.files) == 16
        for name, entry in entries.items():
            found = read_entry(entry)
            assert found.channel_names == ('DE', 'FE')
            np.testing.assert_array_equal(found.samples[:, 0], signals[f'{name}|DE'])
            np.testing.assert_array_equal(found.samples[:, 1], signals[f'{name}|FE'])


def test_the_golden_files_are_what_it_builds(built):
    for file in ('metadata.parquet', 'signals/part-float32.parquet', 'signals/part-int16.parquet'):
        new, kept = (pq.read_table(folder / file) for folder in (built, GOLDEN / 'bearing_datasets' / 'tiny_rig'))
        assert new.schema.names == kept.schema.names and new.to_pylist() == kept.to_pylist()
