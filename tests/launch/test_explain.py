"""launch.explain on a run: a dataset, a file, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

QUICK = ('--methods=grad_cam', '--windows=1')


@pytest.fixture(scope='module')
def fold(all_folds) -> str:
    return f'--checkpoint={all_folds[0] / "fold_0"}'


def test_windows_of_its_dataset_by_default_in_the_workdir(call, all_folds, fold, rig):
    done = call('explain', fold, *QUICK)
    folder = all_folds[0] / 'fold_0' / 'explanation'
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1] == f'report: {folder / "report.html"}'
    told = json.loads((folder / 'explanation.json').read_text())
    assert sorted({w['label'] for w in told['windows']}) == sorted(rig.CLASSES)
    assert told['domains'] is None and told['without_training_recordings'] is None


def test_a_file_and_another_machine_in_the_plane(call, fold, rig, tmp_path):
    recording = next(r for r in rig.recordings(['rig_b']) if r.label == 'inner_race')
    np.save(tmp_path / 'motor.npy', recording.samples)
    flags = (f'--sample_rate={rig.RATE_HZ}', '--bearing=skf_22240', '--speed_rpm=997', '--known_orders=23')
    target = ('--target=bearing_rig/rig_a_small', fold.replace('checkpoint', 'before'))
    done = call('explain', fold, *QUICK, *flags, *target, f'--out={tmp_path / "out"}', tmp_path / 'motor.npy')
    assert done.code == 0, done.err
    told = json.loads((tmp_path / 'out' / 'explanation.json').read_text())
    assert [w['source'] for w in told['windows']] == [str(tmp_path / 'motor.npy')]
    # Before and after are the same run here.
    shares = told['domains']['same_class']
    assert shares['before'] == shares['after']


@pytest.mark.parametrize(
    ('flags', 'said'),
    [
        (('--bearing=skf_6205',), '--bearing goes with files, but none is named'),
        (('--split=all', 'motor.wav'), '--split goes with a dataset, but files are named'),
        (('--known_orders=0',), "--known_orders: '0' is not a number of turns above 0"),
        (('--methods=lime',), '--methods=lime: some of integrated_gradients, grad_cam, occlusion'),
        (('--class_name=gear',), '--class_name=gear: the run has the classes normal'),
        (('--before=nowhere',), 'nowhere holds no checkpoints'),
    ],
)
def test_what_nothing_reads_is_refused(call, fold, flags, said):
    done = call('explain', fold, *QUICK[1:], *flags)
    assert done.code == 1
    assert said in done.error


def test_an_exported_file_has_no_gradients(call, tmp_path):
    (tmp_path / 'x.tflite').write_bytes(b'')
    assert call('explain', f'--checkpoint={tmp_path / "x.tflite"}').code == 1
