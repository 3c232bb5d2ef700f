"""Adaptation only where it is supported: the source alone and the method are both learned, and one of them is kept.

workdir/candidates/source_only, source_only_again    networks of the source alone, with two seeds
workdir/candidates/METHOD, METHOD_again              networks of the method, likewise
workdir/checkpoints/STEP                             the kept one of them, with the verdict in its meta
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import time
from collections.abc import Callable

from fdx.adapt.auto_evidence import compare, portrait
from fdx.adapt.auto_verdict import verdict_after, verdict_before
from fdx.adapt.checkpoint import LAYOUT, describe_adaptation
from fdx.adapt.config import AdaptConfig
from fdx.adapt.data import PARTS, load_parts, open_domains
from fdx.adapt.outputs import Judge, Outputs, outputs_of
from fdx.adapt.programs import compile_programs
from fdx.adapt.run import AdaptResult, adapt
from fdx.data.protocols.two_domains import TwoDomains
from fdx.train.checkpoints import Checkpoints
from fdx.train.config import TrainConfig
from fdx.train.forward import Progress, no_progress
from fdx.train.model_setup import build_model, input_shape_of, load_run, set_up_model
from fdx.train.partition import split_variables
from fdx.train.same_run import check_same

CANDIDATES = 'candidates'
AGAIN = '_again'
# The key of the verdict in the meta of the kept checkpoint.
VERDICT = 'auto'
SEEDS = 2**31


def adapt_where_supported(
    config: TrainConfig,
    plan: AdaptConfig,
    workdir: str | pathlib.Path,
    *,
    judge: Judge,
    caches: dict | None = None,
    progress: Progress = no_progress,
    on_epoch: Callable[[dict], None] = lambda row: None,
) -> AdaptResult:
    """Learns the source alone, decides whether to adapt, adapts, decides again, and keeps one network.

    It takes up to four runs: two seeds of the source alone and two of the method (`fdx.adapt.auto_verdict` has the
    rules). All have the windows of `config.seed`, and no rule reads a label of the target.

    Args:
      config: of `fdx.adapt.run.adapt`; the second networks have the next seed.
      plan: with `auto`.
      workdir: gets the kept checkpoint, and the runs in sub-folders.
      judge: of `fdx.adapt.run.adapt`.
      caches: likewise.
      progress: likewise.
      on_epoch: called with every row of every run; `run` in it names the sub-folder.

    Returns:
      The kept network: its best step and history, the seconds of everything, and the verdict.

    Raises:
      FdxError: what `adapt` raises, and CheckpointError where the workdir holds another run.
    """
    began, workdir, caches = time.perf_counter(), pathlib.Path(workdir), {} if caches is None else caches
    domains = open_domains(config, plan)
    _check_workdir(config, plan, workdir, domains)
    kinds = _Kinds(config, workdir / CANDIDATES, domains, judge, caches, progress, on_epoch)
    source_only, before = kinds.learn(source_only_plan(plan))
    portrait_before = portrait(*before, config.seed)
    verdict, kept = verdict_before(plan.method, portrait_before), source_only
    if verdict is None:
        by_method, after = kinds.learn(dataclasses.replace(plan, auto=False))
        recordings = domains.target_train.dataset.table['recording'][domains.target_train.rows]
        comparison = compare(before, after, recordings)
        verdict = verdict_after(plan.method, portrait_before, portrait(*after, config.seed), comparison)
        kept = by_method if verdict.adapted else source_only
    stored = {**verdict.to_json(), 'asked': plan.to_json()}
    _keep(kept, stored, workdir)
    seconds = time.perf_counter() - began
    return dataclasses.replace(kept, workdir=workdir, seconds=seconds, verdict=stored)


def source_only_plan(plan: AdaptConfig) -> AdaptConfig:
    """The plan that learns the source alone, without the settings of the method."""
    return dataclasses.replace(plan, method='source_only', auto=False, weight=0.0, radius=AdaptConfig.radius)


def kept_plan(plan: AdaptConfig, result: AdaptResult) -> AdaptConfig:
    """The plan of the network that a run has kept."""
    return plan if result.verdict is None or result.verdict['adapted'] else source_only_plan(plan)


@dataclasses.dataclass(frozen=True)
class _Kinds:
    """Learns two networks of a kind on the same windows."""

    config: TrainConfig
    folder: pathlib.Path
    domains: TwoDomains
    judge: Judge
    caches: dict
    progress: Progress
    on_epoch: Callable[[dict], None]

    def learn(self, plan: AdaptConfig) -> tuple[AdaptResult, tuple[dict[str, Outputs], dict[str, Outputs]]]:
        """(the first run, the outputs of the kept steps of both)."""
        again = dataclasses.replace(self.config, seed=(self.config.seed + 1) % SEEDS)
        first = self._run(self.config, plan, plan.method)
        second = self._run(again, plan, plan.method + AGAIN)
        return first, (self._outputs(plan, first), self._outputs(plan, second))

    def _run(self, config: TrainConfig, plan: AdaptConfig, name: str) -> AdaptResult:
        return adapt(
            config,
            plan,
            self.folder / name,
            judge=self.judge,
            caches=self.caches,
            progress=self.progress,
            on_epoch=lambda row: self.on_epoch({**row, 'run': name}),
            domains=self.domains,
        )

    def _outputs(self, plan: AdaptConfig, result: AdaptResult) -> dict[str, Outputs]:
        config, domains = self.config, self.domains
        setup = set_up_model(config, len(domains.classes), domains.source.input_shape)
        parts, start = load_parts(config, setup, domains, self.caches, self.progress, feature=plan.feature)
        forward = compile_programs(config, plan, setup, start).forward
        variables, _, _ = load_run(result.workdir, result.best_step)
        # The windows that are scored take no part in the verdict.
        return {name: outputs_of(forward, variables, parts[name]) for name in PARTS if name != 'target_test'}


def _check_workdir(config: TrainConfig, plan: AdaptConfig, workdir: pathlib.Path, domains: TwoDomains) -> None:
    """CheckpointError where the workdir holds another run than that of these settings."""
    checkpoints = Checkpoints(workdir)
    if not checkpoints.steps():
        return
    stored = checkpoints.meta(checkpoints.resolve('last'))
    if VERDICT in stored:
        # The kept network may be that of the source alone: what was asked for is what must be the same.
        stored = {**stored, 'adaptation': {**stored['adaptation'], **stored[VERDICT]['asked']}}
    setup = set_up_model(config, len(domains.classes), domains.source.input_shape)
    check_same(LAYOUT.same, stored, describe_adaptation(config, plan, setup, domains))


def _keep(kept: AdaptResult, verdict: dict, workdir: pathlib.Path) -> None:
    """Writes the kept step as the only checkpoint of the workdir, unless it is there already."""
    variables, meta, step = load_run(kept.workdir, kept.best_step)
    # Without `auto`, no run goes on from it: it lacks the state of the optimiser.
    meta = {**meta, 'adaptation': {**meta['adaptation'], 'auto': True}, VERDICT: verdict}
    with Checkpoints(workdir).writing() as checkpoints:
        there = checkpoints.steps()
        if there == [step] and checkpoints.meta(step).get(VERDICT) == json.loads(json.dumps(verdict)):
            return
        checkpoints.discard_after(None)
        model = build_model(TrainConfig.from_json(meta['config']), len(meta['class_names']), input_shape_of(meta))
        prefix, trained = split_variables(model, variables, meta['frozen_stages'])
        checkpoints.save_prefix(prefix)
        checkpoints.save(step, trained, {}, meta)
