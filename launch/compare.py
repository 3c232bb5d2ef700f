r"""Trains one network by several strategies under one budget and writes one report: table, curves, confusion matrices.

The study on three-axis sensors, with the honest split and the study's leaky one (ImageNet weights are fetched once):

    python -m launch.compare --dataset=soon/all --front_ends=triaxial_mel,triaxial_mel_paper \
        --strategies=full,first_last,scratch --seeds=3 --workdir=runs/compare

With pretraining on another machine instead of fetched weights, and with VGGish:

    python -m launch.compare --dataset=motor_rig/motor_a_small --pretrain_dataset=motor_rig/motor_b_small \
        --workdir=runs/motors
    python -m launch.compare --model=vggish --init=audioset --dataset=cwru/load0_12k --fold=all --workdir=runs/vggish

--front_ends compares configs of one dataset that differ in the front end only, such as the study's images of two
columns (triaxial_mel_paper) with those of 24 (triaxial_mel): the report compares each with the first. The runs of
each front end, including its pretraining on the config of --pretrain_dataset with it, are in WORKDIR/FRONT_END.

Strategies: full (all layers), first_last (stem and classifier) and head (classifier) start from the weights of --init;
scratch trains all layers from random weights. A file of `train REGEX` and `freeze REGEX` lines is a strategy, too;
its name is that of the file, or NAME in NAME:FILE. All share the budget: epochs, batches, learning rate, selection,
data.

The same command continues a stopped one; after a finished one it only writes the report again. Every run is a workdir
of launch.train (WORKDIR/PROTOCOL/STRATEGY/seed_S/fold_F), so launch.evaluate and launch.predict take it, too.
Defaults are the study's: batches of 16, Adam at 1e-3, 10 epochs. A checkpoint is written every second epoch.
"""

from __future__ import annotations

import itertools
import logging
import pathlib
import time
from collections.abc import Iterator

from absl import flags

from fdx.benchmarks.compare_front_ends import compare_front_ends, describe_images
from fdx.benchmarks.compare_outcome import common_origin, compare
from fdx.benchmarks.compare_plan import Design, Part, plan
from fdx.benchmarks.compare_report import write_comparison, write_front_ends
from fdx.benchmarks.compare_runs import KEEP, Outcome, Run, do_run
from fdx.benchmarks.compare_scores import score
from fdx.benchmarks.compare_strategies import PRESETS, parse_strategies, recordings_seen
from fdx.benchmarks.compare_tables import Table, front_end_tables, front_end_title, strategy_tables
from fdx.train.config import TrainConfig
from fdx.types import ConfigError

from . import cli
from .config_flags import MAX_SEED, define_train_flags, train_config
from .display import progress, table
from .prepare_on_demand import built_source
from .recordings_flags import define_recordings_flags, recordings_of_flags
from .workdirs import locks_workdir

FLAGS = flags.FLAGS
STUDY = {
    'model': 'resnet50',
    'init': 'imagenet',
    'batch_size': 16,
    'learning_rate': 1e-3,
    'halve_every': 0,
    'epochs': 10,
    'dropout_rate': 0.0,
    'l2': 0.0,
    # A checkpoint of a ResNet-50 with Adam's state has 280 MB, so not every epoch writes one.
    'save_every': 2,
}


def define_flags() -> None:
    """The flags of this program: those of TrainConfig and its own."""
    define_train_flags(**STUDY)
    flags.DEFINE_list(
        'strategies',
        ['full', 'first_last', 'scratch'],
        f'what to compare: {", ".join(PRESETS)}, first_blocks:N, files of freezing rules, or NAME:FILE (they replace '
        '--freeze)',
    )
    flags.DEFINE_integer('seeds', 3, 'runs of every strategy, with the seeds --seed, --seed + 1, ...')
    flags.DEFINE_list('protocols', ['time_blocks', 'random_windows'], 'splits, side by side (they replace --protocol)')
    flags.DEFINE_list(
        'front_ends', None, 'front ends, the reference first; each takes the place of the one of --dataset (see above)'
    )
    flags.DEFINE_string('workdir', 'runs/compare', 'where the runs and the report go')
    flags.DEFINE_string('pretrain_dataset', None, 'builder/config on which the weights are trained first, for --init')
    flags.DEFINE_integer('pretrain_epochs', None, 'epochs on --pretrain_dataset; as many as --epochs where not given')
    define_recordings_flags()
    flags.DEFINE_string('manual_dir', None, 'folder of raw recordings, to prepare the dataset; else FDX_RAW_DATA')
    flags.DEFINE_enum(
        'keep_checkpoints', 'best', KEEP, 'checkpoints that stay of a finished run: the scored one or all'
    )
    flags.DEFINE_float('smoothing', 0.6, 'weight of the past in the smoothed losses, from 0 (none) to below 1')


def _base_config() -> TrainConfig:
    """The common budget; refuses flags that strategies and protocols decide."""
    for name, instead in (('freeze', 'strategies'), ('protocol', 'protocols')):
        if FLAGS[name].present:
            raise ConfigError(f'--{name} is decided by --{instead}: give --{instead}={FLAGS[name].value}')
    if FLAGS.seeds < 1 or FLAGS.seed + FLAGS.seeds > MAX_SEED:
        raise ConfigError(f'--seeds={FLAGS.seeds} with --seed={FLAGS.seed}: at least 1, and none above {MAX_SEED - 1}')
    if not 0 <= FLAGS.smoothing < 1:
        raise ConfigError(f'--smoothing={FLAGS.smoothing}: it lies in [0, 1)')
    if FLAGS.pretrain_epochs is not None and not FLAGS.pretrain_dataset:
        raise ConfigError(f'--pretrain_epochs={FLAGS.pretrain_epochs} needs --pretrain_dataset')
    if FLAGS.pretrain_dataset and (FLAGS['init'].present or FLAGS.weights_version):
        raise ConfigError('--pretrain_dataset makes the weights to start from: leave --init and --weights_version out')
    doubled = len(set(FLAGS.protocols)) < len(FLAGS.protocols)
    if doubled or not FLAGS.protocols:
        raise ConfigError(f'--protocols={",".join(FLAGS.protocols)}: at least one, each once')
    # Only the runs of first_last, head and first_blocks:N use it, and TrainConfig refuses it for others.
    train_norms, FLAGS.train_norms = FLAGS.train_norms, False
    try:
        return train_config()
    finally:
        FLAGS.train_norms = train_norms


def _do(run: Run, place: str, caches: dict) -> Outcome:
    """One run with its line of progress."""
    print(f'[{place}] {run.title} ...', flush=True)
    outcome = do_run(run, keep=FLAGS.keep_checkpoints, caches=caches, progress=progress)
    found = score(outcome.stored.predictions)
    seconds = sum(row['seconds'] for row in outcome.stored.history)
    state = f'{seconds:.1f} s' if outcome.fresh else 'finished before'
    print(f'    accuracy {100 * found["accuracy"]:.2f}%, macro F1 {found["macro_f1"]:.4f}; {state}', flush=True)
    return outcome


def _do_part(part: Part, places: Iterator[str]) -> list[Outcome]:
    """Pretraining, then every run of a part; `places` numbers the runs of all parts."""
    if part.pretraining:
        _do(part.pretraining, f'pretraining {part.label}'.rstrip(), {})
    caches: dict[str, dict] = {run.strategy.name: {} for run in part.runs}
    outcomes: list[Outcome] = []
    for run in part.runs:
        outcomes.append(_do(run, f'{next(places)} {part.label}'.rstrip(), caches[run.strategy.name]))
        common_origin(outcomes)
    return outcomes


def _design() -> Design:
    """The design from the flags, checked as far as possible without data."""
    budget = _base_config()
    has_weights = bool(FLAGS.pretrain_dataset) or budget.init != 'random'
    strategies = parse_strategies(FLAGS.strategies, has_weights=has_weights, train_norms=FLAGS.train_norms)
    if FLAGS.pretrain_dataset and not any(s.pretrained for s in strategies):
        raise ConfigError(f'--pretrain_dataset={FLAGS.pretrain_dataset}: no strategy starts from its weights')
    return Design(
        budget=budget,
        strategies=strategies,
        protocols=FLAGS.protocols,
        seeds=range(budget.seed, budget.seed + FLAGS.seeds),
        every_fold=FLAGS.fold == 'all',
        pretrain_dataset=FLAGS.pretrain_dataset,
        pretrain_epochs=FLAGS.pretrain_epochs,
        manual_dir=FLAGS.manual_dir,
        recordings=recordings_of_flags(built_source(budget.dataset, budget.data_dir, FLAGS.manual_dir)),
        notify=lambda line: print(line, flush=True),
    )


def _show(tables: list[Table]) -> None:
    for title, header, rows in tables:
        print(f'\n{title}\n{table(header, rows)}')


@locks_workdir
def main(argv) -> None:
    """Does every run that is missing, then writes the report."""
    del argv
    began = time.perf_counter()
    logging.getLogger('fdx').setLevel(logging.WARNING)  # The tables of frozen parameters are for launch.train.
    design, root = _design(), pathlib.Path(FLAGS.workdir)
    parts = plan(design, FLAGS.front_ends, root)
    total = sum(len(part.runs) for part in parts)
    places = (f'{i}/{total}' for i in itertools.count(1))
    outcomes = [_do_part(part, places) for part in parts]
    if not design.pretrain_dataset:
        common_origin(list(itertools.chain(*outcomes)))
    found = [
        {**compare(of_part, FLAGS.smoothing), 'seen_recordings': recordings_seen(part.config.init, part.dataset)}
        for part, of_part in zip(parts, outcomes, strict=True)
    ]
    if len(parts) == 1:
        report = write_comparison(root, found[0])
        _show(strategy_tables(found[0]))
    else:
        described = [{**results, **describe_images(part.dataset)} for part, results in zip(parts, found, strict=True)]
        results = compare_front_ends(described)
        report = write_front_ends(root, results)
        for part in results['front_ends']:
            print(f'\n{front_end_title(part)}')
            _show(strategy_tables(part))
        _show(front_end_tables(results))
    print(f'\nreport: {report}\nwhole comparison: {time.perf_counter() - began:.0f} s')


if __name__ == '__main__':
    define_flags()
    cli.run(main)
