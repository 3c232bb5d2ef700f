"""Explains why a trained run says what it says of files or of a dataset.

    python -m launch.explain --checkpoint=runs/cwru/fold_0 motor.mat
    python -m launch.explain --checkpoint=runs/mine --bearing=skf_6205 --speed_rpm=1772 recordings/*.wav
    python -m launch.explain --checkpoint=runs/mine        (test windows of its own dataset, of each class)
    python -m launch.explain --checkpoint=runs/mine --dataset=cwru/load3_12k --split=all
    python -m launch.explain --checkpoint=runs/adapted --before=runs/source_only      (source and target in the plane)

Integrated gradients, Grad-CAM and occlusion say which part of the input speaks for the verdict. Shaft, gear mesh and
fault orders are marked where the speed and the bearing are known: by the recording, or by --bearing, --speed_rpm and
--known_orders. The page also says how far each explanation can be believed, and which training recordings are most
alike.

Writes explanation.json, PNGs and report.html into --out.
"""

from __future__ import annotations

import pathlib
from typing import Any

from absl import flags

from fdx.evaluate.explanation_domains import domain_map
from fdx.evaluate.explanation_page import write_explanations
from fdx.evaluate.explanation_run import WINDOWS, WindowExplainer
from fdx.explain.baseline import BASELINES
from fdx.explain.explanation import METHODS, Explainer
from fdx.predict.condition import check_positive, checked_speed
from fdx.predict.load import load_single
from fdx.signal.bearings import BEARINGS, parse_bearing
from fdx.types import ConfigError

from . import cli
from .display import progress, table
from .format_flags import FORMAT_FLAGS, check_formats, define_format_flags, formats_of_flags
from .known_orders import parse_orders
from .raw_paths import recordings_of

FLAGS = flags.FLAGS
OF_FILES = ('bearing', 'speed_rpm', 'sample_rate', 'variable', 'channel', 'hop_s', *FORMAT_FLAGS)
OF_DATASETS = ('dataset', 'split', 'target', 'before')


def define_flags() -> None:
    """The flags of this program."""
    flags.DEFINE_string('checkpoint', None, 'workdir of launch.train or launch.adapt (of one fold)')
    flags.DEFINE_string('step', 'best', 'which checkpoint: best (by validation), last or a number')
    flags.DEFINE_list('methods', list(METHODS), f'some of {", ".join(METHODS)}')
    flags.DEFINE_enum(
        'baseline', '', ['', *BASELINES], 'what "nothing to see" is; where not given, what suits the front end'
    )
    flags.DEFINE_string('class_name', '', 'the class to explain; where not given, the one that is predicted')
    flags.DEFINE_integer('windows', WINDOWS, 'windows of each file, or of each class of a dataset', lower_bound=1)
    flags.DEFINE_string('dataset', None, 'a prepared dataset in place of files; without files, the one of training')
    flags.DEFINE_string('split', 'test', 'of the dataset: train, validation, test or all')
    flags.DEFINE_string('data_dir', None, 'folder of prepared datasets, where it has moved since training')
    flags.DEFINE_string(
        'target', None, 'another domain as builder/config[:domain], shown beside the source in the plane'
    )
    flags.DEFINE_string('before', None, 'with a target: the run before adaptation, for the same map')
    flags.DEFINE_string('bearing', None, f'of the files: {", ".join(BEARINGS)}; or described as for launch.predict')
    flags.DEFINE_string('speed_rpm', None, "speed of the shaft; wins over the file's own; estimate reads it")
    flags.DEFINE_list('known_orders', [], 'orders of gear meshes, vanes or blades, to be marked as well')
    flags.DEFINE_float('sample_rate', None, 'rate in Hz for files that carry none')
    flags.DEFINE_string('variable', None, 'variable of a .mat file')
    flags.DEFINE_string('channel', None, 'channel of files with several, by number from 0 or by name')
    flags.DEFINE_float('hop_s', None, 'seconds between windows of a file')
    define_format_flags()
    flags.DEFINE_string('out', None, 'folder of the results; by default explanation in the workdir')
    flags.mark_flag_as_required('checkpoint')


def _check_flags(files: list[str]) -> None:
    """Refuses flags that nothing reads."""
    check_positive('sample_rate_hz', FLAGS.sample_rate, 'Hz')
    wrong = [name for name in (OF_DATASETS[:2] if files else OF_FILES) if FLAGS[name].present]
    if wrong and files:
        raise ConfigError(f'--{wrong[0]} goes with a dataset, but files are named: leave one of them out')
    if wrong:
        raise ConfigError(f'--{wrong[0]} goes with files, but none is named: a dataset knows its own recordings')


def _options() -> dict[str, Any]:
    """Options of the files; the speed and the bearing are only read by front ends of orders, and mark the others."""
    return {
        'sample_rate_hz': FLAGS.sample_rate,
        'variable': FLAGS.variable,
        'channel': FLAGS.channel,
        'hop_s': FLAGS.hop_s,
        'bearing': parse_bearing(FLAGS.bearing) if FLAGS.bearing else None,
        'speed_rpm': checked_speed(FLAGS.speed_rpm),
    }


def main(argv) -> None:
    """Explains the files of the command line, or windows of a dataset."""
    known_orders, names = list(parse_orders(FLAGS.known_orders)), argv[1:]
    _check_flags(names)
    files = recordings_of(names) if names else []
    formats = formats_of_flags()
    check_formats([path for path, _ in files], formats)
    for _, problem in files:
        if problem:
            raise ConfigError(problem)
    options = _options()
    predictor = load_single(FLAGS.checkpoint, FLAGS.step, progress)
    before = load_single(FLAGS.before, 'best', progress) if FLAGS.before else None
    explainer = Explainer(predictor, FLAGS.methods, FLAGS.baseline)
    by = WindowExplainer(explainer, FLAGS.data_dir, FLAGS.class_name)
    if files:
        windows = [
            window
            for path, _ in progress(files, desc='files', total=len(files))
            for window in by.of_file(path, FLAGS.windows, **options, **formats.of(path, argv))
        ]
    else:
        windows = by.of_dataset(FLAGS.dataset, FLAGS.split, FLAGS.windows)
    domains = domain_map(predictor, before, FLAGS.target, FLAGS.data_dir)
    if before and domains is None:
        raise ConfigError('--before goes with an adapted run, or with --target: there is no target to show')
    out = pathlib.Path(FLAGS.out) if FLAGS.out else pathlib.Path(FLAGS.checkpoint) / 'explanation'
    page, results = write_explanations(out, windows, by, domains=domains, known_orders=known_orders)
    show(results)
    print(f'report: {page}')


def show(results: dict[str, Any]) -> None:
    """Prints the means over the windows."""
    rows = [
        (
            row['explained'],
            row['method'],
            row['windows'],
            f'{row["margin"]:.2f}',
            f'{row["random_margin"]:.2f}',
            ', '.join(f'{name} {100 * share:.0f} %' for name, share in (row['orders'] or {}).items()) or '-',
        )
        for row in results['summary']
    ]
    print(table(('explained', 'method', 'windows', 'margin', 'random', 'at orders'), rows))


if __name__ == '__main__':
    define_flags()
    cli.run(main, positional=True)
