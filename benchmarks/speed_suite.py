"""The works whose speed is measured: what each side does, the goal, and how many cores and rounds it gets.

This file imports nothing heavy, because every side of every round reads it in a process of its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from fdx.types import ConfigError

from .speed_networks import JOBS, NETWORKS

FIGURES = ('ratio', 'seconds', 'count')
OURS, OTHER = 'fdx', 'other'


@dataclasses.dataclass(frozen=True)
class Goal:
    """A figure that is to be at most a number.

    Attributes:
      figure: ratio (seconds of fdx over those of the other side), seconds (of fdx alone) or count.
      most: the largest value that reaches the goal.
    """

    figure: str
    most: float

    def reached(self, row: dict) -> bool:
        """Whether the row of fdx reaches it."""
        return row[self.figure] is not None and row[self.figure] <= self.most

    def words(self, unit: str) -> str:
        """'ratio 1.10', '2.5 s' or '1 maps per training'."""
        return {
            'ratio': f'ratio {self.most:.2f}', 'seconds': f'{self.most:g} s', 'count': f'{self.most:g} {unit}'
        }[self.figure]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Work:
    """One row of the table.

    Attributes:
      name: GROUP/PART; works of one group are measured by the same processes, one after the other.
      words: what is done, for the page.
      section: of the page.
      module: file of benchmarks with `measure(parts, side, folder)`, see `speed_side`.
      other: words for the other side; '' where fdx stands alone.
      goal: None where the figure is only reported.
      packages: distributions that the other side is made of, for the versions on the page.
      cores: that both sides are pinned to.
      rounds: processes of each side, in turns.
      unit: of `count`; '' where there is none.
    """

    name: str
    words: str
    section: str
    module: str
    other: str
    goal: Goal | None
    packages: tuple[str, ...] = ()
    cores: int = 2
    rounds: int = 3
    unit: str = ''

    @property
    def group(self) -> str:
        """Of the name."""
        return self.name.partition('/')[0]

    @property
    def part(self) -> str:
        """Of the name."""
        return self.name.partition('/')[2]


NETWORK, ADAPT, SIGNAL, PROGRAM = (
    'Networks: seconds of a step', 'Trainings', 'From samples to spectrograms, one core', 'Programs'
)  # fmt: skip


def _networks() -> list[Work]:
    works = []
    for name, network in NETWORKS.items():
        for job, words in JOBS.items():
            most = network.most if job == 'all' else 1.0
            title = f'{network.words}: {words}'
            packages = ('torch', 'torchvision') if network.of_torchvision else ('torch',)
            goal = Goal('ratio', most)
            how = ('speed_networks', 'PyTorch', goal, packages)
            works.append(Work(f'{name}/{job}', title, NETWORK, *how, rounds=network.rounds))
    return works


def _trainings() -> list[Work]:
    torch = {'packages': ('torch',)}
    epoch = '22 steps of 32 windows of 1024 samples'
    return [
        Work('epoch/source_only', f'`cnn1d`, source alone: epoch of {epoch}', ADAPT, 'speed_epochs', 'PyTorch',
             Goal('ratio', 1.0), **torch),
        Work('epoch/dann', f'`cnn1d`, DANN: epoch of {epoch} of each domain', ADAPT, 'speed_epochs', 'PyTorch',
             Goal('ratio', 1.0), **torch),
        Work('study/job', "the study's job: VGGish's head, 4 epochs, scored; reading, compiling, saving included",
             ADAPT, 'speed_study', 'PyTorch', Goal('ratio', 0.35), rounds=1, **torch),
        Work('trainings/maps', 'trainings in one process, the 11th to the 60th: memory maps left by each', ADAPT,
             'speed_trainings', '', Goal('count', 1.0), rounds=1, unit='maps per training'),
        Work('trainings/memory', 'the same: memory left by each', ADAPT, 'speed_trainings', '', Goal('count', 1.0),
             rounds=1, unit='MB per training'),
    ]  # fmt: skip


def _signals() -> list[Work]:
    def work(name: str, words: str, other: str, most: float | None, packages: tuple[str, ...], rounds: int = 3) -> Work:
        goal = None if most is None else Goal('ratio', most)
        return Work(name, words, SIGNAL, 'speed_signals', other, goal, packages, cores=1, rounds=rounds)

    librosa = ('librosa', 'soxr', 'scipy', 'numpy')
    hour = 'one hour at 20,480 Hz'
    windows = [
        ('vggish', 'librosa', librosa),
        ('musicnn', 'librosa', librosa),
        ('band_mel', 'librosa', librosa),
        ('snippet_mel', 'librosa', librosa),
        ('triaxial_mel', 'librosa', librosa),
        ('triaxial_mel_paper', 'librosa', librosa),
        ('multi_resolution_mel', 'librosa', librosa),
        ('scalogram', 'PyWavelets', ('PyWavelets', 'numpy')),
        ('scalogram_small', 'PyWavelets', ('PyWavelets', 'numpy')),
        ('envelope_spectrum', 'SciPy', ('scipy', 'numpy')),
        ('fault_orders', 'SciPy', ('scipy', 'numpy')),
        ('waveform', 'SciPy', ('scipy', 'numpy')),
    ]
    return [
        work('hour/resample', f'{hour} to 16 kHz', 'librosa, soxr_hq', None, librosa),
        work('hour/log_mel', f'log-mel of {hour}, resampled to 16 kHz', 'librosa, soxr_hq', 0.8, librosa),
        *(work(f'windows/{name}', f'`{name}`, window by window', *of, most=1.2, packages=packages)  # type: ignore[misc]
          for name, *of, packages in windows),
    ]  # fmt: skip


def _programs() -> list[Work]:
    def work(name: str, words: str, other: str, goal: Goal | None, rounds: int = 3, unit: str = '') -> Work:
        return Work(name, words, PROGRAM, 'speed_programs', other, goal, rounds=rounds, unit=unit)

    files = '48 recordings of 30 s at 20,480 Hz'
    return [
        work('prepare/two_workers', f'`recordings` of {files}: two processes', 'one process', Goal('ratio', 1 / 1.8),
             rounds=2),
        work('prepare/unchanged', 'the same again, nothing has changed', 'first time, one process', Goal('ratio', 0.1),
             rounds=2),
        work('shell/diagnose', '`fdx predict --zero_shot` of a file of 10 s, from the shell', '', Goal('seconds', 2.5)),
        work('shell/import', '`import fdx` and every name of it', '', Goal('seconds', 1.5)),
        work('second_run/train', '`fdx train` with another seed: programs compiled anew', 'first run', Goal('count', 0),
             rounds=1, unit='programs'),
    ]  # fmt: skip


WORKS: tuple[Work, ...] = (*_networks(), *_trainings(), *_signals(), *_programs())


def get_works(names: Sequence[str] | None) -> list[Work]:
    """The works of these names or groups, in the order of the table; None: all.

    Raises:
      ConfigError: a name that no work and no group has.
    """
    if names is None:
        return list(WORKS)
    known = {work.name for work in WORKS} | {work.group for work in WORKS}
    unknown = sorted(set(names) - known)
    if unknown:
        raise ConfigError(
            f'`only`={",".join(names)}: no work {", ".join(unknown)}; there are {", ".join(sorted(known))}'
        )
    return [work for work in WORKS if work.name in names or work.group in names]


def by_group(works: Sequence[Work]) -> dict[str, list[Work]]:
    """Works that the same processes measure, in the order of the table."""
    groups: dict[str, list[Work]] = {}
    for work in works:
        groups.setdefault(work.group, []).append(work)
    return groups
