"""Advice: each rule fires on the data it is for, and none on data without fault."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.evaluate.metrics import summarise
from fdx.evaluate.what_helps import MAX_ADVICE, RULES, what_helps
from tests.evaluate.person_tables import NAMES, called, evidence, facts, of_class

GOOD = {(name, name): 20 for name in NAMES}
BIG = facts([of_class(name, 20) for name in NAMES])


def rules(*args, **changes) -> list[str]:
    return [advice['rule'] for advice in what_helps(evidence(*args, **changes))]


def text_of(rule: str, *args, **changes) -> str:
    return RULES[rule](evidence(*args, **changes))


def test_nothing_is_advised_on_large_data_that_are_told_apart():
    assert rules(called(GOOD), BIG) == []


def test_few_recordings_are_counted_by_class():
    data = facts([of_class('normal', 20), of_class('inner_race', 4), of_class('ball', 0)])
    text = text_of('few_recordings', called(GOOD), data)
    assert text == '2 classes have fewer than 5 recordings: ball (0) and inner_race (4). Record more of them.'
    assert not text_of('few_recordings', called(GOOD), facts([of_class(n, 5) for n in NAMES]))


def test_a_class_of_one_bearing():
    data = facts([of_class('normal', 20), of_class('inner_race', 20), of_class('ball', 20, bearings=['b7'])])
    assert text_of('one_bearing', called(GOOD), data).startswith('The data name only one bearing of ball, so')
    unnamed = facts([of_class(n, 20, bearings=[], unnamed=20) for n in NAMES])
    assert 'do not say which bearing' in text_of('one_bearing', called(GOOD), unnamed)
    # One named bearing and unnamed recordings: there may be a second one.
    some = facts([of_class(n, 20, bearings=['b'], unnamed=3) for n in NAMES])
    assert not text_of('one_bearing', called(GOOD), some)


def test_one_speed_or_load():
    slow = facts(BIG['classes'], speeds_rpm=[1730.0, 1772.0, 1797.0])
    assert 'one speed (1,730 to 1,797 rpm). Nothing shows that the network works at another speed' in text_of(
        'one_condition', called(GOOD), slow
    )
    both = text_of('one_condition', called(GOOD), {**slow, 'loads': [2.0]})
    assert 'and one load. ' in both and 'another speed or load' in both
    unknown = text_of('one_condition', called(GOOD), facts(BIG['classes'], speeds_rpm=[], loads=[], domains=['all']))
    assert 'neither speed nor load' in unknown
    # Several domains: something does differ, although nobody says what.
    assert not text_of('one_condition', called(GOOD), facts(BIG['classes'], speeds_rpm=[], loads=[]))


def test_no_healthy_class():
    assert text_of('no_healthy_class', called(GOOD), facts(BIG['classes'], healthy_classes=[]))
    assert not text_of('no_healthy_class', called(GOOD), facts(BIG['classes'], healthy_classes=[]), own=False)


def test_a_class_that_was_recorded_where_no_other_was():
    classes = [of_class('normal', 20, domains=['m1']), of_class('inner_race', 20), of_class('ball', 20)]
    text = text_of('own_condition', called(GOOD), facts(classes, domain_kind='machine'))
    assert 'No other class was recorded at a machine at which normal was recorded.' in text
    classes = [of_class(n, 20, domains=['all'], speeds_rpm=[s]) for n, s in zip(NAMES, (600.0, 600.0, 900.0))]
    text = text_of('own_condition', called(GOOD), facts(classes))
    assert 'recorded at a speed at which ball was' in text


def test_two_classes_that_are_taken_for_each_other():
    pairs = {**GOOD, ('inner_race', 'ball'): 4, ('ball', 'inner_race'): 2, ('normal', 'ball'): 1}
    text = text_of('confused_classes', called(pairs), BIG)
    assert text.startswith('inner_race and ball are taken for each other: 6 of their 46 recordings, of 7 mistakes')
    few = {**GOOD, ('inner_race', 'ball'): 1}
    assert not text_of('confused_classes', called(few), BIG)
    spread = {**GOOD, **{(a, b): 4 for a in NAMES for b in NAMES if a != b}}
    assert not text_of('confused_classes', called(spread), BIG)


def test_mistakes_that_lie_at_one_condition():
    pairs = {**GOOD, ('ball', 'inner_race'): 6}
    at = [{'value': '127 rpm', 'right': 1, 'of': 6}, {'value': '997 rpm', 'right': 59, 'of': 60}]
    speeds = [{'condition': 'speed', 'values': at}]
    text = text_of('weak_condition', called(pairs), BIG, by_condition=speeds)
    assert text.startswith(
        '5 of 6 mistakes are at one speed, 127 rpm: there 1 of 6 recordings are right, elsewhere 59 of 60.'
    )
    even = [{'condition': 'speed', 'values': [{**v, 'right': v['of'] - 3} for v in at]}]
    assert text_of('weak_condition', called(pairs), BIG, by_condition=even)
    large = [{'condition': 'speed', 'values': [{**v, 'of': 60, 'right': 57} for v in at]}]
    assert not text_of('weak_condition', called(pairs), BIG, by_condition=large)
    two = [{'condition': 'speed', 'values': [{**at[0], 'right': 4}, {**at[1], 'right': 60}]}]
    assert not text_of('weak_condition', called(pairs), BIG, by_condition=two)


def test_a_class_that_is_never_predicted():
    pairs = {('normal', 'normal'): 20, ('inner_race', 'inner_race'): 20, ('ball', 'inner_race'): 20}
    assert rules(called(pairs), BIG) == ['never_right', 'known_by_heart', 'wide_interval']
    text = text_of('never_right', called(pairs), BIG)
    assert text.startswith('No window of ball was called rightly; most were taken for inner_race.')


def test_a_class_that_was_not_tested_was_not_missed():
    pairs = {('normal', 'normal'): 20, ('inner_race', 'inner_race'): 20}
    assert not text_of('never_right', called(pairs), BIG)


def test_all_wrong():
    pairs = {('normal', 'ball'): 20, ('inner_race', 'ball'): 20, ('ball', 'normal'): 20}
    assert rules(called(pairs), BIG, train_accuracy=0.5) == ['still_learning', 'never_right']
    text = text_of('never_right', called(pairs), BIG)
    assert (
        'normal (mostly taken for ball), inner_race (mostly taken for ball) or ball (mostly taken for normal)' in text
    )


def test_a_network_that_knows_its_training_by_heart():
    pairs = {**GOOD, **{(a, b): 3 for a in NAMES for b in NAMES if a != b}}  # 60 of 78 right
    assert rules(called(pairs), BIG, train_accuracy=0.99) == ['known_by_heart']
    text = text_of('known_by_heart', called(pairs), BIG, train_accuracy=0.99)
    assert 'right on 99 of 100 windows that it learned from, but on 77 of 100 tested ones' in text
    assert not text_of('known_by_heart', called(pairs), BIG, train_accuracy=0.9)
    assert not text_of('known_by_heart', called(pairs), BIG, train_accuracy=None)
    assert not text_of('known_by_heart', called(pairs), BIG, split='train')


def test_a_network_that_has_not_finished_learning():
    assert 'only 79 of 100 windows' in text_of('still_learning', called(GOOD), BIG, train_accuracy=0.79)
    assert not text_of('still_learning', called(GOOD), BIG, train_accuracy=0.8)
    assert not text_of('still_learning', called(GOOD), BIG, train_accuracy=None)


@pytest.mark.parametrize(('recordings', 'fires'), [(15, True), (16, False)])
def test_a_wide_interval_says_how_many_recordings_narrow_it(recordings, fires):
    all_tested = facts([of_class('normal', recordings)])
    text = text_of('wide_interval', called({('normal', 'normal'): recordings}), all_tested)
    assert bool(text) == fires
    if fires:
        assert text.startswith('Only 15 recordings were tested, so the true score may lie between 80 and 100 of 100.')
        assert 'With about 16 recordings this range would be 20 wide.' in text
    assert not text_of('wide_interval', called({('normal', 'normal'): 3}), BIG, leaks=True)


def test_a_wide_interval_of_one_fold_asks_for_the_others():
    text = text_of('wide_interval', called({('normal', 'normal'): 9}), BIG)
    assert text.startswith('Only 9 recordings were tested')
    assert 'The data hold 60: train all folds (`fold=all`)' in text


def test_one_recording_only():
    text = text_of('wide_interval', called({('normal', 'normal'): 1}), BIG)
    assert text.startswith('Only 1 recording was tested, so the true score may lie between 21 and 100 of 100.')


def test_windows_that_were_left_out():
    data = facts(BIG['classes'], left_out_windows={'dead': 20, 'lost_time': 5})
    assert text_of('windows_left_out', called(GOOD), data).startswith(
        '25 of 265 windows of the data could not be used (dead: 20 and lost time: 5).'
    )
    assert not text_of('windows_left_out', called(GOOD), facts(BIG['classes'], left_out_windows={'dead': 12}))


def test_small_and_biased_data_get_the_first_four_rules_that_fire():
    classes = [of_class(n, 3, bearings=[n], domains=['all'], speeds_rpm=[1500.0]) for n in NAMES]
    data = facts(classes, loads=[1.0], healthy_classes=[])
    pairs = {(n, n): 3 for n in NAMES}
    expected = ['few_recordings', 'no_healthy_class', 'one_bearing', 'one_condition', 'wide_interval']
    assert [name for name, rule in RULES.items() if rule(evidence(called(pairs), data))] == expected
    assert rules(called(pairs), data) == expected[:MAX_ADVICE]


def test_rows_of_a_table_get_advice_about_rows_alone():
    table = called({('normal', 'normal'): 30, ('failure', 'normal'): 3}, windows=1, names=('normal', 'failure'))
    data = {'has_recordings': False, 'windows': 33, 'left_out_windows': {}, 'classes': []}
    found = what_helps(evidence(table, data))
    assert [advice['rule'] for advice in found] == ['never_right', 'wide_interval']
    assert found[0]['text'] == (
        'No row of failure was called rightly; most were taken for normal. Check the labels of these rows.'
    )
    assert all('recording' not in advice['text'] for advice in found)


def test_numbers_of_the_advice_are_those_of_the_summary():
    predictions = called({**GOOD, ('inner_race', 'ball'): 30})
    share = summarise(predictions)['accuracy']
    assert share == pytest.approx(60 / 90)
    text = text_of('known_by_heart', predictions, BIG)
    assert f'on {round(100 * share)} of 100 tested ones' in text
    assert np.isclose(share, evidence(predictions, BIG).right / 90)
