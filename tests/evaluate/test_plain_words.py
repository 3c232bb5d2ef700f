"""Sentences about a score: their numbers are those of the results, and their claims those of the protocol."""

from __future__ import annotations

import pytest

from fdx.data.protocols.splits import PROTOCOLS
from fdx.evaluate import words
from fdx.evaluate.plain_words import guess_of, score_in_words
from fdx.evaluate.protocol_words import PROTOCOL_WORDS, words_of
from tests.evaluate.person_tables import NAMES, called, facts, of_class, results_of

BIG = facts([of_class(name, 20) for name in NAMES])


def sentences(predictions, *, data=BIG, recordings=True, own=True, pooled=True, **changes) -> dict[str, str]:
    results, verdicts = results_of(predictions, data, recordings=recordings, **changes)
    return {s['kind']: s['text'] for s in score_in_words(results, verdicts, own=own, pooled=pooled)}


def test_every_protocol_has_words():
    assert set(PROTOCOLS) <= set(PROTOCOL_WORDS)
    for protocol in PROTOCOL_WORDS:
        for pooled in (True, False):
            for text in words_of(protocol, pooled=pooled, domain='speed', tested=['600 rpm']):
                assert '{' not in text
    # Nothing can be promised of new data where the protocol leaks.
    assert [name for name, spec in PROTOCOLS.items() if spec.leaks] == ['random_windows']
    assert [name for name, w in PROTOCOL_WORDS.items() if not w.new] == ['random_windows']


def test_protocols_that_know_the_recording_say_so():
    for protocol in ('time_blocks', 'within_domain'):
        _, limits, new = words_of(protocol, pooled=True)
        assert 'the very recording' in limits and 'does not say how well it works on a new recording' in limits
        assert new == 'recordings of which it has learned another part'


def test_the_left_out_domains_are_named():
    done, limits, new = words_of('by_domain', pooled=False, domain='speed', tested=['600 rpm'])
    assert done.startswith('One speed was left out (600 rpm), and')
    assert 'at a speed that it has never seen' in limits and new.endswith('at a speed that it has never seen')
    done, *_ = words_of('by_domain', pooled=True, domain='machine', tested=['a', 'b'])
    assert done.startswith('Each machine was left out in turn:')
    assert words_of('of_tomorrow', pooled=True) == ('The data were split by the protocol of_tomorrow.', '', '')


def test_numbers_of_a_good_score():
    found = sentences(called({**{(n, n): 9 for n in NAMES}, ('ball', 'normal'): 3}))
    assert found['score'].startswith('27 of 30 recordings were diagnosed rightly.')
    assert found['interval'].startswith(
        'Of 100 new recordings of these bearings and machines, between 74 and 97 would be diagnosed rightly'
    )
    assert found['guess'] == (
        'A guesser who always says ball, the largest class, would be right on 12 of 30 recordings (40 of 100).'
    )
    assert list(found) == ['score', 'protocol', 'limits', 'interval', 'guess']


def test_all_right_of_few_recordings_is_not_certainty():
    found = sentences(called({(n, n): 1 for n in NAMES}))
    assert found['score'].startswith('3 of 3 recordings were')
    assert 'between 44 and 100 would be' in found['interval']
    assert 'no better' not in found['guess'] and 'too small' not in found['guess']


def test_all_wrong():
    found = sentences(called({('normal', 'ball'): 3, ('ball', 'normal'): 2}))
    assert found['score'].startswith('0 of 5 recordings were')
    assert 'between 0 and 43 would be' in found['interval']
    assert found['guess'].endswith('right on 3 of 5 recordings (60 of 100). The network is no better than that.')


def test_one_recording_only():
    found = sentences(called({('normal', 'normal'): 1}))
    assert found['score'].startswith('1 of 1 recording was diagnosed rightly.')
    assert 'between 21 and 100 would be' in found['interval']
    assert found['guess'].endswith('1 of 1 recording (100 of 100). The network is no better than that.')


def test_a_test_too_small_to_beat_the_guesser_says_so():
    found = sentences(called({('normal', 'normal'): 2, ('ball', 'ball'): 1}))
    assert found['guess'].endswith(
        'right on 2 of 3 recordings (67 of 100). The interval reaches down to that, so the test is too small to show '
        'that the network is better.'
    )


def test_bearings_are_told_where_they_widen_the_interval():
    found = sentences(called({(n, n): 20 for n in NAMES}), accuracy_interval_bearings=[0.6, 1.0], bearings=6, data=BIG)
    assert 'come from 6 bearings only' in found['bearings']
    assert 'between 60 and 100 of 100 windows would be right' in found['bearings']
    narrow = sentences(called({(n, n): 20 for n in NAMES}), accuracy_interval_bearings=[0.94, 1.0], bearings=60)
    assert 'bearings' not in narrow


def test_a_leak_warns_and_promises_nothing():
    found = sentences(called({(n, n): 9 for n in NAMES}), protocol='random_windows', leaks=True)
    assert list(found) == ['warning', 'score', 'protocol', 'limits', 'guess']
    assert found['warning'].startswith('Do not rely on this score') and 'time_blocks' in found['warning']
    other = sentences(called({('ball', 'ball'): 9}), leaks=True, leak_reason='the initial network knows them')
    assert 'The reason: the initial network knows them.' in other['warning'] and 'interval' not in other


def test_other_splits_and_other_data():
    right = called({(n, n): 9 for n in NAMES})
    train = sentences(right, split='train', leaks=True, leak_reason='the training split itself is scored')
    assert 'what the network remembers' in train['limits'] and 'interval' not in train
    assert 'so the score is a little too good' in sentences(right, split='validation')['protocol']
    other = sentences(right, own=False, dataset='rig/other:1.0.0')
    assert other['protocol'] == 'The network learned from rig/big:1.0.0 and was tested on rig/other:1.0.0.'
    assert other['interval'].startswith('Of 100 new recordings like these, between 88 and 100')


def test_several_networks_that_diagnose_a_recording():
    once = called({(n, n): 2 for n in NAMES}, windows=1)
    twice = type(once)(
        once.probabilities.repeat(2, 0), once.labels.repeat(2), [r for r in once.recordings for _ in range(2)],
        once.window_starts.repeat(2), once.class_names, [0, 1] * 6,
    )  # fmt: skip
    assert sentences(twice, protocol='domain_pairs')['score'].startswith(
        '12 of 12 diagnoses were right. A recording is diagnosed by several networks'
    )


def test_a_table_of_readings_has_rows():
    table = called({('normal', 'normal'): 90, ('failure', 'normal'): 10}, windows=1, names=('normal', 'failure'))
    data = {'has_recordings': False, 'windows': 100, 'left_out_windows': {}, 'classes': []}
    found = sentences(table, data=data, recordings=False, protocol='row_blocks', interval_unit='row')
    assert found['score'] == '90 of 100 rows were called rightly.'
    assert 'between 83 and 94 would be called rightly' in found['interval']
    assert found['guess'].endswith('right on 90 of 100 rows (90 of 100). The network is no better than that.')
    assert not any('recording' in text for text in found.values())


def test_the_guesser_is_counted_in_recordings_or_in_windows():
    predictions = called({('normal', 'normal'): 3, ('ball', 'ball'): 1})
    results, verdicts = results_of(predictions, BIG)
    assert guess_of(results, verdicts) == {'class': 'normal', 'right': 3, 'of': 4, 'share': 0.75}
    assert guess_of(results, [])['of'] == 8


@pytest.mark.parametrize(('share', 'number'), [(0.0, 0), (1.0, 100), (0.999, 99), (0.001, 1), (0.784, 78)])
def test_only_certainty_is_0_or_100(share, number):
    assert words.of_hundred(share) == number


def test_small_words():
    assert words.listed(['a']) == 'a' and words.listed('abc', 'or') == 'a, b or c' and words.listed([]) == 'none'
    assert words.listed(range(12)) == '0, 1, 2, 3, 4, 5, 6 and 5 more'
    assert words.counted(1, 'window') == '1 window' and words.counted(1200, 'window') == '1,200 windows'
    assert words.duration(4.125) == '4.12 s' and words.duration(119.6) == '120 s'
    assert words.duration(600) == '10 minutes' and words.duration(12600) == '3.5 hours'
    assert words.values([], 'rpm') == 'not stated' and words.values([600.0, 1200.5], 'rpm') == '600 and 1200.5 rpm'
    assert words.values([float(i) for i in range(20)], 'rpm') == '0 to 19 rpm (20 values)'
