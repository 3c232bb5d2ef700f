r"""Adapts a classifier to recordings that nobody has labelled: a labelled source, an unlabelled target, one report.

From one motor load to another:

    python -m launch.adapt --source=cwru/faults_12k-musicnn:load0 --target=cwru/faults_12k-musicnn:load3 \
        --method=dann --workdir=runs/adapt

From one machine to another, on envelope spectra at the orders of the bearing's faults; classes that only one machine
has are left out, and whole recordings of the target are scored:

    python -m launch.adapt --source=cwru/faults_12k-fault_orders --target=mfpt/faults-fault_orders --method=mcc \
        --label_key=fault_type --target_protocol=by_recording --seeds=3 --workdir=runs/machines

Neither training nor the choice of the epoch (--select_by) reads a label of the target. Before training, its labels
decide which classes both sides have and, with a protocol such as by_recording, split its recordings class by class.
With --classes=A,B they are read for scores only. The table has the scores of every choice of the epoch; `oracle`, the
best epoch on the scored windows themselves, is an upper bound and cannot be used in practice.

Alignment can also hurt. With --auto the source alone is learned too, and the method's network is kept only where two
seeds of each, on unlabelled windows of the target, say that it helps. The report begins with the verdict:

    python -m launch.adapt --source=cwru/faults_12k-musicnn --target=mfpt/faults-musicnn --method=jmmd --auto \
        --model=band_mlp --label_key=fault_type --target_protocol=by_recording --workdir=runs/auto

Where the target may have faults that the source lacks, their windows are rejected as `unknown` with --sets=open; here
two classes are left out of the source to measure it (H-score):

    python -m launch.adapt --source=cwru/faults_12k-musicnn:load0 --target=cwru/faults_12k-musicnn:load3 \
        --model=band_mlp --method=mk_mmd --sets=open --exclude_source_classes=ball_007,inner_race_021 \
        --workdir=runs/open

Without --method, open sets take mk_mmd. With --sets=partial the target may lack classes of the source. Both read
labels of the target for the scores alone.

From several labelled domains to one that nobody has recorded yet: nothing of the target is learned from, and with
--score_all_target all of it is scored:

    python -m launch.adapt --source=cwru/faults_12k-musicnn:load0+load1+load2 --target=cwru/faults_12k-musicnn:load3 \
        --model=band_mlp --method=mix_style --score_all_target --workdir=runs/unseen

Without the data of the source, from a checkpoint alone, which decides network, labels and front end:

    python -m launch.adapt --checkpoint=runs/mine --target=cwru/faults_12k-musicnn:load3 --method=shot \
        --workdir=runs/new

Methods: source_only and adabn train on the source only; mk_mmd, jmmd and coral bring a layer (--feature) of both
domains together; dann, cdan and cdan_e train features that a discriminator of the domains cannot tell apart; mcc and
entropy favour certain predictions; dirt_t is VADA and its refinement; domain_mixup, group_dro and mix_style compare
several source domains and see no target. With --checkpoint: shot (the default) and tent train on the target alone;
test_time_norms measures batch statistics on it. The same command continues a stopped run. Writes checkpoints
(launch.predict takes them), results.json, PNGs and report.html; with --seeds, one sub-folder per seed. With
--checkpoint it writes checkpoints and results.json; launch.evaluate makes the report.
"""

from __future__ import annotations

import dataclasses
import logging
import pathlib
from typing import Any

import jax
from absl import flags

from fdx.adapt.config import CRITERIA, AdaptConfig
from fdx.adapt.methods import METHODS, get_method
from fdx.adapt.selection import run_adaptation
from fdx.adapt.sets import OPEN_METHOD
from fdx.adapt.source_free.config import SOURCE_FREE_CRITERIA, SOURCE_FREE_METHODS
from fdx.data.protocols.class_sets import OPEN, SETS
from fdx.data.source import open_dataset
from fdx.evaluate.adaptation_report import selection_cells, selection_header, target_label_words, write_adaptation
from fdx.evaluate.adaptation_results import adaptation_results, network_outputs
from fdx.evaluate.metrics import mean_and_spread
from fdx.evaluate.spread import spread_text as cell
from fdx.models.registry import check_input_shape
from fdx.train.config import TrainConfig
from fdx.train.model_setup import build_model
from fdx.train.partition import freezing_rules, frozen_prefix, trainable_mask
from fdx.types import ConfigError
from fdx.weights.structure import example_input, variable_shapes

from . import cli
from .adapt_checkpoint import adapt_from_checkpoint, define_checkpoint_flags, refuse_checkpoint_flags
from .config_flags import MAX_SEED, define_fields, define_train_flags, field_values, train_config
from .display import progress, table
from .prepare_on_demand import prepare_if_missing
from .recordings_flags import define_recordings_flags
from .workdirs import locks_workdir

FLAGS = flags.FLAGS
# Flags of TrainConfig that do not apply: the source is the dataset, one fold is run, and AdaptConfig chooses the epoch.
NOT_HERE = ('dataset', 'fold', 'select_by', 'patience', 'balance', 'imbalance', 'synthetic', 'threshold')
DEFAULTS = {
    'model': 'cnn_small',
    'epochs': 60,
    'batch_size': 32,
    'learning_rate': 1e-3,
    'halve_every': 0,
    'l2': 0.0,
    'dropout_rate': 0.0,
}


def define_flags() -> None:
    """The flags of this program: those of AdaptConfig, those of TrainConfig that have a meaning here, and its own."""
    choices = {
        'method': list(dict.fromkeys([*METHODS, *SOURCE_FREE_METHODS])),
        'select_by': list(dict.fromkeys([*CRITERIA, *SOURCE_FREE_CRITERIA])),
        'sets': SETS,
    }
    define_fields(AdaptConfig, choices=choices)
    define_checkpoint_flags()
    define_train_flags(skip=NOT_HERE, **DEFAULTS)
    flags.DEFINE_integer('fold', 0, "which fold of the source's protocol")
    flags.DEFINE_integer('seeds', 1, 'runs with the seeds --seed, --seed + 1, ...; several get a sub-folder each')
    flags.DEFINE_string('workdir', None, 'where checkpoints, logs and the report go')
    define_recordings_flags()
    flags.DEFINE_string('manual_dir', None, 'folder of raw recordings, to prepare the datasets; else FDX_RAW_DATA')
    flags.mark_flags_as_required(['target', 'workdir'])
    flags.mark_flags_as_mutual_exclusive(['source', 'checkpoint'], required=True)


def _configs() -> tuple[TrainConfig, AdaptConfig]:
    """The configs from the flags; refuses flags that would have no effect."""
    refuse_checkpoint_flags()
    values = field_values(AdaptConfig)
    if values['sets'] == OPEN and not FLAGS['method'].present:
        values['method'] = OPEN_METHOD
    plan = AdaptConfig(**values)
    if FLAGS.fold < 0:
        raise ConfigError(f'--fold={FLAGS.fold}: a fold of the source, 0 or above')
    elsewhere = {name: getattr(TrainConfig, name) for name in NOT_HERE if name not in ('dataset', 'fold')}
    config = train_config(dataset=plan.names()[0].dataset, fold=FLAGS.fold, **elsewhere)
    method = get_method(plan.method)
    if plan.weight and not method.sees_target:
        raise ConfigError(f'--weight={plan.weight}: --method={plan.method} has no term to weigh')
    if plan.radius != AdaptConfig.radius and not method.perturbs:
        users = ', '.join(name for name, m in METHODS.items() if m.perturbs)
        raise ConfigError(f'--radius={plan.radius}: --method={plan.method} perturbs nothing; this does: {users}')
    if FLAGS.seeds < 1 or config.seed + FLAGS.seeds > MAX_SEED:
        raise ConfigError(f'--seeds={FLAGS.seeds} with --seed={config.seed}: at least 1, none above {MAX_SEED - 1}')
    return config, plan


def _prepare(config: TrainConfig, plan: AdaptConfig) -> tuple[TrainConfig, AdaptConfig]:
    """Prepares both datasets, and names the versions of own recordings; an error mentions the flag with the name."""
    found = {}
    for flag, name in zip(('source', 'target'), plan.names()):
        try:
            dataset = prepare_if_missing(name.dataset, config.data_dir, FLAGS.manual_dir)
            found[flag] = ':'.join(filter(None, (dataset, '+'.join(name.domains))))
        except ConfigError as e:
            raise ConfigError(str(e).replace(f'`dataset`={name.dataset}:', f'`{flag}`={name.dataset}:')) from e
    plan = dataclasses.replace(plan, **found)
    return dataclasses.replace(config, dataset=plan.names()[0].dataset), plan


def _check_feature(config: TrainConfig, plan: AdaptConfig) -> None:
    """Refuses a --feature from frozen stages if the method acts on nothing else: its term would have no effect."""
    if not get_method(plan.method).by_feature:
        return
    shape = open_dataset(config.dataset, config.data_dir).input_shape
    check_input_shape(config.model, shape)
    model = build_model(config, 2, shape).clone(axis_name=None)
    variables = variable_shapes(model, shape)
    rules = freezing_rules(config.freeze, model, train_norms=config.train_norms)
    start = frozen_prefix(model, trainable_mask(variables['params'], rules))

    def frozen_features(variables: dict, x: jax.Array) -> dict:
        return model.apply(variables, x, train=False, stop=start)[1]

    if start and plan.feature in jax.eval_shape(frozen_features, variables, example_input(model, shape)):
        raise ConfigError(
            f'--freeze={config.freeze} freezes --feature={plan.feature}, so --method={plan.method} could not move it: '
            'free its stage, name a later feature, or take a method that acts on predictions, e.g. --method=mcc'
        )


def epoch_line(row: dict, criterion: str) -> str:
    """One row of the history as a line; no score of the target is in it."""
    chosen = '' if criterion == 'last' else f'{criterion} {row[criterion]:.4f}  '
    run = f'  {row["run"]}' if 'run' in row else ''
    return (
        f'epoch {row["epoch"]:3d}{run}  source: train loss {row["train_loss"]:.4f} accuracy '
        f'{100 * row["train_accuracy"]:6.2f}%  validation loss {row["validation_loss"]:.4f} accuracy '
        f'{100 * row["validation_accuracy"]:6.2f}%  term {row["train_term"]:.4f}  {chosen}{row["seconds"]:.1f} s'
    )


def _run(config: TrainConfig, plan: AdaptConfig, workdir: pathlib.Path, caches: dict) -> dict[str, Any]:
    """One seed: the run, its table and its report; returns the results."""
    result = run_adaptation(
        config,
        plan,
        workdir,
        caches=caches,
        progress=progress,
        on_epoch=lambda row: print(epoch_line(row, plan.select_by), flush=True),
    )
    networks = network_outputs(result, config, plan, caches=caches, progress=progress)
    results = adaptation_results(result, config, plan, networks)
    report = write_adaptation(workdir, results, networks)
    if result.verdict is not None:
        print(f'\n{result.verdict["words"]}')
    rows = [*selection_cells(results, usable=True), *selection_cells(results, usable=False)]
    print(f'\n{target_label_words(results)}\n{table(selection_header(results), rows)}')
    print(f'best step {result.best_step} by {plan.select_by}; {result.seconds:.1f} s\nreport: {report}')
    return results


def _spread(results: list[dict[str, Any]]) -> str:
    """The table of selections over seeds."""
    rows = []
    for of_seeds in zip(*(r['selections'] for r in results), strict=True):
        spread, first = mean_and_spread(of_seeds), of_seeds[0]
        note = '' if first['usable'] else selection_cells(results[0], usable=False)[0][-1]
        h_score = [cell(spread['h_score'])] if 'h_score' in spread else []
        cells = (cell(spread['accuracy'], percent=True), cell(spread['macro_f1']), *h_score)
        rows.append((first['selection'], *cells, note))
    return table(('chosen by', 'target accuracy %', 'macro F1', *(['H-score'] if h_score else []), ''), rows)


@locks_workdir
def main(argv) -> None:
    """Runs the seeds that the flags name."""
    del argv
    logging.getLogger('fdx').setLevel(logging.WARNING)  # The tables of frozen parameters are for launch.train.
    if FLAGS.checkpoint is not None:
        adapt_from_checkpoint()
        return
    config, plan = _configs()
    config, plan = _prepare(config, plan)
    _check_feature(config, plan)
    root, caches, results = pathlib.Path(FLAGS.workdir), {}, []
    for seed in range(config.seed, config.seed + FLAGS.seeds):
        if FLAGS.seeds > 1:
            print(f'seed {seed}')
        workdir = root / f'seed_{seed}' if FLAGS.seeds > 1 else root
        results.append(_run(dataclasses.replace(config, seed=seed), plan, workdir, caches))
    if FLAGS.seeds > 1:
        print(f'\n{FLAGS.seeds} seeds, mean ± standard deviation:\n{_spread(results)}')


if __name__ == '__main__':
    define_flags()
    cli.run(main)
