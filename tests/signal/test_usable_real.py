"""Real recordings, faults and healthy machines, hold nothing wild and nothing dead: impacts are neither.

Those of ADI are text, which takes long to read: tests/data/test_raw_text_cases.py asks it of them.
"""

from __future__ import annotations

import pytest

from fdx.data.raw.files import read_raw_file
from fdx.signal.usable import inspect_recording

PATTERNS = {
    'cwru': ('cwru/*.mat', {'sample_rate_hz': 12000.0, 'channel': 0}),
    'mfpt': ('mfpt/**/*.mat', {}),
    'hit': ('hit_mfs/*.mat', {'sample_rate_hz': 51200.0}),
    'soon': ('soon/01*.csv', {}),
}
FEWEST = {'cwru': 40, 'mfpt': 14, 'hit': 20, 'soon': 1}


@pytest.mark.real_data
@pytest.mark.parametrize('name', PATTERNS)
def test_no_sample_of_a_real_recording_is_replaced_and_none_is_dead(raw_data, name):
    pattern, options = PATTERNS[name]
    paths = sorted(raw_data.glob(pattern))
    assert len(paths) >= FEWEST[name]
    for path in paths:
        if path.stem == '174':  # Its variables have another file's number.
            continue
        recording = read_raw_file(path, **options)
        _, found = inspect_recording(recording, 1000)
        assert (found.wild_samples, int(found.dead.sum())) == (0, 0), path.name
        assert recording.samples.shape[1] == 3 if name == 'soon' else 1
