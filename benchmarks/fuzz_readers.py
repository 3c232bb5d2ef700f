"""The child process of `benchmarks.fuzz`: reads damaged inputs of one kind and reports the result of each.

    python -m benchmarks.fuzz_readers --kind=mat --seed=0 --first=0 --last=700     (a JSON line for each input)

Input n of a seed does not depend on the inputs before it, so `--first=n --last=n+1` repeats a single one.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import pathlib
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable

import numpy as np

from fdx.types import FdxError

from .fuzz_bases import BASES
from .fuzz_damage import damaged
from .fuzz_recordings import Base

LIMIT_BYTES = 2 * 2**30
NORM = {'bn': {'mean': np.array([0.5, -0.0], np.float32), 'var': np.array([1.0, 2.0], np.float32)}}
HEAD = {'kernel': np.arange(6, dtype=np.float32).reshape(2, 3), 'bias': np.arange(3, dtype=np.float32)}
CHECKPOINT = {'params': {'head': HEAD}, 'batch_stats': {'head': NORM}}
PREFIX = {'params': {'stage1': {'kernel': np.full((4, 5), 0.1, np.float32)}}, 'batch_stats': {'stage1': NORM}}
OPTIMISER = (np.int32(7), {'mu': np.ones(3, np.float32)})
Read = Callable[[pathlib.Path], list[np.ndarray]]


def _recording(path: pathlib.Path) -> list[np.ndarray]:
    from fdx.data.raw.files import read_raw_file

    try:
        return [read_raw_file(path).samples]
    except FdxError as e:
        if 'sample_rate_hz' not in str(e):
            raise
    return [read_raw_file(path, sample_rate_hz=12000).samples]


def _torch(path: pathlib.Path) -> list[np.ndarray]:
    from fdx.weights.readers.torch_file import read_torch_file

    return list(read_torch_file(path).values())


def _safetensors(path: pathlib.Path) -> list[np.ndarray]:
    import jax

    from fdx.weights.files import load_weights

    return jax.tree.leaves(load_weights(path)[0])


def _tflite(path: pathlib.Path) -> list[np.ndarray]:
    from fdx.predict.backends.tflite_file import read_model

    model, description = read_model(path)
    return [np.frombuffer(model, np.uint8), np.array(json.dumps(description))]


def _checkpoint(path: pathlib.Path) -> list[np.ndarray]:
    import jax

    from fdx.train.checkpoints import Checkpoints

    with contextlib.closing(Checkpoints(path)) as checkpoints:
        step = checkpoints.resolve('best')
        checkpoints.verify(step)
        restored = checkpoints.restore_variables(step, CHECKPOINT, PREFIX)
        return [np.asarray(leaf) for leaf in jax.tree.leaves((restored, checkpoints.meta(step)['selection']['score']))]


READERS: dict[str, Read] = {
    **dict.fromkeys(('mat', 'csv', 'npy', 'wav'), _recording),
    'pth': _torch,
    'safetensors': _safetensors,
    'tflite': _tflite,
    'checkpoint': _checkpoint,
}


def _write(base: Base, files: dict[str, bytes], folder: pathlib.Path) -> pathlib.Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder / base.main if base.main else folder


def _equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    """Whether arrays are equal; shapes are compared first, because a damaged array may be a view of huge size."""
    return len(one) == len(other) and all(
        a.shape == b.shape and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == 'f')
        for a, b in zip(one, other)
    )


def _peak_bytes() -> int:
    """Peak of resident memory since `_reset_peak`, or since the start of the process if the kernel cannot reset it."""
    with contextlib.suppress(OSError, StopIteration):
        lines = pathlib.Path('/proc/self/status').read_text(encoding='ascii').splitlines()
        return 1024 * int(next(line for line in lines if line.startswith('VmHWM')).split()[1])
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _reset_peak() -> None:
    with contextlib.suppress(OSError):
        pathlib.Path('/proc/self/clear_refs').write_text('5', encoding='ascii')


def _limit_memory() -> None:
    """Limits the address space to 2 GB more than now; a larger request raises a MemoryError, which is counted."""
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = pathlib.Path('/proc/self/status').read_text(encoding='ascii').splitlines()
        size = 1024 * int(next(line for line in lines if line.startswith('VmSize')).split()[1])
        resource.setrlimit(resource.RLIMIT_AS, (size + LIMIT_BYTES, resource.RLIM_INFINITY))


def _wants_memory(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_unforeseen(error: FdxError) -> bool:
    """Whether a boundary made the error from an exception that no reader expects: a defect for us."""
    return error.__cause__ is not None and f'cannot be read ({type(error.__cause__).__name__}: ' in str(error)


def read_one(read: Read, path: pathlib.Path, base: Base, sound: list[np.ndarray]) -> dict:
    """The result of one input: {'result': refused, same, differs, wrong or traceback, 'seconds', 'bytes', 'text'}.

    wrong: it was accepted with other content, although a checksum covers it.
    """
    _reset_peak()
    before, began = _peak_bytes(), time.perf_counter()
    row = {'huge': False, 'unforeseen': False, 'text': ''}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            same = _equal(read(path), sound)
        row['result'] = 'same' if same else 'wrong' if base.checked else 'differs'
    except FdxError as e:
        row.update(result='refused', text=str(e), huge=_wants_memory(e), unforeseen=_is_unforeseen(e))
        if len(str(e).splitlines()) != 1:
            row['result'] = 'traceback'
    except Exception as e:
        row.update(result='traceback', text=traceback.format_exc()[-2000:], huge=_wants_memory(e))
    used = max(0, _peak_bytes() - before)
    return {**row, 'seconds': time.perf_counter() - began, 'bytes': used, 'huge': row['huge'] or used > LIMIT_BYTES}


def run(kind: str, seed: int, first: int, last: int, keep: str | None = None) -> None:
    """Reads inputs `first` to `last` of a kind and prints a JSON line for each."""
    read = READERS[kind]
    with tempfile.TemporaryDirectory(prefix='fdx_fuzz_') as work:
        made = pathlib.Path(work, 'made')
        made.mkdir()
        bases = BASES[kind](made)
        sound = []
        for i, base in enumerate(bases):
            sound.append(read(_write(base, base.files, pathlib.Path(work, f'base_{i}'))))
        if kind in ('mat', 'csv', 'npy', 'wav'):  # the others load libraries with address space of their own
            _limit_memory()
        for n in range(first, last):
            rng = np.random.default_rng([seed, sorted(BASES).index(kind), n])
            i = int(rng.integers(len(bases)))
            name = str(rng.choice(sorted(bases[i].files)))
            files = {**bases[i].files, name: damaged(bases[i].files[name], rng)}
            folder = pathlib.Path(keep or work, f'case_{n}')
            print(json.dumps({'n': n, 'base': bases[i].name, 'began': True}), flush=True)
            row = read_one(read, _write(bases[i], files, folder), bases[i], sound[i])
            if files[name] == bases[i].files[name]:
                row['result'] = 'undamaged' if row['result'] == 'same' else row['result']
            print(json.dumps({'n': n, 'base': bases[i].name, 'file': name, **row}), flush=True)
            if not keep:
                shutil.rmtree(folder)


def main() -> None:
    """Flags of the child."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--kind', choices=sorted(BASES), required=True)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--first', type=int, default=0)
    parser.add_argument('--last', type=int, required=True)
    parser.add_argument('--keep', help='folder in which the inputs are left')
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)
    run(args.kind, args.seed, args.first, args.last, args.keep)
    sys.stdout.flush()


if __name__ == '__main__':
    main()
