"""Fixtures that every room's tests share."""

from __future__ import annotations

import gc
import importlib.metadata
import importlib.util
import os
import pathlib
import re
import shutil
import sys
import tempfile

import jax
import pytest
import threadpoolctl

from fdx.train.config import TrainConfig
from fdx.train.run import train

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Rooms whose files take longest. They are dealt to the workers first: else one of them works alone at the end. xdist
# would deal files with many tests first, and so the long ones with few tests last.
LONG_ROOMS = ('launch', 'train', 'models', 'synth')
# Half of the suite's time would go into compiling programs that run once, on little data. With these options XLA takes
# less than half of it; results agree with those of users up to rounding, which is what the goldens allow. A program is
# not cut into parts that are compiled side by side: together the parts take longer, and the other worker needs the
# other core. A name that XLA does not know ends the process, so other versions get none.
QUICK_TO_COMPILE = (
    '--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true '
    '--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1'
)
if importlib.metadata.version('jaxlib').startswith('0.10.'):
    os.environ.setdefault('XLA_FLAGS', QUICK_TO_COMPILE)  # An empty XLA_FLAGS: compiled as for users.


COMPILED = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Files are dealt in the order of `pytest_collection_modifyitems`; programs are compiled once for all processes."""
    # The workers need all cores. Threads of BLAS that wait for a core took up to a third of the CPU time.
    threadpoolctl.threadpool_limits(1, 'blas')
    os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')  # Of what tests start.
    if hasattr(config.option, 'loadscopereorder'):
        config.option.loadscopereorder = False
    if 'JAX_COMPILATION_CACHE_DIR' not in os.environ:  # Workers, and what tests start, inherit the folder.
        folder = tempfile.mkdtemp(prefix='fdx-compiled-', dir=os.environ.get('PYTEST_DEBUG_TEMPROOT'))
        config.stash[COMPILED] = folder
        os.environ |= {'JAX_COMPILATION_CACHE_DIR': folder, 'JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS': '0'}
        jax.config.update('jax_compilation_cache_dir', folder)
        jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.0)


def pytest_unconfigure(config: pytest.Config) -> None:
    """The next session compiles again."""
    if COMPILED in config.stash:
        shutil.rmtree(config.stash[COMPILED], ignore_errors=True)
        # Not for a session that the same process may start afterwards.
        os.environ.pop('JAX_COMPILATION_CACHE_DIR', None)


def pytest_collection_finish() -> None:
    """What was imported stays: the search for unused objects, a twentieth of the time, leaves it out and is rarer."""
    gc.freeze()
    gc.set_threshold(5_000, 10, 10)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files of LONG_ROOMS first; the order within a file stays."""
    folder = pathlib.Path(__file__).resolve().parent
    items.sort(key=lambda item: item.path.relative_to(folder).parts[0] not in LONG_ROOMS)


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


@pytest.fixture(scope='session')
def table_run(tmp_path_factory) -> pathlib.Path:
    """A small MLP on a table of 1500 readings, trained for a few epochs, with a threshold; tests only read it."""
    from fdx.data.prepare import prepare_if_missing

    folder = tmp_path_factory.mktemp('table')
    dataset = 'motor_maintenance/small'
    prepare_if_missing(dataset, str(folder / 'data'), None)
    settings = {'protocol': 'stratified', 'model': 'mlp', 'dropout_rate': 0.0, 'batch_size': 128, 'threshold': 'cost:2'}
    config = TrainConfig(dataset, str(folder / 'data'), epochs=4, learning_rate=1e-2, halve_every=0, **settings)
    train(config, folder / 'table_run')
    return folder / 'table_run'


@pytest.fixture(scope='module')
def short_timing():
    """Timing exported models takes seconds; where it is not what is tested it takes none."""
    from fdx.export import verify

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify, 'SECONDS_A_ROUND', 0.002)
        yield


def _load(name: str):
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / 'tests' / f'{name}.py')
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope='session')
def says():
    """says(text, 'a ... b') -> bool: a occurs in the text and b after it; the words between them are free.

    For messages: name the offending value, the place and the remedy, not the sentence around them.
    """
    return lambda text, parts: bool(re.search('.*'.join(map(re.escape, parts.split(' ... '))), text, re.DOTALL))


@pytest.fixture(scope='session')
def rig():
    """tests/tiny_rig.py."""
    return _load('tiny_rig')


@pytest.fixture(scope='session')
def data_dir(rig, tmp_path_factory) -> pathlib.Path:
    """Prepared: the training machine, its recordings with the gain kept, and another machine."""
    folder = tmp_path_factory.mktemp('data')
    rig.prepare(folder, 'rig_b_small', 'rig_b_small-vggish_train', 'rig_a_small')
    return folder


@pytest.fixture(scope='session')
def make_run(rig, data_dir, tmp_path_factory):
    """make_run(name, **fields of TrainConfig) -> workdir of a head trained for two epochs."""

    def make(name: str, **fields) -> pathlib.Path:
        common = {
            'dataset': 'bearing_rig/rig_b_small',
            'data_dir': str(data_dir),
            'model_options': {'width_multiplier': rig.WIDTH},
            'freeze': 'head',
            'epochs': 2,
            'batch_size': 4,
            'learning_rate': 0.05,
        }
        workdir = tmp_path_factory.mktemp('runs') / name
        train(TrainConfig(**{**common, **fields}), workdir)
        return workdir

    return make


@pytest.fixture(scope='session')
def run(make_run) -> pathlib.Path:
    """Fold 0 of time_blocks."""
    return make_run('run')


@pytest.fixture(scope='session')
def two_folds(make_run, tmp_path_factory) -> pathlib.Path:
    """Folds 1 and 3 of time_blocks, trained on data whose gain is fitted."""
    root = tmp_path_factory.mktemp('folds')
    for fold in (1, 3):
        os.replace(make_run('x', fold=fold, dataset='bearing_rig/rig_b_small-vggish_train'), root / f'fold_{fold}')
    return root
