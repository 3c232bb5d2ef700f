"""Works that a user waits for at the shell: preparing recordings, a diagnosis, imports, and a second run."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence

import numpy as np

from .speed_clock import Found

# So many that the start of two processes, about a second each, does not decide.
RECORDINGS, SECONDS, RATE_HZ = 48, 30.0, 20480
STATES = ('normal', 'inner_race', 'outer_race')
SPEED_RPM = 1772.0
EVERY_NAME = 'import fdx; [getattr(fdx, name) for name in fdx.__all__]'


def measure(parts: Sequence[str], side: str, folder: str, group: str) -> dict[str, Found]:
    """Seconds of each of `parts`; see `speed_side`."""
    measured = {'prepare': _prepare, 'shell': _shell, 'second_run': _second_run}
    return measured[group](parts, side, pathlib.Path(folder))


def _prepare(parts: Sequence[str], side: str, folder: pathlib.Path) -> dict[str, Found]:
    """Two processes, then a second call where nothing has changed; the other side is one process, the first time."""
    from fdx.data.prepare import prepare

    source = recordings(folder / f'recordings_{RECORDINGS}')
    first, again = Found(), Found()
    with tempfile.TemporaryDirectory(dir=folder) as data_dir:
        with first.timed():
            prepare('recordings/bench', data_dir, recordings=source, workers=2 if side == 'fdx' else 1)
        if side == 'fdx' and 'unchanged' in parts:
            with again.timed():
                prepare('recordings/bench', data_dir, recordings=source)
    found = {'two_workers': first, 'unchanged': again if side == 'fdx' else first}
    return {part: found[part] for part in parts}


def recordings(folder: pathlib.Path) -> pathlib.Path:
    """A folder per state with recordings of the simulated rig; made where it is missing."""
    import scipy.io.wavfile

    from fdx.datasets.bearing_rig.simulator import simulate

    if folder.is_dir():
        return folder
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        made = pathlib.Path(name) / folder.name
        for i in range(RECORDINGS):
            state = STATES[i % len(STATES)]
            x = simulate('rig_a', state, SPEED_RPM, 1, duration_s=SECONDS, sample_rate_hz=RATE_HZ, seed=i)
            path = made / state / f'{i:02d}.wav'
            path.parent.mkdir(parents=True, exist_ok=True)
            scipy.io.wavfile.write(path, RATE_HZ, np.asarray(x / 50, np.float32))
        made.rename(folder)
    return folder


def _shell(parts: Sequence[str], side: str, folder: pathlib.Path) -> dict[str, Found]:
    """A program from its start to its end; one run before makes what is kept between runs."""
    del side
    part_of = {'diagnose': _diagnose(folder) if 'diagnose' in parts else [], 'import': ['-c', EVERY_NAME]}
    found = {part: Found() for part in parts}
    for part in parts:
        _python(part_of[part], folder / 'cache')
        for _ in range(2):
            with found[part].timed():
                _python(part_of[part], folder / 'cache')
    return found


def _diagnose(folder: pathlib.Path) -> list[str]:
    import scipy.io.wavfile

    file = recordings(folder / f'recordings_{RECORDINGS}') / 'outer_race' / '02.wav'
    short = folder / 'ten_seconds.wav'
    rate, samples = scipy.io.wavfile.read(file)
    scipy.io.wavfile.write(short, rate, samples[: 10 * rate])
    flags = ['--zero_shot', '--bearing=skf_6205', f'--speed_rpm={SPEED_RPM:g}', str(short)]
    return ['-m', 'fdx.launch.main', 'predict', *flags]


def _second_run(parts: Sequence[str], side: str, folder: pathlib.Path) -> dict[str, Found]:
    """`fdx train` twice with an empty cache of programs; the second run may compile nothing that is worth a file."""
    from fdx.data.prepare import prepare_if_missing

    data_dir, found = folder / 'data', Found()
    prepare_if_missing('bearing_rig/small', data_dir)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        cache = pathlib.Path(name) / 'cache'

        def run(seed: int) -> None:
            flags = ['--dataset=bearing_rig/small', f'--data_dir={data_dir}', '--model=cnn_small', '--epochs=1']
            _python(['-m', 'fdx.launch.main', 'train', *flags, f'--seed={seed}', f'--workdir={name}/{seed}'], cache)

        if side == 'other':
            with found.timed():
                run(0)
        else:
            run(0)
            before = _programs_in(cache)
            with found.timed():
                run(1)
            found.count = len(_programs_in(cache) - before)
    return dict.fromkeys(parts, found)


def _programs_in(cache: pathlib.Path) -> set[str]:
    return {path.name for path in (cache / 'compiled').rglob('*') if path.is_file() and path.suffix != '.atime'
            and not path.name.endswith('-atime') and path.name != '.lockfile'}  # fmt: skip


def _python(arguments: Sequence[str], cache: pathlib.Path) -> None:
    """Runs this Python with fdx's cache in `cache`; its last lines are in the error where it fails."""
    environment = {**os.environ, 'FDX_CACHE': str(cache.resolve())}
    environment.pop('JAX_COMPILATION_CACHE_DIR', None)
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(f'{" ".join(arguments)}: {" ".join(done.stderr.strip().splitlines()[-3:])}')
