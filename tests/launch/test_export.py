"""launch.export from the command line: what it writes and prints, and what it refuses with one line and no file."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from fdx.evaluate.scoring import score_run
from fdx.export import write
from fdx.predict.backends.tflite_file import model_info, read_model

DATASET = 'motor_maintenance/small'


pytestmark = pytest.mark.usefixtures('short_timing')


@pytest.fixture(scope='module')
def workdir(table_run):
    return table_run


@pytest.fixture(scope='module')
def exported(call, workdir, tmp_path_factory):
    """(folder, what the program left) of an 8-bit export with a C array."""
    folder = tmp_path_factory.mktemp('exported')
    done = call(
        'export',
        f'--checkpoint={workdir}',
        f'--out={folder / "motor.tflite"}',
        f'--c_array={folder / "motor-2.h"}',
        '--min_agreement=0.97',
    )
    assert done.code == 0, done.err
    return folder, done


def test_a_success_writes_model_header_and_summary(exported, workdir):
    folder, done = exported
    assert sorted(p.name for p in folder.iterdir()) == ['motor-2.h', 'motor.tflite', 'motor.tflite.json']
    summary = json.loads((folder / 'motor.tflite.json').read_text())
    content, description = read_model(folder / 'motor.tflite')
    assert (summary['format'], description['format']) == ('tflite_int8', 'tflite_int8')
    assert summary['file_bytes'] == len(content)
    assert (summary['full_integer'], model_info(content).full_integer) == (True, True)
    assert summary['calibration'] == 256
    found, expected = (score_run(p).predictions for p in (folder / 'motor.tflite', workdir))
    assert summary['accuracy'] == np.mean(found.predicted == found.labels)
    assert summary['agreement'] == np.mean(found.predicted == expected.predicted)
    header = (folder / 'motor-2.h').read_text()
    # The name is that of the file.
    assert f'static const uint8_t motor_2[{summary["bytes"]}]' in header
    assert len(re.findall(r'0x[0-9a-f]{2},', header)) == summary['bytes']


def test_standard_output_is_what_was_made_and_measured(exported):
    folder, done = exported
    s, lines = json.loads((folder / 'motor.tflite.json').read_text()), done.out.splitlines()
    assert lines[0] == f'tflite_int8: {s["bytes"]:,} bytes; float {s["float_bytes"]:,} bytes'
    assert lines[1] == 'operators: 2 FULLY_CONNECTED int8, 1 SOFTMAX int8'
    assert lines[2].startswith('tensors:   ') and lines[2].endswith('; full integer')
    assert re.fullmatch(r'input: +int8 \(1, 4\), scale [\d.]+, zero point -?\d+', lines[3])
    assert re.fullmatch(r'output: +int8 \(1, 2\), scale 0.00390625, zero point -128', lines[4])
    assert lines[5] == 'takes:     (reading - mean) / deviation of rpm, temperature_c, vibration_g, current_a'
    assert lines[6].startswith(
        f'test:      {s["windows"]} windows; accuracy {100 * s["float_accuracy"]:.2f}% as checkpoint'
    )
    assert f'{100 * s["accuracy"]:.2f}% exported; agreement {100 * s["agreement"]:.2f}%' in lines[6]
    assert lines[7].startswith('time:      ')
    assert lines[8] == f'written: {folder}/motor.tflite, {folder}/motor-2.h, {folder}/motor.tflite.json'
    assert len(lines) == 9


def test_other_programs_take_the_file(call, exported, tmp_path):
    path = exported[0] / 'motor.tflite'
    done = call('evaluate', f'--checkpoint={path}', f'--out={tmp_path}')
    assert done.code == 0, done.err
    summary = json.loads((exported[0] / 'motor.tflite.json').read_text())
    assert f'accuracy {100 * summary["accuracy"]:.2f}%' in done.out
    assert (tmp_path / 'report.html').is_file()
    refused = call('evaluate', f'--checkpoint={path}', '--step=last', f'--out={tmp_path / "b"}')
    assert (refused.code, refused.error) == (1, f'error: --step=last: {path} is one exported step; leave it out')


def test_a_float_export_needs_no_other_flags(call, workdir, tmp_path):
    done = call('export', f'--checkpoint={workdir}', '--format=tflite_float', f'--out={tmp_path / "a.tflite"}')
    assert done.code == 0, done.err
    assert sorted(p.name for p in tmp_path.iterdir()) == ['a.tflite', 'a.tflite.json']
    assert 'full integer' not in done.out and 'scale' not in done.out
    assert 'takes:     rpm, temperature_c, vibration_g, current_a\n' in done.out
    assert json.loads((tmp_path / 'a.tflite.json').read_text())['agreement'] == 1.0


@pytest.mark.parametrize('before', [False, True])
def test_a_model_that_disagrees_leaves_nothing(call, workdir, tmp_path, monkeypatch, before):
    """Calibrated on inputs a thousand times too small. What an earlier export left is untouched."""
    names = ['a.h', 'a.tflite', 'a.tflite.json'] if before else []
    for name in names:
        (tmp_path / name).write_text(f'the {name} of yesterday')
    original = write.representative_inputs
    monkeypatch.setattr(write, 'representative_inputs', lambda *args: original(*args) * 1e-3)
    out = f'--out={tmp_path / "a.tflite"}'
    done = call('export', f'--checkpoint={workdir}', out, f'--c_array={tmp_path / "a.h"}', '--min_agreement=1')
    assert done.code == 1
    assert re.search(r'both call [\d.]+ % of \d+ test windows the same, less than --min_agreement=1 ', done.error)
    assert done.out == ''
    assert sorted(p.name for p in tmp_path.iterdir()) == names
    assert all((tmp_path / name).read_text() == f'the {name} of yesterday' for name in names)


@pytest.mark.parametrize(
    ('flags', 'words'),
    [
        (['--out={tmp}/a.onnx'], '--out={tmp}/a.onnx: ... --format=tflite_int8 ends in .tflite'),
        (['--out={tmp}/a'], '--out={tmp}/a: ... --format=tflite_int8 ends in .tflite'),
        (['--format=onnx'], '--out={tmp}/a.tflite: ... --format=onnx ends in .onnx'),
        (['--min_agreement=1.01'], '--min_agreement=1.01: ... 0 to 1'),
        (['--min_agreement=-0.1'], '--min_agreement=-0.1: ... 0 to 1'),
        (['--min_agreement=nan'], '--min_agreement=nan: ... 0 to 1'),
        (['--min_agreement=99'], '--min_agreement=99.0: ... 0 to 1'),
        (
            ['--format=tflite_float', '--calibration=256'],
            '--calibration ... --format=tflite_int8: ... tflite_float',
        ),
        (
            ['--format=tflite_dynamic', '--calibration=8'],
            '--calibration ... --format=tflite_int8: ... tflite_dynamic',
        ),
        (['--calibration=0'], '--calibration=0: at least one training window'),
        (
            ['--format=onnx', '--out={tmp}/a.onnx', '--c_array={tmp}/a.h'],
            '--c_array={tmp}/a.h: ... leave it out with onnx',
        ),
        (['--checkpoint={tmp}/a.tflite'], '{tmp}/a.tflite ... exported already: ... workdir of launch.train'),
        (['--checkpoint={tmp}/folds'], '{tmp}/folds ... several folds: ... {tmp}/folds/fold_0'),
        (
            ['--checkpoint={tmp}/nothing'],
            '{tmp}/nothing ... checkpoints ... fold_0, fold_1 ... train first',
        ),
    ],
)
def test_what_cannot_be_exported_is_one_clean_line(says, call, workdir, tmp_path, flags, words):
    for fold in (0, 1):
        (tmp_path / 'folds' / f'fold_{fold}' / 'checkpoints').mkdir(parents=True)
    given = [f'--checkpoint={workdir}', f'--out={tmp_path / "a.tflite"}', *(f.format(tmp=tmp_path) for f in flags)]
    done = call('export', *given)
    assert (done.code, done.out) == (1, '')
    assert done.error.startswith('error: ') and '\n' not in done.error
    assert says(done.error, words.format(tmp=tmp_path))
    assert [p.name for p in tmp_path.iterdir()] == ['folds']


@pytest.mark.parametrize(('step', 'words'), [('99999', '99999'), ('newest', 'newest')])
def test_a_step_that_is_not_there(call, workdir, tmp_path, step, words):
    done = call('export', f'--checkpoint={workdir}', f'--step={step}', f'--out={tmp_path / "a.tflite"}')
    assert done.code == 1
    assert words in done.error
    assert list(tmp_path.iterdir()) == []


def test_a_moved_dataset(call, workdir, tmp_path):
    out = f'--out={tmp_path / "a.tflite"}'
    done = call('export', f'--checkpoint={workdir}', out, f'--data_dir={tmp_path / "nowhere"}')
    assert done.code == 1
    assert 'name their folder with --data_dir' in done.error
    assert list(tmp_path.iterdir()) == []
