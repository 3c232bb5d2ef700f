"""launch.rare_faults, which `make gan` runs, on the tiny rig: generator, judgement and comparison."""

from __future__ import annotations

import json

import pytest

from fdx.benchmarks import imbalance_run as imbalance_bench
from fdx.synth import judge as judge_module


@pytest.fixture
def quick(monkeypatch):
    """Two updates of every classifier."""
    monkeypatch.setattr(judge_module, 'STEPS', 2)
    monkeypatch.setattr(imbalance_bench, 'STEPS', 2)
    monkeypatch.setattr(imbalance_bench, 'OPTIONS', {'width_multiplier': 0.25})
    monkeypatch.delenv('FDX_RAW_DATA', raising=False)


def test_make_gan(call, rig, tmp_path, quick, shallow_gan):
    rig.prepare(tmp_path / 'data', 'small')
    command = ['rare_faults', f'--workdir={tmp_path / "gan"}', f'--data_dir={tmp_path / "data"}', '--ratio=3']
    command += ['--steps=25', '--width=2', '--judge_samples=3']
    done = call(*command)
    assert done.code == 0, done.err
    # Without recordings it is the simulated bearing.
    assert done.out.startswith('simulated bearing')
    assert (tmp_path / 'gan' / 'judgement' / 'report.html').is_file()
    rows = json.loads((tmp_path / 'gan' / 'rare_faults.json').read_text())['rows']
    assert [row['method'] for row in rows] == ['none', 'class_weight', 'oversample', 'gan']
    for row in rows:
        assert f'{row["method"]}' in done.out
        assert f'{100 * row["macro_f1"]:.1f}' in done.out
    cell = json.loads((tmp_path / 'gan/cells/imbalance/cnn_small/gan/bearing_rig_1_3/seed_0.json').read_text())
    assert cell['balance']['real'] == {'normal': 6, 'inner_race': 2, 'outer_race': 2}
    assert cell['balance']['synthetic'] == 8
    assert cell['asked']['generator'] == {'steps': 25, 'width': 2}
