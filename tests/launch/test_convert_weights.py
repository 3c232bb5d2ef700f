"""python -m launch.convert_weights, as a user calls it."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import pytest
import safetensors.numpy

ROOT = pathlib.Path(__file__).resolve().parents[2]
WIDTH = 1 / 64


def load_script(name: str):
    spec = importlib.util.spec_from_file_location(pathlib.Path(name).stem, ROOT / 'tests' / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def source(tmp_path):
    state = load_script('golden/make_vggish.py').seeded_state_dict(WIDTH)
    path = tmp_path / 'slim.pth'
    path.write_bytes(load_script('weights/torch_bytes.py').state_file(state))
    return path


def convert(*args: str) -> subprocess.CompletedProcess:
    command = [sys.executable, '-m', 'launch.convert_weights', *args]
    env = {**os.environ, 'JAX_PLATFORMS': 'cpu'}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)


def test_it_converts_and_says_what_it_wrote(source, tmp_path):
    out = tmp_path / 'vggish.safetensors'
    done = convert(
        '--model=vggish', f'--source={source}', f'--out={out}', f'--width_multiplier={WIDTH}', '--licence=Apache-2.0'
    )
    assert done.returncode == 0, done.stderr
    digest = hashlib.sha256(out.read_bytes()).hexdigest()
    widths = [(9, 1), (9, 2), (18, 4), (36, 4), (36, 8), (72, 8), (192, 64), (64, 64), (64, 2)]  # (inputs, outputs)
    count = sum(inputs * outputs + outputs for inputs, outputs in widths)
    assert [line.split() for line in done.stdout.splitlines()] == [
        ['wrote', str(out)],
        ['arrays', '18'],
        ['parameters', f'{count:,}'],
        ['bytes', f'{out.stat().st_size:,}'],
        ['SHA-256', digest],
    ]
    manifest = json.loads((tmp_path / 'vggish.safetensors.json').read_text())
    assert (manifest['sha256'], manifest['licence'], manifest['origin']) == (digest, 'Apache-2.0', 'slim.pth')
    assert manifest['source_sha256'] == hashlib.sha256(source.read_bytes()).hexdigest()


RESNET = {'multiplier': 1 / 32, 'depths': (1, 1, 2, 1), 'classes': 5}


@pytest.mark.parametrize('suffix', ['.pth', '.safetensors'])
def test_resnet50_keeps_its_classifier(suffix, tmp_path):
    state = load_script('weights/resnet_state.py').seeded_state(**RESNET)
    source, out = tmp_path / f'tiny{suffix}', tmp_path / 'own.safetensors'
    if suffix == '.pth':
        source.write_bytes(load_script('weights/torch_bytes.py').state_file(state))
    else:
        safetensors.numpy.save_file(state, source)
    done = convert(
        '--model=resnet50', f'--source={source}', f'--out={out}', '--width_multiplier=0.03125', '--depths=1,1,2,1'
    )
    assert done.returncode == 0, done.stderr
    kept = {name: array for name, array in state.items() if 'num_batches_tracked' not in name}
    facts = dict(line.split() for line in done.stdout.splitlines()[1:])
    count = f'{sum(array.size for array in kept.values()):,}'
    assert (facts['arrays'], facts['parameters'], facts['classes']) == (str(len(kept)), count, '5')
    found = safetensors.numpy.load_file(out)
    assert found['head/kernel'].tolist() == state['fc.weight'].T.tolist()
    assert found['batch_stats/stem/bn/var'].tolist() == state['bn1.running_var'].tolist()
    manifest = json.loads((tmp_path / 'own.safetensors.json').read_text())
    assert (manifest['model'], manifest['licence'], manifest['num_classes']) == ('resnet50', 'unknown', 5)
    assert manifest['options'] == {'width_multiplier': 1 / 32, 'depths': [1, 1, 2, 1]}


@pytest.mark.parametrize(
    ('flags', 'words'),
    [
        (('--model=resnet50', '--depths=3,x,6,3'), '--depths=3,x,6,3: whole numbers'),
        (('--model=vggish', '--depths=3,4,6,3'), "model 'vggish' has no option depths"),
        (('--model=resnet50', '--depths=3,4'), 'depths=(3, 4)'),
    ],
)
def test_depths_that_cannot_be_used(flags, words, source, tmp_path):
    done = convert(*flags, f'--source={source}', f'--out={tmp_path / "o.safetensors"}')
    assert done.returncode == 1
    assert done.stderr.startswith('error: ') and words in done.stderr and done.stderr.count('\n') == 1
    assert [p.name for p in tmp_path.iterdir()] == ['slim.pth']


def test_a_users_error_is_one_line_and_leaves_nothing(tmp_path):
    source = tmp_path / 'page.pth'
    source.write_bytes(b'<html>')
    done = convert('--model=vggish', f'--source={source}', f'--out={tmp_path / "o.safetensors"}')
    assert done.returncode == 1
    assert done.stdout == ''
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith(f'error: {source}: not a torch file')
    assert [p.name for p in tmp_path.iterdir()] == ['page.pth']


def test_musicnn_is_converted_from_its_checkpoint_and_depths_are_refused_where_there_are_none(call, tmp_path):
    common = ('--model=musicnn_vgg', f'--source={tmp_path}/none/.index', f'--out={tmp_path}/out.safetensors')
    assert 'none/.index: cannot be read (No such file or directory)' in call('convert_weights', *common).error
    assert "model 'musicnn_vgg' has no option depths" in call('convert_weights', *common, '--depths=3,4').error
    assert not list(tmp_path.iterdir())
