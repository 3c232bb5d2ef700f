"""Mean and spread, and how they are worded."""

from __future__ import annotations

import pytest

from fdx.evaluate.spread import spread, spread_text


def test_the_deviation_is_that_of_a_sample_and_a_single_value_has_none():
    assert spread([0.7, 0.85]) == {
        'mean': pytest.approx(0.775),
        'standard_deviation': pytest.approx(0.15 / 2**0.5),
        'values': [0.7, 0.85],
    }
    assert spread([0.5]) == {'mean': 0.5, 'standard_deviation': None, 'values': [0.5]}


@pytest.mark.parametrize(
    ('found', 'options', 'text'),
    [
        ([0.7, 0.85], {'percent': True}, '77.5 ± 10.6'),
        ({'mean': 0.775, 'standard_deviation': 0.106, 'values': []}, {'percent': True}, '77.5 ± 10.6'),
        ([0.7, 0.85], {}, '0.775 ± 0.106'),
        ([0.7, 0.9], {'percent': True, 'digits': 0, 'sign': '+-'}, '80 +- 14'),
        ([12.0], {'digits': 1}, '12.0'),
        ([], {'percent': True}, '–'),
    ],
)
def test_words(found, options, text):
    assert spread_text(found, **options) == text
