"""The paragraph of the pretraining page: sound against images, YAMNet against music, all against fault orders."""

from __future__ import annotations

import pytest

from fdx.benchmarks.pretraining_answer import answer


def task(name: str, score: str = 'accuracy', **means: float) -> dict:
    """A task whose networks have these means with five labels, and nothing with one label."""
    names = {key.replace('_linear', ' linear').replace('_untrained', ' untrained'): m for key, m in means.items()}
    cells = {n: [{'shots': 1, score: {'mean': 0.0}}, {'shots': 5, score: {'mean': m}}] for n, m in names.items()}
    rows = [{'network': n, 'cells': c} for n, c in cells.items()]
    return {'name': name, 'score': score, 'rows': [*rows, {'network': 'rig_vggish', 'not_asked': 'not run'}]}


LOADS = task('cwru_loads', musicnn_mtt=0.987, musicnn_msd=0.972, imagenet_lite0=0.926)
RIG = task(
    'rig_machines',
    musicnn_mtt=0.643,
    audioset_yamnet=0.7,
    yamnet_untrained=0.72,
    imagenet_lite0=0.81,
    fault_orders_linear=0.98,
)
HIT = task(
    'unseen_machine_hit',
    'balanced_accuracy',
    audioset_yamnet=0.95,
    vgg16_hed=0.945,
    fault_orders_linear=0.947,
    universal_judge=1.0,
)


def test_every_word_follows_from_the_means():
    said = answer([LOADS, RIG, HIT])
    assert '`cwru_loads` 98.7 (`musicnn_mtt`) against 92.6 (`imagenet_lite0`); ' in said
    assert '`rig_machines` 70.0 (`audioset_yamnet`) against 81.0 (`imagenet_lite0`); ' in said
    assert 'Sound is ahead by a point or more in 1 of these 3 tasks, images in 1, and 1 differ by less.' in said
    assert 'frozen YAMNet beats musicnn: 70.0 (`audioset_yamnet`) and 64.3 (`musicnn_mtt`).' in said
    assert '`rig_machines`: the best one does not, 81.0 (`imagenet_lite0`) against 98.0; ' in said
    assert 'worth there beside random ones: `audioset_yamnet` -2.0 (`rig_machines`).' in said
    hit = '`unseen_machine_hit`: the best one comes within a point, 95.0 (`audioset_yamnet`) against 94.7'
    assert f'{hit}, the judge has 100.0.' in said


@pytest.mark.parametrize(('yamnet', 'verdict'), [(0.75, 'beats'), (0.645, 'is no better than'), (0.5, 'is worse than')])
def test_yamnet_against_music(yamnet, verdict):
    rig = task('rig_machines', musicnn_mtt=0.643, audioset_yamnet=yamnet, imagenet_lite0=0.81)
    assert f'frozen YAMNet {verdict} musicnn' in answer([rig])


def test_what_was_not_measured_is_not_told():
    assert answer([task('cwru_loads', musicnn_mtt=0.9)]) == ''
    said = answer([LOADS])
    assert 'YAMNet' not in said and 'fault orders' not in said
