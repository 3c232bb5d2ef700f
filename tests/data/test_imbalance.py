"""Rare classes on purpose: every form of `imbalance`, and which rows are left."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fdx.data.imbalance import Imbalance, thin
from fdx.data.table import Table
from fdx.signal.scaling import fit_gain
from fdx.train.config import TrainConfig
from fdx.train.run_data import select_rows
from fdx.types import ConfigError

CLASSES = ('normal', 'inner_race', 'ball_007', 'ball_014')
ROWS_OF_FILE = """# Which faults are rare.
ball_007 = 1:20   # the small one

inner_race=1:2.5
"""


@pytest.mark.parametrize(
    ('text', 'divisors'),
    [
        ('', [1, 1, 1, 1]),
        ('1:20', [1, 20, 20, 20]),
        ('1:2.5', [1, 2.5, 2.5, 2.5]),
        ('1:1', [1, 1, 1, 1]),
        ('ball_007=1:20', [1, 1, 20, 1]),
        ('ball_014=1:20,inner_race=1:5', [1, 5, 1, 20]),
        (' ball_014 = 1:20 , inner_race = 1:5', [1, 5, 1, 20]),
        ('normal=1:3', [3, 1, 1, 1]),
        ('ball_*=1:20', [1, 1, 20, 20]),
        ('ball_?14=1:7,*_race=1:2', [1, 2, 1, 7]),
        ('[bi]*=1:4', [1, 4, 4, 4]),
        ('*=1:3', [3, 3, 3, 3]),
        ('ball=1:20', None),
        ('Ball_007=1:20', None),
    ],
)
def test_the_forms_of_an_imbalance(text, divisors):
    imbalance = Imbalance.parse(text)
    assert imbalance.text == text
    if divisors is None:  # A name is the whole name, in its own case.
        with pytest.raises(ConfigError, match='no class is called [Bb]all'):
            imbalance.divisors(CLASSES)
    else:
        assert imbalance.divisors(CLASSES) == divisors


def test_a_ratio_alone_spares_the_healthy_class_by_either_name(says):
    assert Imbalance.parse('1:8').divisors(['worn', 'healthy', 'broken']) == [8, 1, 8]
    with pytest.raises(ConfigError) as error:
        Imbalance.parse('1:8').divisors(['good', 'worn'])
    assert says(str(error.value), '`imbalance`=1:8: ... normal or healthy')
    assert says(str(error.value), 'CLASS=1:8 ... good, worn')


def test_a_file_of_classes(tmp_path):
    path = tmp_path / 'rare.txt'
    path.write_text(ROWS_OF_FILE)
    imbalance = Imbalance.parse(str(path))
    assert imbalance.text == str(path)
    assert imbalance.divisors(CLASSES) == [1, 2.5, 20, 1]


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('20', 'is neither a ratio nor a file'),
        ('2:20', 'is neither a ratio nor a file'),
        ('1:x', 'is neither a ratio nor a file'),
        ('1:-3', 'is neither a ratio nor a file'),
        ('1:20 ', 'is neither a ratio nor a file'),
        ('1:2,1:3', 'is neither a ratio nor a file'),
        ('.', 'is neither a ratio nor a file'),
        ('1:0', '1:0 is not a ratio'),
        ('1:0.5', '1:0.5 is not a ratio'),
        ('ball=20', '20 is not a ratio'),
        ('ball=1:0.9', '1:0.9 is not a ratio'),
        ('ball=', 'nothing is not a ratio'),
        ('ball=1:2,1:3', 'nothing is not a ratio'),
        ('ball=1:2:3', '1:2:3 is not a ratio'),
        ('=1:20', 'every class is named once'),
        ('ball=1:2,', 'every class is named once'),
        ('ball=1:2, ball=1:3', 'every class is named once'),
    ],
)
def test_what_is_no_imbalance(says, text, words):
    with pytest.raises(ConfigError) as error:
        Imbalance.parse(text)
    assert str(error.value).startswith(f'`imbalance`={text}')
    assert words in str(error.value)
    assert says(str(error.value), 'write 1:20 ... CLASS=1:20,CLASS=1:5')
    with pytest.raises(ConfigError):
        TrainConfig(dataset='x', imbalance=text)


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        ('', 'every class is named once'),
        ('# nothing yet\n\n', 'every class is named once'),
        ('ball=1:2\nball=1:3', 'every class is named once'),
        ('=1:2', 'every class is named once'),
        ('ball', 'nothing is not a ratio'),
        ('1:20', 'nothing is not a ratio'),
        ('ball=1:2,race=1:3', '1:2,race=1:3 is not a ratio'),
    ],
)
def test_a_file_that_is_none(content, words, tmp_path):
    path = tmp_path / 'rare.txt'
    path.write_text(content)
    with pytest.raises(ConfigError) as error:
        Imbalance.parse(str(path))
    assert str(error.value).startswith(f'`imbalance`={path}: {words}')


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('ball_0*=1:3,cage=1:2', 'cage; ... normal, inner_race, ball_007, ball_014'),
        ('ball_*=1:3,ball_014=1:2', 'ball_014 ... twice'),
        ('ball_*=1:3,*=1:2', 'ball_007, ball_014 ... twice'),
    ],
)
def test_patterns_that_fit_no_class_or_the_same_one(says, text, words):
    with pytest.raises(ConfigError) as error:
        Imbalance.parse(text).divisors(CLASSES)
    assert says(str(error.value), f'`imbalance`={text}: ... {words}')


def table_of_rows(*classes):
    """A table of as many rows as given for each recording of each class, in random order; labels are the classes."""
    labels = [label for label, of_recordings in enumerate(classes) for n in of_recordings for _ in range(n)]
    names = [f'r{label}{i}' for label, ns in enumerate(classes) for i, n in enumerate(ns) for _ in range(n)]
    order = np.random.default_rng(len(labels)).permutation(len(labels))
    labels, names = np.array(labels)[order], np.array(names)[order]
    return Table({'label': labels, 'fault_type': np.minimum(labels, 1), 'recording': names}, 10)


def thinned(table, text, *, rows=None, seed=0, label_key='label', names=CLASSES):
    rows = np.arange(len(table)) if rows is None else rows
    return thin(table, rows, Imbalance.parse(text), names, label_key, seed)


MANY = ((20, 17), (8, 8, 7), (3, 3, 3), (1, 1))  # 37, 23, 9 and 2 rows


@pytest.mark.parametrize(
    ('text', 'kept'),
    [
        ('1:1', [37, 23, 9, 2]),
        ('1:2', [37, 12, 4, 1]),
        ('1:2.5', [37, 9, 4, 1]),
        ('1:5', [37, 5, 2, 1]),
        ('1:20', [37, 1, 1, 1]),
        ('1:1000', [37, 1, 1, 1]),
        ('ball_*=1:4', [37, 23, 2, 1]),
        ('normal=1:4,ball_014=1:1', [9, 23, 9, 2]),
    ],
)
def test_a_class_keeps_its_share_and_at_least_one_row(text, kept):
    """Of n rows round(n / N), halves to the even number as Python rounds them (23 / 2 -> 12, 9 / 2 -> 4)."""
    table = table_of_rows(*MANY)
    rows = thinned(table, text)
    assert np.bincount(table['label'][rows]).tolist() == kept
    assert rows.dtype == np.int64
    assert (np.diff(rows) > 0).all()


def test_only_the_given_rows_are_thinned_and_classes_that_are_not_named_keep_all():
    table = table_of_rows(*MANY)
    rows = np.arange(1, len(table), 2)
    kept = thinned(table, 'inner_race=1:3', rows=rows)
    assert np.isin(kept, rows).all()
    of_class = table['label'][rows]
    np.testing.assert_array_equal(kept[table['label'][kept] != 1], rows[of_class != 1])
    assert (table['label'][kept] == 1).sum() == round((of_class == 1).sum() / 3)
    assert thinned(table, '', rows=rows) is rows


def test_the_classes_are_those_of_the_label_that_is_learned():
    table = table_of_rows(*MANY)
    rows = thinned(table, 'fault=1:17', label_key='fault_type', names=('normal', 'fault'))
    assert np.bincount(table['fault_type'][rows]).tolist() == [37, 2]  # 34 / 17


@pytest.mark.parametrize('seed', range(5))
def test_recordings_are_taken_in_turn(seed):
    table = table_of_rows((40,), (5, 5, 5, 5), (1, 9, 9, 9))

    def counts(text, label):
        kept = thinned(table, text, seed=seed, names=CLASSES[:3])
        return sorted(np.unique(table['recording'][kept[table['label'][kept] == label]], return_counts=True)[1])

    assert counts('1:5', 1) == [1, 1, 1, 1]
    assert counts('1:2.5', 1) == [2, 2, 2, 2]
    assert counts('1:10', 1) == [1, 1]
    assert counts('1:7', 2) == [1, 1, 1, 1]
    # The recording of a single row has given it; the others go on in turn.
    assert counts('1:4', 2) == [1, 2, 2, 2]
    assert counts('1:2', 2) == [1, 4, 4, 5]


@pytest.mark.parametrize('seed', [0, 7])
def test_a_larger_ratio_keeps_a_part_of_what_a_smaller_one_keeps(seed):
    table = table_of_rows((60,), (12, 15, 13), (9, 5, 11, 6))
    before = set(range(len(table)))
    for n in ('1.25', '2', '3', '7', '20', '50'):
        kept = set(thinned(table, f'1:{n}', seed=seed, names=CLASSES[:3]).tolist())
        assert kept < before, n
        before = kept


def test_the_seed_decides_which_rows_and_which_recordings():
    table = table_of_rows((60,), (12, 15, 13), (9, 5, 11, 6))
    first, again = (thinned(table, '1:6', seed=3, names=CLASSES[:3]) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    drawn = [thinned(table, '1:40', seed=seed, names=CLASSES[:3]) for seed in range(40)]
    rare = [rows[table['label'][rows] == 1][0] for rows in drawn]
    assert len(set(table['recording'][rare])) == 3
    assert len(set(rare)) > 15


@pytest.mark.parametrize(
    ('counts', 'text', 'warned'),
    [
        (((4,), (40,), (40,)), '1:2', 'normal 4, inner_race 20, ball_007 20'),
        (((20,), (40,), (40,)), '1:2', 'normal 20, inner_race 20, ball_007 20'),
        (((21,), (40,), (40,)), '1:2', ''),
        # CWRU at load 0: 3 healthy windows beside 33 of each fault are rare by themselves.
        (((3,), (33,), (33,)), '1:20', 'normal 3, inner_race 2, ball_007 2'),
        (((3,), (33,), (33,)), 'ball_007=1:20', ''),
        (((120,), (120,), (120,)), '1:50', ''),
        (((4,), (40,), (40,)), 'ball_007=1:2', ''),
        (((40,), (40,), (40,)), '*=1:2', 'normal 20, inner_race 20, ball_007 20'),
        (((4,), (40,), (40,)), '1:1', ''),
        (((4,), (40,), (40,)), '', ''),
    ],
)
def test_a_warning_where_nothing_is_frequent_beside_the_thinned_classes(counts, text, warned, caplog):
    thinned(table_of_rows(*counts), text, names=CLASSES[:3])
    assert len(caplog.records) == bool(warned)
    if warned:
        message = f'`imbalance`={text} leaves no class frequent beside the thinned ones ({warned}): name rare classes'
        assert caplog.records[0].levelname == 'WARNING'
        assert caplog.records[0].getMessage().startswith(message)


@pytest.mark.parametrize(('protocol', 'fold'), [('time_blocks', 0), ('time_blocks', 3), ('random_windows', 0)])
@pytest.mark.parametrize('text', ['ball=1:6', '1:2', '*=1:18'])
def test_validation_and_test_rows_do_not_change(tiny, protocol, fold, text):
    config = TrainConfig(dataset='x', protocol=protocol, fold=fold, seed=5)
    whole, _ = select_rows(config, tiny)
    rare, _ = select_rows(dataclasses.replace(config, imbalance=text), tiny)
    np.testing.assert_array_equal(rare.validation, whole.validation)
    np.testing.assert_array_equal(rare.test, whole.test)
    assert (rare.leak, rare.leaks) == (whole.leak, whole.leaks)
    np.testing.assert_array_equal(
        rare.train, thin(tiny.table, whole.train, Imbalance.parse(text), tiny.class_names(), 'label', 5)
    )
    assert len(rare.train) < len(whole.train)


def test_classes_are_thinned_after_few_labels_and_the_gain_is_that_of_the_rows_left(tiny_gain):
    config = TrainConfig(dataset='x', labels_per_class=3, imbalance='ball=1:3', seed=2)
    splits, gain = select_rows(config, tiny_gain)
    assert np.bincount(tiny_gain.table['label'][splits.train]).tolist() == [3, 1, 3]
    assert gain == fit_gain(tiny_gain.front_end.scaling, tiny_gain.table['peak'][splits.train])
    # The loudest recordings are left out where all classes are thinned to one of the quieter ones.
    gains = {select_rows(dataclasses.replace(config, imbalance='*=1:3', seed=s), tiny_gain)[1] for s in range(8)}
    assert len(gains) > 1


def test_a_config_keeps_what_a_file_says_and_not_its_name(tmp_path):
    path = tmp_path / 'rare.txt'
    path.write_text('ball_* 1:20\n'.replace(' ', '=') + 'inner_race = 1:2.5  # worn\n')
    config = TrainConfig(dataset='x', imbalance=str(path))
    path.unlink()
    assert config.imbalance == 'ball_*=1:20,inner_race=1:2.5'
    assert TrainConfig.from_json(config.to_json()) == config
    assert TrainConfig(dataset='x', imbalance='1:20').imbalance == '1:20'
    assert TrainConfig(dataset='x').imbalance == ''


def test_texts_that_no_file_can_be(tmp_path):
    path = tmp_path / 'latin.txt'
    path.write_bytes(b'gro\xdf=1:20')
    for text in (str(path), 5000 * 'a'):
        with pytest.raises(ConfigError, match='is neither a ratio nor a file of text'):
            Imbalance.parse(text)
