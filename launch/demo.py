"""The whole path on two simulated machines: pretrain on rig_a, transfer to rig_b with few labels, report.

    python -m launch.demo --workdir=runs/demo

Trains VGGish on rig_a, keeps its backbone and trains a new classifier on a few labelled windows of rig_b. For
comparison it trains the same network from scratch on the same windows. Then YAMNet, trained on AudioSet's sounds (its
weights come from the package index) and frozen, is tested on rig_b, and compared with the same network untrained and
with no network. A second call continues a stopped one. Every step prints the command that does the same on your data.
"""

from __future__ import annotations

import logging
import pathlib
import time

from absl import flags

from fdx.benchmarks.probe import CHOSEN
from fdx.benchmarks.probe_heads import ProbePlan
from fdx.benchmarks.probe_report import shots_words, write_probe
from fdx.benchmarks.probe_run import run_probe
from fdx.benchmarks.stage_features import INPUT
from fdx.evaluate.evaluate import evaluate
from fdx.evaluate.spread import spread_text
from fdx.files import write_json
from fdx.train.config import TrainConfig
from fdx.train.run import train
from fdx.types import WeightsError
from fdx.weights.published import fetch_published

from . import cli
from .display import epoch_line, progress, table
from .prepare_on_demand import prepare_if_missing
from .workdirs import locks_workdir

FLAGS = flags.FLAGS
SOURCE, TARGET = 'bearing_rig/rig_a_small', 'bearing_rig/rig_b_small'
KEPT = (
    'accuracy', 'macro_f1', 'accuracy_interval', 'interval_unit', 'units', 'accuracy_interval_windows', 'bearings',
    'accuracy_interval_bearings'
)  # fmt: skip
SOUNDS, HEARD = 'audioset_yamnet', f'{TARGET}-yamnet'


def define_flags() -> None:
    """The demo's flags, which are defined only if it is the program that runs."""
    flags.DEFINE_string('workdir', 'runs/demo', 'where the three runs go')
    flags.DEFINE_string('data_dir', 'data', 'folder of prepared datasets')
    flags.DEFINE_integer('labels_per_class', 10, 'labelled windows of each class on rig_b')
    flags.DEFINE_integer('pretrain_epochs', 4, 'epochs on rig_a')
    flags.DEFINE_integer('draws', 20, 'how often few labelled windows are drawn for the heads on YAMNet')
    flags.DEFINE_integer('seed', 0, 'seed of all three runs')
    flags.DEFINE_float('width_multiplier', 1.0, 'scales VGGish; 1 is the published network')


def _configs(root: pathlib.Path) -> dict[str, TrainConfig]:
    common = {
        'data_dir': FLAGS.data_dir,
        'seed': FLAGS.seed,
        # The embedding is used before its ReLU, because a short pretraining leaves many units dead after it.
        'model_options': {'head_input': 'embedding_linear', 'width_multiplier': FLAGS.width_multiplier},
    }
    # A checkpoint of all layers with Adam's state has 0.9 GB, so it is not written after every epoch.
    all_layers = {'learning_rate': 5e-5, 'halve_every': 0, 'save_every': 2}
    target = {'dataset': TARGET, 'labels_per_class': FLAGS.labels_per_class, **common}
    return {
        'pretrain': TrainConfig(dataset=SOURCE, epochs=FLAGS.pretrain_epochs, dropout_rate=0.0, **all_layers, **common),
        'transfer': TrainConfig(
            init=str(root / 'pretrain'), freeze='head', epochs=100, learning_rate=5e-3, halve_every=50, **target
        ),
        'scratch': TrainConfig(epochs=12, **all_layers, **target),
    }


def command(config: TrainConfig, workdir: pathlib.Path) -> str:
    """The launch.train command of a config, without its defaults."""
    plain = TrainConfig(dataset='')
    parts = [f'--{k}={v}' for k, v in config.to_json().items() if k != 'model_options' and v != plain.to_json()[k]]
    options = [f'--model_option={k}={v}' for k, v in config.model_options.items() if v != 1.0]
    return ' '.join(['python -m launch.train', *parts, *options, f'--workdir={workdir}'])


@locks_workdir
def main(argv) -> None:
    """Runs the three trainings, scores them and prints one table."""
    del argv
    began = time.perf_counter()
    logging.getLogger('fdx').setLevel(logging.WARNING)  # The tables of frozen parameters are for launch.train.
    root = pathlib.Path(FLAGS.workdir)
    for dataset in (SOURCE, TARGET):
        prepare_if_missing(dataset, FLAGS.data_dir, None)
    rows, summary = [], {}
    for name, config in _configs(root).items():
        print(f'\n== {name}\n{command(config, root / name)}', flush=True)
        every = config.epochs_between_saves()
        result = train(
            config,
            root / name,
            progress=progress,
            on_epoch=lambda row, every=every: row['epoch'] % every or print(epoch_line(row), flush=True),
        )
        scores = evaluate(root / name, root / name / 'evaluation', progress=progress)
        summary[name] = {k: scores[k] for k in KEPT}
        summary[name]['seconds'] = sum(r['seconds'] for r in result.history)
        rows.append(_row(name, scores, summary[name]['seconds']))
    summary['sounds'], heard = _listen(root)
    write_json(root / 'summary.json', summary)
    print('\n' + table(('run', 'labels', 'accuracy %', '95% by recording', 'macro F1', 'seconds'), rows))
    print('\n' + heard)
    print('\nScored on test blocks that no training window touches (protocol time_blocks, fold 0).')
    if summary['transfer']['bearings']:
        print(
            'Intervals are of other recordings of the same machine: those of a class share its one bearing, and '
            f'{summary["transfer"]["bearings"]} bearings say little of other machines.'
        )
    print(f'report: {root / "transfer" / "evaluation" / "report.html"}')
    print(f'whole demo: {time.perf_counter() - began:.0f} s')


def _listen(root: pathlib.Path) -> tuple[dict, str]:
    """YAMNet trained on AudioSet, frozen, on rig_b: (accuracy by network and shots, a table or why there is none)."""
    shots = tuple(sorted({1, FLAGS.labels_per_class}))
    options = f'--model=yamnet --init={SOUNDS} --fold=0 --shots={",".join(map(str, shots))} --draws={FLAGS.draws}'
    places = f'--seed={FLAGS.seed} --data_dir={FLAGS.data_dir} --workdir={root / "audioset"}'
    print(f'\n== sounds\npython -m launch.probe --dataset={HEARD} {options} {places}', flush=True)
    try:
        fetch_published(SOUNDS)
    except WeightsError as e:
        reason = f'The row of the network trained on AudioSet is left out, its weights cannot be had: {e}'
        print(reason, flush=True)
        return {}, reason
    prepare_if_missing(HEARD, FLAGS.data_dir, None)
    plan, rows, found = ProbePlan(shots=shots, draws=FLAGS.draws, seed=FLAGS.seed), [], {}
    for name, init in (('trained on AudioSet', SOUNDS), ('untrained', 'random')):
        config = TrainConfig(
            dataset=HEARD, data_dir=FLAGS.data_dir, model='yamnet', init=init, freeze='head', seed=FLAGS.seed
        )
        began, folder = time.perf_counter(), root / name.split()[-1].lower()
        results = run_probe(config, plan, folder=folder / 'features', progress=progress)
        write_probe(folder, results)
        seconds = f'{time.perf_counter() - began:.0f}'
        found[name] = _accuracies(results, CHOSEN)
        rows.append((f'YAMNet {name}, frozen', *_percent(found[name]), seconds))
        found['no network'] = _accuracies(results, INPUT)
    rows.append(('no network, log-mel', *_percent(found['no network']), ''))
    header = ('linear head on rig_b', *[f'{shots_words(k)} a class' for k in shots], 'seconds')
    return found, table(header, rows) + f'\n(mean and deviation of {plan.draws} draws of labelled windows)'


def _accuracies(results: dict, stage: str) -> dict[str, dict]:
    """The accuracy of a row: shots -> mean and deviation."""
    rows = {shots_words(p['shots']): next(r for r in p['rows'] if r['stage'] == stage) for p in results['shots']}
    return {shots: {k: row['accuracy'][k] for k in ('mean', 'standard_deviation')} for shots, row in rows.items()}


def _percent(found: dict[str, dict]) -> list[str]:
    return [spread_text(values, percent=True) for values in found.values()]


NAMES = {
    'pretrain': 'VGGish on rig_a, all layers',
    'transfer': 'rig_a -> rig_b, head only',
    'scratch': 'rig_b from scratch, all layers',
}


def _row(name: str, scores: dict, seconds: float) -> tuple:
    low, high = scores['accuracy_interval']
    return (
        NAMES[name],
        scores['train_windows'][0],
        f'{100 * scores["accuracy"]:.1f}',
        f'{100 * low:.1f}-{100 * high:.1f}',
        f'{scores["macro_f1"]:.3f}',
        f'{seconds:.0f}',
    )


if __name__ == '__main__':
    define_flags()
    cli.run(main)
