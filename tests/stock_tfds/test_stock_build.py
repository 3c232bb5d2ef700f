"""The stock `tfds build` program, TensorFlow and all, builds fdx's datasets as `launch.prepare` does.

It needs the environment of requirements-tfds.txt: `make test-tfds` makes it and names its Python in FDX_STOCK_PYTHON.
"""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from fdx.data.source import open_dataset

ROOT = pathlib.Path(__file__).resolve().parents[2]
STOCK = os.environ.get('FDX_STOCK_PYTHON')
pytestmark = pytest.mark.skipif(not STOCK, reason='needs requirements-tfds.txt: run `make test-tfds`')
STOCK_PROGRAM = ['-m', 'tensorflow_datasets.scripts.cli.main', 'build']


def _build(python: str, program: list[str], dataset: str, config: str, data_dir: pathlib.Path, raw: pathlib.Path):
    # The stock program runs under absolute paths: os.path.abspath keeps the venv's python, resolve() would leave it.
    command = [os.path.abspath(python), *program, f'datasets/{dataset}', f'--config={config}']
    command += [f'--data_dir={data_dir}', f'--manual_dir={raw}']
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, 'PYTHONPATH': str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize(
    ('dataset', 'config', 'count'), [('bearing_rig', 'rig_a_small', 600), ('cwru', 'load0_12k-vggish', 500)]
)
def test_stock_program_builds_the_same_records(dataset, config, count, tmp_path, raw_data):
    _build(STOCK, STOCK_PROGRAM, dataset, config, tmp_path / 'stock', raw_data)
    _build(sys.executable, ['-m', 'launch.prepare'], dataset, config, tmp_path / 'ours', raw_data)
    stock, ours = (open_dataset(f'{dataset}/{config}', tmp_path / side) for side in ('stock', 'ours'))
    assert len(stock) == len(ours) == count
    assert stock.metadata == ours.metadata
    for name, column in ours.table.columns.items():
        np.testing.assert_array_equal(stock.table[name], column)
    for row in range(0, count, 50):
        for field in ('spectrogram', 'waveform', 'waveform_scale'):
            # Other NumPy and SciPy builds may round differently in the last place of a float32.
            a, b = (np.asarray(d.record(row, (field,))[field], np.float64) for d in (stock, ours))
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1.0 if field == 'waveform' else 1e-5)
