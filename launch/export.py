r"""Exports a trained run for other runtimes: TensorFlow Lite (float or 8-bit), a C array for microcontrollers, ONNX.

    python -m launch.export --checkpoint=runs/cwru/fold_0 --out=cwru.tflite
    python -m launch.export --checkpoint=runs/table --out=motor.tflite --c_array=motor.h

Before anything is written, the exported model and the checkpoint diagnose the whole test split; if they agree on less
than --min_agreement of it, no file is left. Evaluate or use the file like a checkpoint:

    python -m launch.evaluate --checkpoint=cwru.tflite
    python -m launch.predict --checkpoint=cwru.tflite recordings/*.mat

--format=onnx needs further packages (see requirements-onnx.txt). The measurements are also written to OUT.json.
"""

from __future__ import annotations

import importlib
import math
import os
import pathlib

from absl import flags

from fdx.export import FORMATS
from fdx.files import atomic_write_text, write_json
from fdx.types import ConfigError, FdxError

from . import cli
from .display import progress

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this program."""
    flags.DEFINE_string('checkpoint', None, 'workdir of launch.train (of one fold, where there are several)')
    flags.DEFINE_enum('format', 'tflite_int8', FORMATS, '8-bit weights and activations; float32; 8-bit weights; ONNX')
    flags.DEFINE_string('out', None, 'the file to write')
    flags.DEFINE_string('step', 'best', 'which checkpoint: best (by validation), last or a number')
    flags.DEFINE_string('data_dir', None, 'folder of prepared datasets, where it has moved since training')
    flags.DEFINE_float('min_agreement', 0.99, 'share of test windows that both call the same; below it no file is left')
    flags.DEFINE_integer('calibration', 256, 'with tflite_int8: training windows that set the ranges of the integers')
    flags.DEFINE_string('c_array', None, 'also write the model as a C header of that name')
    flags.mark_flag_as_required('checkpoint')
    flags.mark_flag_as_required('out')


def _check() -> None:
    if not (math.isfinite(FLAGS.min_agreement) and 0 <= FLAGS.min_agreement <= 1):
        raise ConfigError(f'--min_agreement={FLAGS.min_agreement}: a share from 0 to 1')
    suffix = '.onnx' if FLAGS.format == 'onnx' else '.tflite'
    if pathlib.Path(FLAGS.out).suffix != suffix:
        raise ConfigError(f'--out={FLAGS.out}: a file of --format={FLAGS.format} ends in {suffix}')
    if FLAGS.c_array and FLAGS.format == 'onnx':
        raise ConfigError(f'--c_array={FLAGS.c_array}: C arrays are of TensorFlow Lite models; leave it out with onnx')
    if FLAGS['calibration'].present and FLAGS.format != 'tflite_int8':
        raise ConfigError(f'--calibration goes with --format=tflite_int8: {FLAGS.format} has no integer activations')


def show(summary: dict) -> None:
    """Prints the model's facts and measurements."""
    print(f'{summary["format"]}: {summary["bytes"]:,} bytes; float {summary["float_bytes"]:,} bytes')
    print('operators: ' + ', '.join(f'{n} {name}' for name, n in summary['operators'].items()))
    if 'tensors' in summary:
        print(
            'tensors:   '
            + ', '.join(f'{n} {name}' for name, n in summary['tensors'].items())
            + ('; full integer' if summary['full_integer'] else '')
        )
        for name in ('input', 'output'):
            tensor = summary[name]
            codes = f', scale {tensor["scale"]:.6g}, zero point {tensor["zero_point"]}' if tensor['scale'] else ''
            print(f'{name + ":":<10} {tensor["dtype"]} {tensor["shape"]}{codes}')
    print(f'takes:     {summary["takes"]}')
    print(
        f'test:      {summary["windows"]} windows; accuracy {100 * summary["float_accuracy"]:.2f}% as checkpoint, '
        f'{100 * summary["accuracy"]:.2f}% exported; agreement {100 * summary["agreement"]:.2f}%, largest difference '
        f'of a probability {summary["largest_difference"]:.4f}'
    )
    if summary['agreement_note']:
        print(cli.as_flags(f'warning:   agreement {summary["agreement_note"]}'))
    print(
        f'time:      {summary["ms"]:.4f} ms per window, float {summary["float_ms"]:.4f} ms '
        f'(float / exported = {summary["float_ms"] / summary["ms"]:.2f})'
    )


def _write(done) -> None:
    """Writes all files; if one cannot be written, the new ones are removed again."""
    report = f'{FLAGS.out}.json'
    todo = {FLAGS.out: done.write, report: lambda path: write_json(path, done.summary)}
    if FLAGS.c_array:
        todo[FLAGS.c_array] = lambda path: atomic_write_text(path, done.header)
    new = [path for path in todo if not pathlib.Path(path).exists()]
    try:
        for path, write in todo.items():
            write(path)
    except FdxError:
        for path in new:
            pathlib.Path(path).unlink(missing_ok=True)
        raise


def main(argv) -> None:
    """Exports, checks and writes."""
    del argv
    _check()
    # The converter would print a note about kernels that it does not use. This must be set before it is loaded.
    os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '0')
    make = importlib.import_module('fdx.export.write')
    done = make.export(
        FLAGS.checkpoint,
        FLAGS.format,
        step=FLAGS.step,
        data_dir=FLAGS.data_dir,
        calibration=FLAGS.calibration,
        min_agreement=FLAGS.min_agreement,
        c_array=pathlib.Path(FLAGS.c_array).stem if FLAGS.c_array else None,
        progress=progress,
    )
    show(done.summary)
    _write(done)
    print(f'written: {FLAGS.out}' + (f', {FLAGS.c_array}' if FLAGS.c_array else '') + f', {FLAGS.out}.json')


if __name__ == '__main__':
    define_flags()
    cli.run(main)
