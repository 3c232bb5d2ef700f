"""The road from a table of readings to a microcontroller, in one command: `make table`.

    python -m launch.table --workdir=runs/table

Draws the motor-maintenance table (or takes yours: --csv), trains a small and a larger network in several ways, scores
them on rows that they have not seen, exports the small one to 8-bit integers, compares that with its checkpoint on
every test row, and prints one table. The models stay in the workdir: checkpoints, motor.tflite, motor.h.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import logging as stdlib_logging
import os
import pathlib
import time

from absl import flags

from fdx.data.csv_tables import CsvTable, csv_table
from fdx.data.protocols.splits import split_rows
from fdx.data.readings_csv import balance_text, read_readings, write_readings
from fdx.data.source import open_dataset
from fdx.datasets.motor_maintenance.generator import STUDY, bayes_accuracy, generate
from fdx.evaluate.decision_metrics import binary_summary
from fdx.evaluate.evaluate import evaluate
from fdx.evaluate.metrics import interval_text
from fdx.evaluate.predictions import load_predictions
from fdx.files import atomic_write_text, write_json
from fdx.train.config import TrainConfig
from fdx.train.run import train
from fdx.types import ConfigError, FdxError

from . import cli
from .display import progress, table
from .prepare_on_demand import prepare_if_missing
from .table_defaults import DROPOUT_OF_LARGE, TABLE_DEFAULTS
from .workdirs import locks_workdir

FLAGS = flags.FLAGS
# Name of the row -> settings that differ from the defaults of a table. The first one is exported; its threshold gives
# recall twice the weight of precision.
RUNS = {
    'small': {'threshold': 'f_beta:2'},
    'large, dropout': {'model_options': {'size': 'large'}, 'dropout_rate': DROPOUT_OF_LARGE},
    'small, class weights': {'balance': 'class_weight'},
    'small, SMOTE': {'balance': 'smote'},
}
EXPORTED = 'small'
HEADER = ('network', 'accuracy %', 'precision %', 'recall %', 'F1', 'ROC AUC', 'ECE %', 'missed', 'false alarms', 's')


def define_flags() -> None:
    """The flags of this program."""
    flags.DEFINE_string('workdir', 'runs/table', 'where the table, the models and the reports go')
    flags.DEFINE_string('data_dir', 'data', 'folder of prepared datasets')
    flags.DEFINE_string('csv', None, 'your own table (rpm, temperature_c, vibration_g, current_a, failure)')
    flags.DEFINE_string('group_column', None, 'column of --csv that names the machine, run or day of each row')
    flags.DEFINE_integer('rows', 10000, 'number of readings to draw where there is no --csv')
    flags.DEFINE_float('min_agreement', 0.99, 'share of test rows that checkpoint and 8-bit model both call the same')
    flags.DEFINE_integer('seed', 0, 'decides the split and the networks, and the readings where they are drawn')


def _table_file(workdir: pathlib.Path) -> pathlib.Path:
    if FLAGS.csv:
        if FLAGS['rows'].present:
            raise ConfigError(f'--rows={FLAGS.rows} is for drawn readings: --csv={FLAGS.csv} has its own; leave it out')
        path = pathlib.Path(FLAGS.csv)
        print(f'{path}: {balance_text(read_readings(path, group_column=FLAGS.group_column or "").labels)}')
        return path
    path = workdir / 'motor.csv'
    readings = generate(FLAGS.rows, FLAGS.seed)
    write_readings(path, readings)
    print(f'{path}: {balance_text(readings.labels)}; best possible accuracy {100 * bayes_accuracy(STUDY):.2f} %')
    return path


def _dataset_name(path: pathlib.Path) -> str:
    """A name that follows from the rows, so that another table is another dataset."""
    digest = hashlib.sha256(path.read_bytes() + (FLAGS.group_column or '').encode()).hexdigest()[:12]
    return f'motor_maintenance/table_{digest}'


def _csv_table(path: pathlib.Path) -> CsvTable:
    """The table to prepare. Drawn rows are independent; the rows of a file may be a log."""
    if FLAGS.csv:
        return csv_table(str(path), FLAGS.group_column)
    return CsvTable(str(path), protocol=TABLE_DEFAULTS['protocol'])


def _row(name: str, results: dict, seconds: float) -> tuple:
    d = results['decision']
    return (
        name,
        f'{100 * results["accuracy"]:.2f}',
        *(f'{100 * d[k]:.2f}' for k in ('precision', 'recall')),
        f'{d["f1"]:.4f}',
        f'{d["roc_auc"]:.4f}',
        f'{100 * results["ece"]:.2f}',
        d['missed'],
        d['false_alarms'],
        f'{seconds:.0f}',
    )


def _trained(
    name: str, changes: dict, dataset: str, protocol: str, workdir: pathlib.Path
) -> tuple[pathlib.Path, dict, float]:
    began = time.perf_counter()
    settings = {**TABLE_DEFAULTS, 'protocol': protocol, **changes}
    config = TrainConfig(dataset=dataset, data_dir=FLAGS.data_dir, seed=FLAGS.seed, **settings)
    folder = workdir / name.replace(', ', '_').replace(' ', '_')
    train(config, folder, progress=progress)
    return folder, evaluate(folder, folder / 'evaluation'), time.perf_counter() - began


def _without_threshold(folder: pathlib.Path) -> dict:
    """Accuracy and scores for the same probabilities if the more probable class wins."""
    p = dataclasses.replace(load_predictions(folder / 'evaluation' / 'predictions.npz'), thresholds=None)
    decision = binary_summary(p.probabilities, p.labels, p.predicted, p.class_names)
    return {'accuracy': float((p.predicted == p.labels).mean()), 'decision': decision}


def _exported(folder: pathlib.Path, workdir: pathlib.Path) -> tuple[dict, dict, float]:
    began = time.perf_counter()
    os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '0')
    done = importlib.import_module('fdx.export.write').export(
        folder, 'tflite_int8', min_agreement=FLAGS.min_agreement, c_array='motor', progress=progress
    )
    done.write(workdir / 'motor.tflite')
    atomic_write_text(workdir / 'motor.h', done.header)
    results = evaluate(workdir / 'motor.tflite', workdir / 'motor_tflite')
    return results, done.summary, time.perf_counter() - began


@locks_workdir
def main(argv) -> None:
    """From the table to the microcontroller."""
    del argv
    stdlib_logging.getLogger('fdx').setLevel(stdlib_logging.WARNING)  # It hides the table of parameters of each run.
    workdir = pathlib.Path(FLAGS.workdir)
    path = _table_file(workdir)
    dataset = _dataset_name(path)
    prepare_if_missing(dataset, FLAGS.data_dir, None, _csv_table(path))
    data = open_dataset(dataset, FLAGS.data_dir)
    protocol = data.default_protocol
    print(f'{dataset}: {len(data)} rows, about three fifths train, one validates, one tests ({protocol})')
    splits = split_rows(data.table, protocol, seed=FLAGS.seed)
    for note in [*splits.notes, *([f'LEAKS: {splits.leak_reason}'] if splits.leak_reason else [])]:
        print(cli.as_flags(note))
    rows, kept = [], {}
    for name, changes in RUNS.items():
        folder, results, seconds = _trained(name, changes, dataset, protocol, workdir)
        plain = _without_threshold(folder)
        rows.append(_row(name, {**results, **plain}, seconds))
        if results['decision']['threshold'] is not None:
            rows.append(_row(f'{name}, threshold', results, 0))
        kept[name] = {**results, 'without_threshold': plain, 'workdir': str(folder)}
        print(
            f'{name}: {100 * results["accuracy"]:.2f} % of {results["windows"]} test rows (95 % interval '
            f'{interval_text(results)})',
            flush=True,
        )
    try:
        results, summary, seconds = _exported(pathlib.Path(kept[EXPORTED]['workdir']), workdir)
    except FdxError:
        print()
        print(table(HEADER, rows), flush=True)  # Printed before the export, which may fail.
        raise
    rows.append(_row(f'{EXPORTED}, threshold, int8', results, seconds))
    print()
    print(table(HEADER, rows))
    print(
        f'\nint8 against its checkpoint on {summary["windows"]} test rows: agreement '
        f'{100 * summary["agreement"]:.2f} %, {summary["bytes"]} bytes ({summary["float_bytes"]} as float), '
        f'{"full integer" if summary["full_integer"] else "with float tensors"}'
    )
    if summary['agreement_note']:
        print(cli.as_flags(f'warning: agreement {summary["agreement_note"]}'))
    write_json(workdir / 'table.json', {'runs': kept, 'int8': results, 'export': summary})
    print(f'files: {workdir}/motor.tflite, motor.h, table.json; reports: {workdir}/*/evaluation/report.html')


if __name__ == '__main__':
    define_flags()
    cli.run(main)
