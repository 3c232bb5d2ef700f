"""launch.predict on the real recording of three axes, with a stand-in for the network."""

from __future__ import annotations

import json

import numpy as np
import pytest
import scipy.special

from fdx.predict.predictor import AnyPredictor
from fdx.signal.front_ends import create_front_end


def rows_of(done) -> list[dict]:
    return [json.loads(line) for line in done.out.splitlines()]


class ThreeAxes(AnyPredictor):
    """Stands for the Predictor of a run on three axes, whose network looks at the mean of each axis alone."""

    front_end = create_front_end('triaxial_mel', 512.0)
    class_names = ['x', 'y', 'z']
    meta = {'dataset': {'common_rate_hz': 512.0, 'window_length': 1000, 'guard_length': 51, 'channels': 3}}

    threshold = None

    def __init__(self, workdir, step, progress):
        assert step == 'best'

    def patch_probabilities(self, patches):
        return scipy.special.softmax(patches.mean(axis=(1, 2)), axis=1).astype(np.float32)


def test_the_real_recording_of_three_axes(call, raw_data, tmp_path, monkeypatch):
    monkeypatch.setattr('fdx.predict.backends.checkpoint.Predictor', ThreeAxes)
    (tmp_path / 'checkpoints').mkdir()
    (path,) = (raw_data / 'soon').glob('01 - *.csv')
    out = tmp_path / 'lines.jsonl'
    common = ('predict', f'--checkpoint={tmp_path}')
    done = call(*common, f'--out={out}', path)
    assert done.code == 0, done.err
    *windows, summary = rows_of(done)
    assert (len(windows), summary['windows']) == (103, 103)
    assert out.read_text() == done.out
    turned = rows_of(call(*common, '--nowindows', '--channel=AccZ,AccX,AccY', path))[0]
    means = summary['mean_probabilities']
    assert turned['mean_probabilities'] == pytest.approx({'x': means['z'], 'y': means['x'], 'z': means['y']})
    assert max(means.values()) - min(means.values()) > 0.01
    refused = call(*common, '--channel=AccX', path)
    assert refused.code == 1
    assert '1 channel, the model takes 3; record all of them into one file' in rows_of(refused)[0]['error']
