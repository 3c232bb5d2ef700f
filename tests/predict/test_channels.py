"""Channels of a file are taken by name, and other names are refused."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.predict.channels import in_training_order
from fdx.types import DataError, Recording

WANTED = ('AccX', 'AccY', 'AccZ')


def recording(*names, channels=None):
    """Channel c of the file holds the number c."""
    count = len(names) or channels
    samples = np.tile(np.arange(count, dtype=np.float32), (50, 1))
    return Recording(samples, 100.0, 'r', '', '', '', '', source='m.csv', channel_names=names)


def order(found):
    return found.samples[0].astype(int).tolist()


@pytest.mark.parametrize(
    ('names', 'wanted'),
    [
        (('AccX', 'AccY', 'AccZ'), [0, 1, 2]),
        (('AccZ', 'AccX', 'AccY'), [1, 2, 0]),
        (('AccY', 'AccX', 'AccZ'), [1, 0, 2]),
        (('acc_z [g]', 'ACC X (m/s2)', 'accy'), [1, 2, 0]),
        (('Temp_C', 'AccZ', 'AccY', 'AccX'), [3, 2, 1]),
    ],
)
def test_the_order_of_the_columns_has_no_part_in_it(names, wanted):
    found = in_training_order(recording(*names), 3, WANTED)
    assert order(found) == wanted
    assert [names[i] for i in wanted] == list(found.channel_names)


@pytest.mark.parametrize('names', [('Temp_C', 'AccX', 'AccY'), ('x', 'y', 'z'), ('AccX', 'AccX', 'AccY', 'AccZ')])
def test_other_names_are_refused_with_both_lists(names):
    with pytest.raises(DataError, match=r'^m\.csv has channels .*trained on AccX, AccY, AccZ and takes them by name: '):
        in_training_order(recording(*names), 3, WANTED)


def test_names_of_its_own_can_be_chosen_in_the_model_s_order():
    found = in_training_order(recording('x', 'y', 'z'), 3, WANTED, by_position=True)
    assert order(found) == [0, 1, 2]
    assert found.notes == ('channels x, y, z are taken for AccX, AccY, AccZ, in this order, as they were chosen',)
    assert in_training_order(recording(*WANTED), 3, WANTED, by_position=True).notes == ()
    for names in (('AccZ', 'AccX', 'AccY'), ('Temp_C', 'AccX', 'AccY')):
        with pytest.raises(DataError, match=r'chosen, .*AccX, AccY, AccZ in this order'):
            in_training_order(recording(*names), 3, WANTED, by_position=True)


def test_without_names_the_number_decides_and_a_note_says_so():
    found = in_training_order(recording(channels=3), 3, WANTED)
    assert order(found) == [0, 1, 2]
    assert found.notes == ('the file does not name its channels: they are taken for AccX, AccY, AccZ, in this order',)
    assert in_training_order(recording('a', 'b'), 2).notes == ()
    # One channel has no order: its name is the user's affair.
    assert in_training_order(recording('vibration'), 1, ('DE_time',)).notes == ()
    for channels, needed in ((1, 3), (4, 3), (3, 1)):
        with pytest.raises(DataError, match=f'the model takes {needed}'):
            in_training_order(recording(channels=channels), needed)
