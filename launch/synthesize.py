r"""Generates spectrograms of rare faults: trains a conditional GAN, writes its records and judges them.

Example, in which the small defects of CWRU keep one window of twenty:

    python -m launch.synthesize --dataset=cwru/load0_12k --imbalance='*_007=1:20,*_014=1:20' --manual_dir=RECORDINGS \
        --workdir=runs/gan

Then train a classifier that also uses the generated records (it never uses only these, and never tests on them):

    python -m launch.train --dataset=cwru/load0_12k --imbalance='*_007=1:20,*_014=1:20' --balance=gan \
        --synthetic=synthetic/NAME --model=cnn_small --workdir=runs/with_gan

NAME is printed. The same command continues a stopped run. The GAN learns only from training rows of the fold; the
judgement in WORKDIR/judgement (report.html) compares its records with real ones: Frechet distance, precision and
recall, copies of training windows, and what a classifier learns from generated windows only.
"""

from __future__ import annotations

import dataclasses
import logging
import pathlib

from absl import flags

from fdx.evaluate.synthesis_plots import plot_health, plot_mean_spectra, plot_real_and_generated
from fdx.evaluate.synthesis_report import write_judgement
from fdx.signal.front_ends import front_end_from_config
from fdx.synth.config import SynthConfig
from fdx.synth.judge import collect, judge
from fdx.synth.run import Synthesis, synthesise
from fdx.types import ConfigError

from . import cli
from .config_flags import MAX_SEED, define_fields, field_values
from .display import progress, table
from .prepare_on_demand import prepare_if_missing
from .recordings_flags import define_recordings_flags
from .synthesize_on_demand import health_line
from .workdirs import locks_workdir

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this program: those of SynthConfig and its own."""
    define_fields(SynthConfig)
    flags.DEFINE_string('workdir', None, 'where checkpoints, logs and the judgement go')
    flags.DEFINE_string('name', '', 'of the generated dataset, synthetic/NAME in --data_dir; made up where empty')
    flags.DEFINE_integer('per_class', 0, 'records of each class; 0: as many as the most frequent class has windows')
    flags.DEFINE_integer('judge_samples', 64, 'generated windows of each class that are judged; 0 judges nothing')
    define_recordings_flags()
    flags.DEFINE_string('manual_dir', None, 'folder of raw recordings, to prepare the dataset; else FDX_RAW_DATA')
    flags.mark_flags_as_required(['dataset', 'workdir'])


def _config() -> SynthConfig:
    values = field_values(SynthConfig)
    if not 0 <= values['seed'] < MAX_SEED:
        raise ConfigError(f'--seed={values["seed"]}: a whole number from 0 to {MAX_SEED - 1}')
    for name in ('per_class', 'judge_samples'):
        if FLAGS[name].value < 0:
            raise ConfigError(f'--{name}={FLAGS[name].value}: 0 or above')
    return SynthConfig(**{**values, 'exclude_recordings': tuple(values['exclude_recordings'])})


@locks_workdir
def main(argv) -> None:
    """Trains, writes and judges."""
    del argv
    # The tables of frozen parameters are for launch.train.
    logging.getLogger('fdx.train.partition').setLevel(logging.WARNING)
    config = _config()
    name = prepare_if_missing(config.dataset, config.data_dir, FLAGS.manual_dir)
    config = dataclasses.replace(config, dataset=name)
    made = synthesise(
        config,
        FLAGS.workdir,
        name=FLAGS.name,
        per_class=FLAGS.per_class,
        progress=progress,
        on_row=lambda row: print(health_line(row), flush=True),
    )
    print(f'generated records: {made.name} in {config.data_dir}')
    if FLAGS.judge_samples:
        report = judge_and_write(made, pathlib.Path(FLAGS.workdir) / 'judgement', FLAGS.judge_samples)
        print(f'judgement: {report}')


def judge_and_write(made: Synthesis, folder: pathlib.Path, samples: int) -> pathlib.Path:
    """Judges a generator, prints the table and writes the report with its pictures."""
    config, meta = made.sampler.config, made.sampler.meta
    # The noise differs from that of the written records.
    parts = collect(made.sampler, made.dataset, samples, seed=config.seed + 1)
    result = judge(made.sampler, parts, progress=progress)
    print(class_table(result))
    names = meta['class_names']
    pictured = [{name: parts.of_class(part, i) for i, name in enumerate(names)} for part in ('reference', 'generated')]
    axes = front_end_from_config(meta['front_end']).axes
    figures = {
        'real_and_generated': plot_real_and_generated(*pictured, names, axes),
        'mean_spectra': plot_mean_spectra(*pictured, names, axes),
        'health': plot_health(made.history),
    }
    result |= {
        'dataset': made.dataset.name,
        'checkpoint': made.sampler.checkpoint,
        'step': made.sampler.step,
        **{name: getattr(config, name) for name in ('protocol', 'fold', 'seed', 'imbalance')},
        'config': config.to_json(),
        'history': made.history,
        'versions': meta['versions'],
        'backend': meta['backend'],
    }
    return write_judgement(folder, result, figures)


def class_table(result: dict) -> str:
    """The judgement as text, one line per class."""
    header = ['class', 'windows', 'Frechet', 'other class', 'ratio', 'precision', 'recall', 'near copies']
    rows = [
        [
            row['name'],
            row['train_rows'],
            f'{row["frechet"]:.2f}',
            f'{row["frechet_other_class"]:.2f}',
            f'{row["frechet_ratio"]:.1f}',
            f'{row["precision"]:.2f}',
            f'{row["recall"]:.2f}',
            f'{100 * row["near_copies"]:.0f} %',
        ]
        for row in result['classes']
    ]
    scores = ', '.join(
        f'{words} {100 * result[key]["accuracy"]:.1f} %'
        for key, words in (
            ('train_real_test_real', 'real on real'),
            ('train_synthetic_test_real', 'generated on real'),
            ('train_real_test_synthetic', 'real on generated'),
        )
    )
    ratio = f'ratio on average {result["frechet_ratio"]:.1f}'
    return f'{table(header, rows)}\n{ratio}; accuracy, trained on ... tested on: {scores}'


if __name__ == '__main__':
    define_flags()
    cli.run(main)
