"""The whole path on two simulated machines: pretrain on rig_a, transfer to rig_b with few labels, report.

    python -m launch.demo --workdir=runs/demo

Trains VGGish on rig_a, keeps its backbone and trains a new classifier on a few labelled windows of rig_b; beside it the
same network from scratch on the same windows. A second call goes on where a stopped one stands. Every step prints the
command that does the same on your own data.
"""

from __future__ import annotations

import logging
import pathlib
import time

from absl import flags

from fdx.evaluate.evaluate import evaluate
from fdx.files import write_json
from fdx.train.config import TrainConfig
from fdx.train.run import train
from launch import cli
from launch.display import epoch_line, progress, table
from launch.prepare_on_demand import prepare_if_missing

FLAGS = flags.FLAGS
SOURCE, TARGET = 'bearing_rig/rig_a_small', 'bearing_rig/rig_b_small'


def define_flags() -> None:
    """The demo's flags; defined only when it is the program that runs."""
    flags.DEFINE_string('workdir', 'runs/demo', 'where the three runs go')
    flags.DEFINE_string('data_dir', 'data', 'folder of prepared datasets')
    flags.DEFINE_integer('labels_per_class', 10, 'labelled windows of each class on rig_b')
    flags.DEFINE_integer('pretrain_epochs', 4, 'epochs on rig_a')
    flags.DEFINE_integer('seed', 0, 'seed of all three runs')
    flags.DEFINE_float('width_multiplier', 1.0, 'scales VGGish; 1 is the published network')


def _configs(root: pathlib.Path) -> dict[str, TrainConfig]:
    common = {
        'data_dir': FLAGS.data_dir,
        'seed': FLAGS.seed,
        # Before its ReLU no unit of the embedding is dead, which a short pretraining would leave many of.
        'model_options': {'head_input': 'embedding_linear', 'width_multiplier': FLAGS.width_multiplier},
    }
    # A checkpoint of all layers with Adam's state has 0.9 GB: not after every epoch.
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
        summary[name] = {**{k: scores[k] for k in ('accuracy', 'macro_f1', 'accuracy_interval')}}
        summary[name]['seconds'] = sum(r['seconds'] for r in result.history)
        rows.append(_row(name, scores, summary[name]['seconds']))
    write_json(root / 'summary.json', summary)
    print('\n' + table(('run', 'labels', 'accuracy %', '95% interval', 'macro F1', 'seconds'), rows))
    print('\nScored on test blocks that no training window touches (protocol time_blocks, fold 0).')
    print(f'report: {root / "transfer" / "evaluation" / "report.html"}')
    print(f'whole demo: {time.perf_counter() - began:.0f} s')


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
