r"""Tests what a frozen network knows about your recordings without training on them: linear heads on every stage.

A network pretrained on audio, with one labelled window per class and more; the weights are fetched on first use:

    python -m launch.probe --dataset=cwru/faults_12k-musicnn --model=musicnn_vgg --init=musicnn_mtt \
        --shots=1,2,5,all --workdir=runs/probe

The same network untrained, and an image network from each motor load to every other one:

    python -m launch.probe --dataset=cwru/faults_12k-musicnn --model=musicnn_vgg --init=random --workdir=runs/untrained
    python -m launch.probe --dataset=cwru/faults_12k-multi_resolution_mel --model=efficientnet_lite0 \
        --init=imagenet_lite0 --protocol=domain_pairs --shots=all --fold=all --workdir=runs/loads

Every stage's output is pooled (over time, each band by itself, or --pool=global) and computed once for all windows; a
logistic regression is fitted on it for every fold and every draw of labelled windows. The row `log_mel` is the input
itself, averaged over time, without a network. The last row takes, in each fold and draw, the stage that is best on
validation windows. Writes probe.json, probe.png and report.html. Features stay in WORKDIR/features, so that other
--shots are quick.

With --save, WORKDIR/run is a run of that last row (all labels), which launch.evaluate, launch.predict and launch.export
take like one of launch.train: the frozen network up to the chosen stage, and the head of the probe on it.

    python -m launch.probe --dataset=recordings/pumps-musicnn --recordings=pumps/ --save --workdir=runs/pumps
    python -m launch.predict --checkpoint=runs/pumps/run/fold_0 new.wav
"""

from __future__ import annotations

import dataclasses
import pathlib
import time

from absl import flags

from fdx.benchmarks.probe_heads import ALL_LABELS, ProbePlan
from fdx.benchmarks.probe_report import probe_header, probe_rows, probe_statements, write_probe
from fdx.benchmarks.probe_run import all_folds, run_probe
from fdx.data.protocols.splits import PROTOCOLS
from fdx.data.source import Dataset, open_dataset
from fdx.inspect.advisor import protocols_of_dataset
from fdx.models.registry import model_names
from fdx.models.truncated import POOLS
from fdx.train.config import TrainConfig
from fdx.types import ConfigError

from . import cli
from .config_flags import model_options
from .display import progress, table
from .own_defaults import is_own
from .prepare_on_demand import prepare_if_missing
from .recordings_flags import define_recordings_flags

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this program."""
    flags.DEFINE_string('dataset', None, 'builder/config, with the front end that the model takes', required=True)
    flags.DEFINE_string('data_dir', 'data', 'folder of prepared datasets')
    flags.DEFINE_string('manual_dir', None, 'folder of raw recordings, to prepare the dataset; else FDX_RAW_DATA')
    flags.DEFINE_enum('model', 'musicnn_vgg', model_names(), 'the network')
    flags.DEFINE_multi_string('model_option', [], 'option of the model as NAME=VALUE, e.g. width_multiplier=0.25')
    flags.DEFINE_string('init', 'musicnn_mtt', 'weights, as --init of launch.train takes them; random for untrained')
    flags.DEFINE_bool(
        'allow_leak', False, 'probe although the run of --init has learned from what is scored; the program says so'
    )
    flags.DEFINE_list('stages', ['all'], 'stages of the network that the choice is made among, or all')
    flags.DEFINE_enum('pool', 'bands', list(POOLS), 'a stage as a vector: mean over time, or mean and maximum over all')
    flags.DEFINE_list('shots', ['1', '2', '5', 'all'], 'labelled training windows of each class; all for every one')
    flags.DEFINE_bool(
        'save', False, 'write a run of the stage chosen on validation into WORKDIR/run; needs all in --shots'
    )
    flags.DEFINE_integer('draws', 20, 'how often few labels are drawn')
    flags.DEFINE_enum(
        'protocol',
        'time_blocks',
        list(PROTOCOLS),
        'how recordings are split; of your own recordings, by default as launch.train would',
    )
    flags.DEFINE_string('fold', 'all', 'which fold of the protocol, or all, pooled')
    flags.DEFINE_enum('label_key', 'label', ['label', 'fault_type'], 'what is classified')
    flags.DEFINE_list('exclude_recordings', [], 'ids of recordings to leave out')
    flags.DEFINE_integer('seed', 0, 'of untrained networks, of the draws, and of what is random in the protocol')
    define_recordings_flags()
    flags.DEFINE_string('workdir', 'runs/probe', 'where features and the report go')


def _shots() -> tuple[int, ...]:
    bad = [text for text in FLAGS.shots if text != 'all' and not (text.isdecimal() and int(text) > 0)]
    if bad or not FLAGS.shots:
        raise ConfigError(f'--shots={",".join(FLAGS.shots)}: counts from 1 on with commas, or all')
    return tuple(ALL_LABELS if text == 'all' else int(text) for text in FLAGS.shots)


def _protocol(dataset: Dataset) -> str:
    """That of the flag; of own recordings, the right one where no flag names another."""
    if FLAGS['protocol'].present or not is_own(dataset.name):
        return FLAGS.protocol
    found = protocols_of_dataset(dataset, FLAGS.label_key)
    if found.right:
        print(f'protocol {found.right}: {cli.as_flags(found.reason)}')
    return found.right or FLAGS.protocol


def _plan(dataset: Dataset) -> ProbePlan:
    protocol = _protocol(dataset)
    if FLAGS.fold == 'all':
        folds = all_folds(dataset, protocol, FLAGS.label_key)
    elif FLAGS.fold.isdecimal():
        folds = (int(FLAGS.fold),)
    else:
        raise ConfigError(f'--fold={FLAGS.fold}: a number or all')
    return ProbePlan(
        protocol=protocol,
        folds=folds,
        shots=_shots(),
        draws=FLAGS.draws,
        label_key=FLAGS.label_key,
        seed=FLAGS.seed,
        exclude_recordings=tuple(FLAGS.exclude_recordings),
    )


def main(argv) -> None:
    """Computes features, fits the heads and writes the report."""
    del argv
    began, root = time.perf_counter(), pathlib.Path(FLAGS.workdir)
    config = TrainConfig(
        dataset=FLAGS.dataset,
        data_dir=FLAGS.data_dir,
        label_key=FLAGS.label_key,
        model=FLAGS.model,
        model_options=model_options(FLAGS.model, FLAGS.model_option),
        init=FLAGS.init,
        allow_leak=FLAGS.allow_leak,
        freeze='head',
        seed=FLAGS.seed,
    )
    name = prepare_if_missing(config.dataset, config.data_dir, FLAGS.manual_dir)
    config = dataclasses.replace(config, dataset=name)
    plan = _plan(open_dataset(config.dataset, config.data_dir))
    stages = () if FLAGS.stages == ['all'] else tuple(FLAGS.stages)
    run = root / 'run' if FLAGS.save else None
    results = run_probe(
        config, plan, stages=stages, pool=FLAGS.pool, folder=root / 'features', progress=progress, save=run
    )
    report = write_probe(root, results)
    print(f'{config.model} ({results["init"]}) frozen, on {results["dataset"]}: test accuracy in percent\n')
    print(table(probe_header(results), probe_rows(results)))
    print('\n' + '\n'.join(probe_statements(results)))
    print(''.join(f'\nLEAKS: {reason}' for reason in results['init_leaks']), end='')
    if run:
        print(f'\nrun: {run}; score it: python -m launch.evaluate --checkpoint={run}', end='')
    print(f'\nreport: {report}\n{time.perf_counter() - began:.0f} s')


if __name__ == '__main__':
    define_flags()
    cli.run(main)
