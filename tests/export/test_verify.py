"""What an agreement says: of few windows little."""

import numpy as np
import pytest

from fdx.evaluate.intervals import wilson_interval
from fdx.export.verify import agreement_of


@pytest.mark.parametrize(('n', 'differ'), [(12, 0), (99, 1)])
def test_an_agreement_on_few_windows_says_so(n, differ):
    found = agreement_of(np.arange(n) >= differ)
    low, high = wilson_interval(n - differ, n)
    assert found['agreement'] == (n - differ) / n
    assert found['agreement_interval'] == [low, high]
    assert found['agreement_note'].startswith(f'measured on {n} windows only: on others the two may agree on as little')
    assert f'{100 * low:.1f} to {100 * high:.1f} %' in found['agreement_note']


def test_an_agreement_on_a_hundred_windows_stands_alone():
    found = agreement_of(np.arange(100) >= 2)
    assert (found['agreement'], found['agreement_note']) == (0.98, '')
    assert found['agreement_interval'][0] < 0.98 < found['agreement_interval'][1]
