"""Draws readings of a motor and whether it failed, as the motor-maintenance study does, and writes them as CSV.

    python -m launch.generate_table --rows=10000 --out=motor.csv

Prints how many rows failed, and the accuracy that no classifier can exceed on average: if a condition holds (a
temperature above 30 C, fewer than 1500 rpm, ...), a motor fails with the probability --p_failure_if_condition,
otherwise with --p_failure_otherwise.
"""

from __future__ import annotations

import dataclasses

from absl import flags

from fdx.data.readings_csv import balance_text, write_readings
from fdx.datasets.motor_maintenance.generator import STUDY, bayes_accuracy, generate

from . import cli

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this program."""
    flags.DEFINE_string('out', None, 'the CSV file to write')
    flags.DEFINE_integer('rows', 10000, 'number of readings')
    flags.DEFINE_integer('seed', 0, 'decides the readings')
    flags.DEFINE_float('p_failure_if_condition', STUDY.p_failure_if_condition, 'chance of failure beyond a threshold')
    flags.DEFINE_float('p_failure_otherwise', STUDY.p_failure_otherwise, 'chance of failure elsewhere')
    flags.mark_flag_as_required('out')


def main(argv) -> None:
    """Draws and writes."""
    del argv
    parameters = dataclasses.replace(
        STUDY,
        p_failure_if_condition=FLAGS.p_failure_if_condition,
        p_failure_otherwise=FLAGS.p_failure_otherwise,
    )
    readings = generate(FLAGS.rows, FLAGS.seed, parameters)
    write_readings(FLAGS.out, readings)
    print(f'{len(readings)} readings: {balance_text(readings.labels)}')
    print(f'best possible accuracy: {100 * bayes_accuracy(parameters):.2f} %')
    print(f'written: {FLAGS.out}')


if __name__ == '__main__':
    define_flags()
    cli.run(main)
