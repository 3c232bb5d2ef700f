"""The runs of a comparison: each is trained, scored and stored once, and found again by the next call.

The workdir of a run is root/PROTOCOL/STRATEGY/seed_S/fold_F; it has the files of `benchmarks.compare_store`, too.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Mapping, Sequence

from fdx.data.source import Dataset
from fdx.evaluate.scoring import score_run
from fdx.train.checkpoints import Checkpoints
from fdx.train.config import TrainConfig
from fdx.train.feature_cache import FeatureCache
from fdx.train.forward import Progress, no_progress
from fdx.train.run import train
from fdx.train.same_run import SAME_CLASSIFIER, check_same
from fdx.types import CheckpointError, ConfigError

from .compare_store import Stored, keep_only, read_score, read_stored, rules_digest, write_score
from .compare_strategies import Strategy

KEEP = ('best', 'all')
# Parts of a checkpoint's JSON that say where the run stood.
_PROGRESS = ('history', 'sums', 'data')


@dataclasses.dataclass(frozen=True)
class Run:
    """One training to do.

    Attributes:
      strategy: how.
      config: with its protocol, fold and seed.
      workdir: where.
    """

    strategy: Strategy
    config: TrainConfig
    workdir: pathlib.Path

    @property
    def title(self) -> str:
        """E.g. 'time_blocks first_last seed 1 fold 0'."""
        c = self.config
        return f'{c.protocol} {self.strategy.name} seed {c.seed} fold {c.fold}'


@dataclasses.dataclass(frozen=True, eq=False)
class Outcome:
    """A run that was trained and scored.

    Attributes:
      run: what was done.
      stored: what it left.
      fresh: whether this call trained or scored it; False: found on the disk.
    """

    run: Run
    stored: Stored
    fresh: bool


def plan_runs(
    base: TrainConfig,
    strategies: Sequence[Strategy],
    folds: Mapping[str, Sequence[int]],
    seeds: Sequence[int],
    root: pathlib.Path,
) -> list[Run]:
    """Every run of a comparison; the strategies take turns, so that a stopped comparison has some of each.

    Args:
      base: the common budget; its `init` names the weights.
      strategies: of parse_strategies.
      folds: protocol -> its folds.
      seeds: one run for each.
      root: of the workdirs.
    """
    runs = []
    for protocol, of_protocol in folds.items():
        for seed in seeds:
            for strategy in strategies:
                for fold in of_protocol:
                    config = dataclasses.replace(strategy.config(base), protocol=protocol, seed=seed, fold=fold)
                    folder = root / protocol / strategy.name / f'seed_{seed}' / f'fold_{fold}'
                    runs.append(Run(strategy, config, folder))
    return runs


def check_workdir(run: Run, dataset: Dataset) -> None:
    """Refuses a workdir that holds another run, before anything is trained.

    Raises:
      CheckpointError: other flags, other freezing rules, or a dataset that was made anew.
      ConfigError: more epochs were trained there than the budget has.
    """
    score = read_score(run.workdir)
    if score is not None:
        stored, epochs = score['meta'], len(score['history'])
        if score['rules'] != rules_digest(run.config):
            raise _with_hint(run, CheckpointError(f'the freezing rules in {run.config.freeze} have changed since'))
    else:
        checkpoints = Checkpoints(run.workdir)
        if not checkpoints.steps():
            return
        stored = checkpoints.meta(checkpoints.resolve('last'))
        epochs = len(stored['history'])
    now = {
        **stored,
        'config': run.config.to_json(),
        'front_end': dataset.front_end.config(),
        'dataset': {'name': dataset.name, **{k: v for k, v in dataset.metadata.items() if k != 'front_end'}},
    }
    try:
        check_same(SAME_CLASSIFIER, stored, now)
    except CheckpointError as e:
        raise _with_hint(run, e) from e
    if epochs > run.config.epochs:
        raise ConfigError(
            f'{run.workdir} was trained for {epochs} epochs, `epochs`={run.config.epochs} asks for fewer: the '
            f'strategies would not share one budget. Use `epochs`={epochs} or a new `workdir`'
        )


def _with_hint(run: Run, error: CheckpointError) -> CheckpointError:
    return CheckpointError(
        f'{run.title}: {error}. A comparison has one budget: give the settings of the first call, or a new `workdir`, '
        f'or remove {run.workdir} to train that run again'
    )


def do_run(
    run: Run,
    *,
    keep: str = 'best',
    caches: dict | None = None,
    progress: Progress = no_progress,
    on_epoch: Callable[[dict], None] = lambda row: None,
) -> Outcome:
    """Trains and scores a run, or goes on where it stopped, or reads what a finished one left.

    Args:
      run: what to do; `check_workdir` has seen it.
      keep: best: only the scored checkpoint stays (a longer budget then goes on from it); all: those of training.
      caches: dict shared by the runs of a strategy; cached features stay in it, networks do not.
      progress: wraps long work.
      on_epoch: called with every row of the history.

    Raises:
      FdxError: training or scoring fails.
    """
    if keep not in KEEP:
        raise ConfigError(f'`keep_checkpoints`={keep}: it is one of {", ".join(KEEP)}')
    found = finished(run)
    if found is not None:
        return Outcome(run, found, fresh=False)
    caches = {} if caches is None else caches
    try:
        result = train(run.config, run.workdir, caches=caches, progress=progress, on_epoch=on_epoch)
    except CheckpointError as e:
        raise _with_hint(run, e) from e
    for key in [k for k, v in caches.items() if not isinstance(v, FeatureCache)]:
        del caches[key]  # One network per seed would fill the memory.
    scored = score_run(run.workdir, progress=progress)
    stored = Stored(
        predictions=scored.predictions,
        history=result.history,
        meta={k: v for k, v in scored.predictors[0].meta.items() if k not in _PROGRESS},
        rules=rules_digest(run.config),
        leaks=scored.leaks,
        leak_share=scored.leak_share,
        leak_reason=scored.leak_reason,
    )
    write_score(run.workdir, stored)
    if keep == 'best':
        keep_only(run.workdir, stored.meta['step'])
    return Outcome(run, stored, fresh=True)


def finished(run: Run) -> Stored | None:
    """What a finished run left; None where it is unfinished, shorter than its budget, or not scored."""
    stored = read_stored(run.workdir)
    return stored if stored is not None and len(stored.history) == run.config.epochs else None
