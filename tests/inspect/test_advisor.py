"""Advice without reading samples is that of the whole inspection."""

from __future__ import annotations

import numpy as np
import pytest

import fdx
from fdx.data.collection.own import OwnRecordings, look_at
from fdx.data.source import open_dataset
from fdx.inspect.advisor import advise, protocols_of_dataset
from tests.inspect.recordings import write_wav


@pytest.fixture
def manifest(tmp_path):
    rows = ['file,label,speed_rpm,bearing,split']
    for k, label in enumerate(('good', 'inner')):
        for speed in (900, 1200, 1500):
            write_wav(tmp_path / f'{label}_{speed}.wav', np.random.default_rng([k, speed]).standard_normal(16000))
            rows.append(f'{label}_{speed}.wav,{label},{speed},skf_6205,')
    (tmp_path / 'm.csv').write_text('\n'.join(rows))
    return tmp_path / 'm.csv'


def test_it_agrees_with_the_inspection(manifest):
    found, advice = fdx.inspect(manifest).advice, advise(look_at(OwnRecordings.of(str(manifest))))
    assert (advice.front_end, advice.protocol) == (found.front_end, found.protocol) == ('band_mel', 'by_domain')
    assert advice.window_s == pytest.approx(found.window_s) and advice.reasons == found.reasons


def test_a_split_of_the_manifest_is_taken(manifest):
    marks = {'900': 'train', '1200': 'validation', '1500': 'test'}
    lines = manifest.read_text().splitlines()
    manifest.write_text('\n'.join([lines[0], *(line + marks[line.split(',')[2]] for line in lines[1:])]))
    advice = advise(look_at(OwnRecordings.of(str(manifest))))
    assert advice.protocol == 'given_split' and 'the manifest says itself' in advice.reasons[-1]


def test_a_prepared_dataset_is_tried_on_its_own_windows(data_dir):
    """Six recordings of three classes at two speeds, with blocks."""
    found = protocols_of_dataset(open_dataset('bearing_rig/rig_b_small', data_dir))
    assert found.right in {f.name for f in found.fits if f.possible}
    assert {'time_blocks'} <= {f.name for f in found.fits if f.possible}
    assert protocols_of_dataset(open_dataset('bearing_rig/rig_b_small', data_dir), 'fault_type').right == found.right


def test_whole_speeds_and_loads_are_among_what_fits(manifest):
    fits = {f.name: f for f in fdx.inspect(manifest).protocols.fits}
    assert fits['by_speed'].possible and 'at a speed that it has not seen' in fits['by_speed'].reason
    assert not fits['by_load'].possible
    assert fits['by_load'].reason == 'protocol by_load: the load of every recording is unknown'
