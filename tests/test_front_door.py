"""`import fdx`: light, lazy, and enough to go from raw files to a diagnosis in ten lines."""

from __future__ import annotations

import inspect
import json
import pathlib
import runpy
import subprocess
import sys

import jax
import numpy as np
import pytest
import scipy.io.wavfile

import fdx
from fdx.evaluate import canvas
from fdx.signal.bearings import BEARINGS
from fdx.train.model_setup import load_run

ROOT = pathlib.Path(__file__).resolve().parents[1]
TEN_LINES = ROOT / 'docs' / 'tutorials' / 'ten_lines.py'


def python(code: str) -> str:
    """What a new Python prints."""
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_fdx_is_fast_and_imports_nothing_heavy():
    code = (
        'import sys, time; before = set(sys.modules); t = time.process_time(); import fdx; '
        'print(time.process_time() - t, sorted({m.partition(".")[0] for m in set(sys.modules) - before}))'
    )
    seconds, _, modules = python(code).partition(' ')
    assert float(seconds) < 0.3
    assert not {'numpy', 'scipy', 'jax', 'flax', 'tensorflow_datasets', 'matplotlib'} & set(
        json.loads(modules.replace("'", '"'))
    )


def test_every_name_of_the_front_door_is_there_with_a_docstring():
    for name in fdx.__all__:
        value = getattr(fdx, name)
        assert name in dir(fdx)
        assert name == '__version__' or (callable(value) and value.__doc__)
    with pytest.raises(AttributeError, match='fdx has no .trian.; it has .*train'):
        _ = fdx.trian


def test_every_room_is_there_without_importing_it_by_hand():
    rooms = {p.parent.name for p in (ROOT / 'fdx').glob('*/__init__.py')} - {'api'}
    assert rooms <= set(dir(fdx))
    out = python(f'import fdx; print(*(getattr(fdx, r).__name__ for r in {sorted(rooms)}))')
    assert out.split() == [f'fdx.{room}' for room in sorted(rooms)]


def test_errors_and_types_are_those_of_the_rooms():
    from fdx import types
    from fdx.train.config import TrainConfig

    assert fdx.TrainConfig is TrainConfig
    errors = {name for name, value in vars(types).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert errors == {name for name in fdx.__all__ if name.endswith('Error')}
    assert all(getattr(fdx, name) is getattr(types, name) for name in errors)


def test_train_evaluate_and_adapt_are_rooms_and_functions():
    """In whatever order they are imported: one process, in which fdx, and not what it imports, is loaded anew."""
    cases = {'train': 'config', 'evaluate': 'metrics', 'adapt': 'config'}
    code = ['import sys']
    for name, module in ((name, f'fdx.{name}.{part}') for name, part in cases.items()):
        lines = [f'import {module}', f'import fdx; room = fdx.{name}']
        for order in (lines, lines[::-1]):
            code += ["for m in [m for m in sys.modules if m.split('.')[0] == 'fdx']: del sys.modules[m]", *order]
            code += [f'print(callable(room), room is fdx.{name} is sys.modules["fdx.{name}"], {module}.__name__)']
    found = python('\n'.join(code)).splitlines()
    assert found == [f'True True fdx.{name}.{part}' for name, part in cases.items() for _ in range(2)]


def test_a_callable_room_has_the_signature_and_the_words_of_its_function():
    from fdx.api import runs

    for name in ('train', 'evaluate', 'adapt'):
        room = getattr(fdx, name)
        assert inspect.signature(room) == inspect.signature(getattr(runs, name))
        assert f'fdx.{name}(' in getattr(runs, name).__doc__


def test_adapt_runs_the_plan_in_the_workdir(monkeypatch, tmp_path):
    """The run itself is tested in tests/adapt."""
    from fdx.api import runs

    seen = []
    monkeypatch.setattr(runs, 'run_adaptation', lambda *args, **options: seen.append((args, options)) or 'result')
    config = fdx.TrainConfig('rig/a')
    plan = fdx.AdaptConfig('rig/a', 'rig/b', method='coral')
    assert fdx.adapt(config, plan, str(tmp_path), on_epoch=print) == 'result'
    ((args, options),) = seen
    assert args == (config, plan, tmp_path) and options['on_epoch'] is print


@pytest.fixture(scope='module')
def raw_files(rig, tmp_path_factory) -> pathlib.Path:
    """A folder with motor.wav, of the simulated rig, and pump.wav, which is struck at its bearing's outer race."""
    folder = tmp_path_factory.mktemp('raw')
    motor = next(r for r in rig.recordings(['rig_b'], seed=7) if r.label == 'outer_race')
    scipy.io.wavfile.write(folder / 'motor.wav', int(motor.sample_rate_hz), motor.samples[:, 0])
    turns = np.arange(16000) / 2000 * 1480 / 60
    bursts = 1 + 2 * (np.mod(turns * BEARINGS['skf_6205'].bpfo, 1) < 0.2)
    pump = np.random.default_rng(4).standard_normal(len(turns)) * bursts
    scipy.io.wavfile.write(folder / 'pump.wav', 2000, pump.astype(np.float32))
    return folder


@pytest.fixture(scope='module')
def ten_lines(rig, raw_files):
    """docs/tutorials/ten_lines.py in two epochs, in a folder of raw files, the rig in small: (variables, folder)."""
    with pytest.MonkeyPatch.context() as patch, rig.small_bearing_rig():
        patch.setattr(canvas, 'DPI', 60)  # The report's figures are looked at in tests/evaluate.
        patch.chdir(raw_files)
        # Eight epochs show nothing that two do not.
        text = TEN_LINES.read_text()
        (raw_files / 'ten_lines.py').write_text(text.replace('epochs=8', 'epochs=2'))
        assert text.count('epochs=8') == 1
        yield runpy.run_path(str(raw_files / 'ten_lines.py')), raw_files


def test_from_raw_files_to_a_diagnosis_in_ten_lines(rig, ten_lines):
    lines = [line for line in TEN_LINES.read_text().splitlines() if line.strip()]
    assert len(lines) <= 10 and max(map(len, lines)) <= 120
    made, folder = ten_lines
    assert made['pump'].label == 'outer_race' and made['pump'].reason is None
    result = made['result']
    assert set(result.probabilities) == set(rig.CLASSES)
    assert result.label == max(result.probabilities, key=result.probabilities.get)
    assert len(result.windows) == 5 and json.dumps(result.to_dict())
    assert (folder / 'motor.png').stat().st_size > 10_000
    assert (folder / 'runs' / 'mine' / 'evaluation' / 'report.html').is_file()


def test_evaluate_gives_metrics_and_writes_only_where_it_is_told(ten_lines):
    made, folder = ten_lines
    before = sorted(folder.rglob('*'))
    evaluation = fdx.evaluate(made['run'])
    assert sorted(folder.rglob('*')) == before
    stored = json.loads((folder / 'runs' / 'mine' / 'evaluation' / 'results.json').read_text())
    assert evaluation.report is None and evaluation.accuracy == stored['accuracy'] == evaluation.metrics['accuracy']
    assert evaluation.macro_f1 == stored['macro_f1']
    assert len(evaluation.predictions.labels) == stored['windows'] == 6
    assert repr(evaluation).startswith('<Evaluation of bearing_rig/small:2.0.0, test: accuracy ')


def test_a_recording_that_was_read_is_diagnosed_like_its_file(ten_lines):
    made, folder = ten_lines
    recording = fdx.read(folder / 'motor.wav')
    assert isinstance(recording, fdx.Recording) and recording.samples.shape == (len(recording.samples), 1)
    assert fdx.load(made['run']).diagnose(recording).probabilities == made['result'].probabilities
    data = fdx.open_dataset('bearing_rig/small', folder / 'data')
    image = fdx.front_end('vggish')(recording.samples[:20480], recording.sample_rate_hz)
    assert image.shape == data.input_shape == data.inputs(0).shape


def test_read_takes_what_is_known_of_the_machine(raw_files):
    recording = fdx.read(raw_files / 'pump.wav', speed_rpm=1480, bearing='skf_6205')
    assert (recording.speed_rpm, recording.geometry) == (1480.0, BEARINGS['skf_6205'])
    assert fdx.zero_shot(recording).label == 'outer_race'
    with pytest.raises(fdx.ConfigError, match='`path`.* file'):
        fdx.read(recording)


def test_create_model_has_random_weights_or_a_pretrained_body(ten_lines, tmp_path):
    images = np.random.default_rng(0).standard_normal((2, 96, 64, 1)).astype(np.float32)
    run = ten_lines[0]['run'].workdir
    model, fresh = fdx.create_model('cnn_small', 5, input_shape=images.shape[1:])
    logits, features = model.apply(fresh, images, train=False)
    assert logits.shape == (2, 5) and features['embedding'].shape[0] == 2

    stored, _, _ = load_run(run, 'best')
    variables = fdx.create_model('cnn_small', 5, init=run, input_shape=images.shape[1:])[1]
    assert jax.tree.map(np.shape, variables) == jax.tree.map(np.shape, fresh)
    for of_run, taken in ((stored, variables), (fresh, variables)):
        equal = {stage: jax.tree.all(jax.tree.map(np.array_equal, of_run['params'][stage], branch))
                 for stage, branch in taken['params'].items() if stage != 'head'}  # fmt: skip
        assert all(equal.values()) if of_run is stored else not any(equal.values())
    np.testing.assert_array_equal(variables['params']['head']['kernel'], fresh['params']['head']['kernel'])


def test_create_model_names_what_is_wrong(tmp_path):
    with pytest.raises(fdx.ConfigError, match='no option .*widht'):
        fdx.create_model('cnn_small', 5, widht=1)
    with pytest.raises(fdx.ConfigError, match='num_classes.*0'):
        fdx.create_model('cnn_small', 0)
    with pytest.raises(fdx.ConfigError, match=str(tmp_path)):
        fdx.create_model('cnn_small', 5, init=tmp_path)
