"""A baseline on disk: the same scores again, older ones kept, damage found."""

from __future__ import annotations

import json
import math
import shutil

import numpy as np
import pytest

from fdx.health.baseline_file import load_baseline, numbers_of, save_baseline
from fdx.health.detectors import DETECTORS
from fdx.health.learn import Settings, learn
from fdx.health.sample import Sample
from fdx.types import CheckpointError


@pytest.mark.parametrize('detector', DETECTORS)
def test_a_loaded_baseline_scores_the_same(tmp_path, detector):
    rng = np.random.default_rng(0)
    sample = Sample.of(list(rng.standard_normal((24, 6))), None, [1500.0] * 24, math.nan)
    baseline = learn(sample, Settings(detector=detector))
    saved = save_baseline(tmp_path, baseline)
    again = load_baseline(tmp_path)
    new = Sample.of(list(rng.standard_normal((10, 6))), None, 1500.0)
    assert [s.p_value for s in again.baseline.scored(new)] == [s.p_value for s in baseline.scored(new)]
    assert again.baseline.layout.outside(700.0, math.nan) and again.number == saved.number == 1
    assert again.baseline.rate == baseline.rate and again.baseline.alarm_limit == baseline.alarm_limit


def test_the_file_explains_itself(pump):
    said = json.loads((pump / 'baselines' / '0001.json').read_text())
    assert said['operating']['words'] == '1500 rpm' and said['alarm_after'] == '2of3'
    assert said['promised'].startswith('one false alarm in') and said['units'] == 'recordings'
    assert said['plan']['sets'] == ['bands', 'impacts', 'shaft'] and len(said['names']) == 30
    assert not list(pump.rglob('*.pkl'))


def test_the_next_one_leaves_the_older_in_place(pump, tmp_path):
    shutil.copytree(pump, tmp_path / 'p')
    first = load_baseline(tmp_path / 'p')
    assert save_baseline(tmp_path / 'p', first.baseline, first.recordings).number == 2
    assert numbers_of(tmp_path / 'p') == [1, 2]
    assert load_baseline(tmp_path / 'p').number == 2 and load_baseline(tmp_path / 'p', 1).number == 1


def test_damage_is_found(pump, tmp_path, says):
    shutil.copytree(pump, tmp_path / 'p')
    arrays = tmp_path / 'p' / 'baselines' / '0001.safetensors'
    content = bytearray(arrays.read_bytes())
    content[-3] ^= 1
    arrays.write_bytes(bytes(content))
    with pytest.raises(CheckpointError) as e:
        load_baseline(tmp_path / 'p')
    assert says(str(e.value), '0001.safetensors ... damaged')
    arrays.unlink()
    with pytest.raises(CheckpointError):
        load_baseline(tmp_path / 'p')


def test_a_folder_without_a_baseline_says_how_to_make_one(tmp_path, says):
    with pytest.raises(CheckpointError) as e:
        load_baseline(tmp_path)
    assert says(str(e.value), 'no baseline ... fdx baseline --recordings')
    with pytest.raises(CheckpointError):
        load_baseline(tmp_path, 3)
