"""Scores a trained run and writes results.json, PNGs and a self-contained report.html.

    python -m launch.evaluate --checkpoint=runs/cwru
    python -m launch.evaluate --checkpoint=runs/cwru_seed0,runs/cwru_seed1,runs/cwru_seed2

Everything else is read from the checkpoint. A workdir of --fold=all is pooled over its folds. Several runs, separated
by commas, are scored one by one, with the mean and the spread over them at the end.
"""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

from absl import flags

from fdx.evaluate.evaluate import evaluate
from fdx.evaluate.metrics import interval_text, mean_and_spread
from fdx.evaluate.predictions import RECORDING
from fdx.evaluate.report import write_results
from fdx.predict.load import SUFFIXES
from fdx.types import ConfigError

from . import cli
from .display import progress, table

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this program."""
    flags.DEFINE_list(
        'checkpoint', None, 'workdir of launch.train, or a .tflite file of launch.export; several separated by commas'
    )
    flags.DEFINE_string('split', 'test', 'train, validation, test or all')
    flags.DEFINE_string('step', 'best', 'which checkpoint: best (by validation), last or a number')
    flags.DEFINE_string('dataset', None, 'another prepared dataset than the one of training')
    flags.DEFINE_string('data_dir', None, 'folder of prepared datasets, where it has moved since training')
    flags.DEFINE_string('out', None, 'where results go; a folder evaluation... in the workdir by default')
    flags.mark_flag_as_required('checkpoint')


def show(results: dict, out: pathlib.Path) -> None:
    """Prints the numbers of an evaluation."""
    rows = [
        (r['class'], *('-' if r[k] is None else f'{100 * r[k]:.2f}' for k in ('precision', 'recall')), r['support'])
        for r in results['per_class']
    ]
    of_table = results['interval_unit'] != RECORDING
    print(table(('class', 'precision %', 'recall %', 'rows' if of_table else 'windows'), rows))
    scored = f'{results["windows"]} '
    scored += 'rows' if of_table else f'windows of {results["recordings"]} recordings'
    print(
        f'accuracy {100 * results["accuracy"]:.2f}% (95% interval {interval_text(results)}), '
        f'macro F1 {results["macro_f1"]:.4f}, {scored}'
    )
    decision = results.get('decision')
    if decision and decision['recall'] is not None:
        rule = 'the more probable class' if decision['threshold'] is None else f'threshold {decision["threshold"]}'
        print(
            f'{decision["positive"]} by {rule}: precision {100 * decision["precision"]:.2f}%, recall '
            f'{100 * decision["recall"]:.2f}%, F1 {decision["f1"]:.4f}, missed {decision["missed"]}, false alarms '
            f'{decision["false_alarms"]}'
        )
    if results['leaks']:
        print(f'LEAKS: {results["leak_reason"]} ({100 * results["leak_share"]:.0f}% of the scored windows)')
    print(f'report: {out / "report.html"}')


def _out_folders(workdirs: Sequence[str]) -> list[pathlib.Path]:
    """A separate folder for the results of each run."""
    if not FLAGS.out:
        parts = ['evaluation', *([FLAGS.split] if FLAGS.split != 'test' or FLAGS.dataset else [])]
        parts += [FLAGS.dataset.replace('/', '-').replace(':', '-')] if FLAGS.dataset else []
        return [_default_root(workdir) / '_'.join(parts) for workdir in workdirs]
    if len(workdirs) == 1:
        return [pathlib.Path(FLAGS.out)]
    names = [pathlib.Path(workdir).absolute().name for workdir in workdirs]
    if len(set(names)) < len(names):
        names = [f'{i}_{name}' for i, name in enumerate(names)]
    return [pathlib.Path(FLAGS.out) / name for name in names]


def _default_root(workdir: str) -> pathlib.Path:
    """The folder beside an exported file, or the workdir itself."""
    path = pathlib.Path(workdir)
    return path.with_name(path.name.replace('.', '_')) if path.suffix in SUFFIXES else path


def main(argv) -> None:
    """Scores the runs that the flags name."""
    del argv
    workdirs = [workdir for workdir in FLAGS.checkpoint if workdir]
    if not workdirs:
        raise ConfigError('--checkpoint is empty: name the workdir of launch.train')
    scored = []
    for workdir, out in zip(workdirs, _out_folders(workdirs)):
        results = evaluate(
            workdir,
            out,
            split=FLAGS.split,
            step=FLAGS.step,
            dataset=FLAGS.dataset,
            data_dir=FLAGS.data_dir,
            progress=progress,
        )
        show(results, out)
        scored.append(results)
    if len(scored) > 1:
        spread = mean_and_spread(scored)
        for name in ('accuracy', 'macro_f1'):
            mean, deviation = spread[name]['mean'], spread[name]['standard_deviation']
            print(f'{name}: mean {mean:.4f}, standard deviation {deviation:.4f}, {spread["n"]} runs')
        if FLAGS.out:
            write_results(pathlib.Path(FLAGS.out) / 'spread.json', spread)


if __name__ == '__main__':
    define_flags()
    cli.run(main)
