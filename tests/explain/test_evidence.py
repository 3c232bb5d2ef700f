"""Faithfulness, orders and neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.explain.faithfulness import curves, random_curves
from fdx.explain.nearest import TrainingWindows, nearest_recordings
from fdx.explain.orders import NO_MACHINE, lines_of, near, order_shares
from fdx.signal.bearings import BEARINGS
from fdx.signal.front_ends import create_front_end
from fdx.signal.patch import Condition
from fdx.signal.readings import ReadingsInput

BEARING = BEARINGS['skf_6205']
MACHINE = Condition(1800.0, BEARING)


def probability(images: np.ndarray) -> np.ndarray:
    """Rises with the first ten values and with nothing else."""
    return 1 / (1 + np.exp(-images.reshape(len(images), -1)[:, :10].sum(axis=1)))


def test_the_right_order_deletes_at_once_and_a_wrong_one_at_the_end():
    x, zero = np.ones((10, 10, 1), np.float32), np.zeros((10, 10, 1), np.float32)
    right = np.zeros(x.shape)
    right[0] = 1
    good, bad = (curves(probability, x, zero, values) for values in (right, -right))
    assert good.shares[0] == 0 and good.shares[-1] == 1
    assert good.deletion[0] == good.insertion[-1] == pytest.approx(probability(x[None])[0])
    assert good.deletion[2] == good.insertion[0] == 0.5  # ten of a hundred values
    assert bad.deletion[17] == bad.deletion[0] and bad.insertion[17] == 0.5
    chance = random_curves(probability, x, zero)
    assert good.margin > 0.4 > chance.margin + 0.3 > bad.margin + 0.6
    assert abs(chance.margin) < 0.1


def test_lines_need_a_speed_and_those_of_faults_a_bearing():
    assert lines_of(Condition()) == []
    assert [line.name for line in lines_of(Condition(600.0), (23,))] == ['shaft', 'mesh 23']
    orders = {line.name: line.order for line in lines_of(MACHINE)}
    assert list(orders) == ['shaft', 'cage', 'inner_race', 'outer_race', 'ball']
    assert orders['inner_race'] == pytest.approx(BEARING.bpfi) and orders['ball'] == pytest.approx(2 * BEARING.bsf)


def test_shares_of_a_spectrum_of_orders_are_found_where_they_were_put():
    front_end = create_front_end('envelope_spectrum', 12000.0)
    centres = front_end.hop_s * np.arange(1, front_end.points + 1)
    at_outer = near(centres, BEARING.bpfo)
    assert 0.005 < at_outer.mean() < 0.06
    found = order_shares(front_end, at_outer[:, None, None].astype(float), MACHINE)
    assert found['at']['outer_race']['share'] == pytest.approx(1)
    # 3 BPFO and 2 BPFI of this bearing are 0.7 % apart, so that their places overlap.
    assert found['at']['ball']['share'] == found['control'] == 0 < found['at']['inner_race']['share'] < 0.5
    assert found['at']['outer_race']['density'] > 15
    even = order_shares(front_end, np.ones((front_end.points, 1, 1)), MACHINE)
    assert even['at']['ball']['density'] == pytest.approx(1) == even['control']
    # What speaks against the class does not count.
    against = order_shares(front_end, -np.ones((front_end.points, 1, 1)), MACHINE)
    assert against['at']['ball']['share'] == 0


@pytest.mark.parametrize('name', ['fault_orders', 'fault_orders_shaft', 'fault_orders_stacked'])
def test_channels_of_fault_orders_are_their_own_shares(name):
    front_end = create_front_end(name, 12000.0)
    values = np.zeros(front_end.output_shape(1))
    if name.endswith('stacked'):
        values[:, 18:36] = 1  # three harmonics of two cells, three columns each; the second channel
    else:
        values[..., 1] = 1
    found = order_shares(front_end, values, MACHINE)['at']
    assert found['outer_race'] == {'share': 1.0, 'area': 1 / len(found), 'density': len(found)}
    assert list(found)[:3] == ['inner_race', 'outer_race', 'ball']


def test_why_there_are_no_shares_is_said():
    mel = create_front_end('vggish')
    image = np.ones(mel.output_shape(1))
    assert order_shares(mel, image, Condition())['reason'] == NO_MACHINE
    assert 'wider than the distance' in order_shares(mel, image, MACHINE)['reason']
    assert 'reason' in order_shares(ReadingsInput('readings', ('a', 'b')), np.ones(2), MACHINE)


def test_on_fast_machines_mel_bands_tell_orders_apart():
    mel = create_front_end('vggish')
    fast = Condition(30000.0, BEARING)
    found = order_shares(mel, np.ones(mel.output_shape(1)), fast)
    assert found['at']['outer_race']['density'] == pytest.approx(1)


def test_nearest_recordings_are_named_once_with_their_nearest_window():
    points = np.array([[0.0, 0], [1, 0], [0, 2], [5, 0], [5.5, 0]])
    training = TrainingWindows(points, ['a', 'a', 'b', 'c', 'c'], ['n', 'n', 'n', 'f', 'f'])
    found = nearest_recordings(np.array([0.9, 0.0]), training, count=2)
    assert [(row['recording'], row['label']) for row in found] == [('a', 'n'), ('b', 'n')]
    assert found[0]['distance'] < found[1]['distance']
    assert nearest_recordings(points[3], training)[0] == {'recording': 'c', 'label': 'f', 'distance': 0.0}
