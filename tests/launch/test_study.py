"""launch.study: cells, page and tables on a tiny rig, recordings in the study's layout, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from fdx.datasets.bearing_rig.simulator import simulate_recording

RATE_HZ = 20480
STATES, SPEEDS, LOADS = ('normal', 'inner_race', 'outer_race'), (227, 523, 997), (0, 64)
QUICK = ['--head_updates=4', '--scratch_updates=1', '--width_multiplier=0.03125', '--vggish_init=rig_a']


@pytest.fixture(scope='module')
def study(call, rig, data_dir, tmp_path_factory):
    """(workdir, the command, what it left): both rows of VGGish, without an index for the others."""
    root = tmp_path_factory.mktemp('study')
    rig.prepare(data_dir, 'rig_c_small')
    command = ['study', '--dataset=bearing_rig/rig_b_small', f'--data_dir={data_dir}', f'--workdir={root / "work"}']
    command += ['--models=vggish_transfer,vggish_scratch,yamnet', *QUICK]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('PIP_NO_INDEX', '1')
        patch.setenv('FDX_CACHE', str(root / 'empty_cache'))
        done = call(*command)
        assert done.code == 0, done.err
        yield root / 'work', command, done


def test_the_page_has_a_row_per_network_and_question(study):
    workdir, _, done = study
    data = json.loads((workdir / 'study.json').read_text())
    found = {(row['model'], row['protocol'], row['init']): row for row in data['rows']}
    asked = ('random windows', 'another machine')  # Two speeds and one load are too few for the other two.
    starts = (('vggish_transfer', 'rig_a'), ('vggish_scratch', 'random'))
    assert set(found) == {(model, task, init) for model, init in starts for task in asked}
    for row in found.values():
        assert (row['dataset'], row['seeds'], row['folds']) == ('bearing_rig/rig_b_small', [0], [[0]])
        matrix = np.array(row['confusion'][0])
        assert row['test'][0] == pytest.approx(np.trace(matrix) / matrix.sum())
        assert row['windows'] == [matrix.sum()] == ([3] if row['protocol'] == 'random windows' else [30])
        assert row['leaks'] == (row['protocol'] == 'random windows')
        for k, name in enumerate(row['classes']):
            assert row['recall'][name][0] == pytest.approx(matrix[k, k] / matrix[k].sum())
    left_out = data['sections'][0]['left_out']
    assert list(left_out) == ['yamnet', 'unseen speeds', 'unseen loads']
    assert 'left out: YAMNet, transfer: its weights cannot be had' in done.out
    page = (workdir / 'study.md').read_text()
    assert '| VGGish, transfer: frozen, with a new classifier | `rig_a` |' in page
    assert '| 100.00 | 100.00 | 99.07 | 936 | i7-10510U |' in page
    assert (workdir / 'study.png').stat().st_size > 10_000


def test_curves_are_those_of_the_training(study):
    data = json.loads((study[0] / 'study.json').read_text())
    (transfer,) = (c for c in data['curves'] if c['model'] == 'vggish_transfer')
    assert transfer['epochs'] == [1, 2, 3, 4] and transfer['steps'] == 4
    assert all(len(transfer[k]) == 4 for k in ('train_loss', 'validation_loss', 'train_accuracy'))


def test_a_second_call_trains_nothing_and_leaves_no_networks(study, call):
    workdir, command, _ = study
    stamps = {p: p.stat().st_mtime_ns for p in (workdir / 'cells').rglob('*.json')}
    assert len(stamps) == 2 and not [p for p in (workdir / 'running').rglob('*') if p.is_file()]
    done = call(*command)
    assert done.code == 0, done.err
    assert {p: p.stat().st_mtime_ns for p in stamps} == stamps
    assert 'random windows (LEAKS)' in done.out and '99.07' in done.out


def test_recordings_in_the_layout_of_the_rig(call, tmp_path):
    folder = tmp_path / 'rig'
    folder.mkdir()
    for state in STATES:
        for speed in SPEEDS:
            for case, load in enumerate(LOADS):
                found = simulate_recording('rig_b', state, speed, case, duration_s=1.0, seed=5)
                name = f'{state}_{speed}rpm_{load}kN.wav'
                soundfile.write(folder / name, 0.02 * found.samples[:, 0], RATE_HZ, subtype='FLOAT')
    done = call(
        'study', f'--manual_dir={folder}', '--models=vggish_scratch', '--window_s=0.98', f'--workdir={tmp_path / "w"}',
        f'--data_dir={tmp_path / "data"}', *QUICK[1:3],
    )  # fmt: skip
    assert done.code == 0, done.err
    data = json.loads((tmp_path / 'w' / 'study.json').read_text())
    assert {row['dataset'] for row in data['rows']} == {'recordings/rig'}
    found = {row['protocol']: row for row in data['rows']}
    assert found['unseen speeds']['recordings'] == [6] and found['unseen speeds']['windows'] == [6]
    assert sorted(found['random windows']['classes']) == sorted(STATES)
    (left_out,) = data['sections'][0]['left_out'].values()
    assert left_out.startswith('unseen loads: protocol by_load needs 3 loads, the dataset has 0, 64')


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        (['--models=resnet'], '--models=resnet: there are vggish_transfer, vggish_scratch, yamnet, vgg16'),
        (['--dataset=motor_rig/small'], '--dataset=motor_rig/small: ... bearing_rig, cwru, adi_cbm, recordings'),
        (['--dataset=bearing_rig/small', '--manual_dir=x'], '--manual_dir=x: bearing_rig/small is simulated'),
        (['--dataset=recordings/mine'], '--dataset=recordings/mine: name the folder ... --manual_dir'),
        (['--out=x'], '--out=x ... add --publish'),
        (['--manual_dir=x', '--publish'], '--publish ... recordings/rig stays in --workdir'),
    ],
)
def test_what_is_refused(says, call, tmp_path, given, message):
    done = call('study', f'--workdir={tmp_path / "work"}', f'--data_dir={tmp_path}', *given)
    assert says(done.error, message)
