"""The benchmark of devices: its dry run on one network, what a page says, and what is refused."""

from __future__ import annotations

import contextlib
import io
import json

import pytest

from fdx.benchmarks import scaling, scaling_plan
from fdx.benchmarks.scaling_page import markdown
from fdx.types import ConfigError

PEAK = 1e-3  # TFLOP/s, as a slim network on a busy core reaches a share of it that can be read.


@pytest.fixture
def in_this_process(monkeypatch):
    """Workers run here, on the one device there is, and say they had as many as they were asked for."""

    def work(task, environment):
        assert environment['XLA_FLAGS'].count('device_count=') >= 1
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            scaling.main([f'--worker={json.dumps(task)}'])
        rows = json.loads(printed.getvalue().splitlines()[-1])['rows']
        return [{**row, 'devices': 2 if task['several'] else row['devices']} for row in rows]

    monkeypatch.setattr(scaling, 'in_process', work)
    monkeypatch.setattr(scaling, 'probe', lambda: ('cpu', 'cpu', 1))
    monkeypatch.setitem(scaling_plan.SLIM, 'cnn1d', {'width_multiplier': 1 / 32})


def test_a_dry_run_writes_what_it_measured(in_this_process, tmp_path):
    options = ['--dry_run', '--models=cnn1d', '--dtypes=float32', f'--peak_tflops={PEAK},{PEAK}']
    scaling.main([f'--out={tmp_path}', *options])
    data = json.loads((tmp_path / 'scaling.json').read_text())
    (one,), (two,) = data['one'], data['several']
    assert (one['model'], one['dtype'], one['batch'], one['devices'], two['devices']) == ('cnn1d', 'float32', 4, 1, 2)
    assert 0 < one['step_s'] < one['compile_s']
    assert one['fed_step_s'] > 0
    assert one['input_s'] > 0
    assert one['examples_per_s'] == pytest.approx(4 / one['step_s'])
    # The first of four convolutions alone: windows of 1024 samples, 15 taps, multiplication and addition.
    assert one['flops'] >= 4 * 1010 * 15 * 2
    assert one['share_of_peak'] == pytest.approx(one['flops'] / one['step_s'] / (1e12 * PEAK))
    assert 'fed_step_s' not in two
    assert data['peak_tflops'] == {'float32': PEAK, 'bfloat16': PEAK}
    text = (tmp_path / 'scaling.md').read_text()
    assert text == markdown(data)
    assert 'A dry run' in text
    assert f'| `cnn1d` | 4 | float32 | {1e3 * one["step_s"]:.2f} |' in text
    assert f'| {100 * one["step_s"] / two["step_s"]:.0f} % |' in text


def row(dtype, step_s, **changes):
    found = {'step_s': step_s, 'examples_per_s': 256 / step_s, 'compile_s': 9.0, 'flops': 2e12}
    return {'model': 'vggish', 'dtype': dtype, 'batch': 256, 'devices': 1, 'fed': False, **found, **changes}


def test_a_page_says_what_is_hidden_left_out_and_lost():
    rows = [
        row('float32', 0.020, fed_step_s=0.0209, input_s=0.015),
        row('bfloat16', 0.010, fed_step_s=0.0150, input_s=0.015),
    ]
    out = {'model': 'resnet50', 'dtype': 'float32', 'batch': 256, 'devices': 1, 'fed': False, 'left_out': 'memory'}
    peak = scaling_plan.peak_tflops('NVIDIA H200')
    data = {
        'device': {'platform': 'gpu', 'kind': 'NVIDIA H200', 'count': 4, 'cores': 16},
        'peak_tflops': peak,
        'dry_run': False,
        'versions': {'jax': '0.11.0', 'fdx': '1'},
        'seconds': 500.0,
        'one': [scaling.with_share(r, peak) for r in [*rows, out]],
        'several': [scaling.with_share(row('bfloat16', 0.0125, devices=4, examples_per_s=81920.0), peak)],
    }
    lines = markdown(data).splitlines()
    assert 'A dry run' not in '\n'.join(lines)
    assert (
        '4 x NVIDIA H200 (gpu), JAX 0.11.0, fdx 1; 500 s. Peak: 494.7 TFLOP/s in float32, 989.4 TFLOP/s in bfloat16.'
        in lines
    )
    assert '| VGGish | 256 | float32 | 20.00 | 12800 | - | 20.2 % | 9.0 |' in lines
    assert '| VGGish | 256 | bfloat16 | 10.00 | 25600 | 2.00 x | 20.2 % | 9.0 |' in lines
    assert '| ResNet-50 | 256 | float32 | left out: memory | - | - | - | - |' in lines
    assert '| VGGish | 256 | float32 | 20.00 | 20.90 | 15.00 | yes |' in lines
    assert '| VGGish | 256 | bfloat16 | 10.00 | 15.00 | 15.00 | no |' in lines
    assert '| VGGish | 256 | bfloat16 | 4 | 12.50 | 81920 | 80 % |' in lines


def test_the_plan():
    cells = scaling_plan.sweep(scaling_plan.networks(['vggish', 'cnn1d'], dry_run=False), ['float32', 'bfloat16'])
    assert len(cells) == 12
    assert [(c.model, c.batch) for c in cells if c.fed] == [('vggish', 256)] * 2 + [('cnn1d', 1024)] * 2
    assert all(c.fed for c in cells[:4])
    assert [scaling_plan.device_counts(n) for n in (1, 2, 6, 8)] == [[1], [1, 2], [1, 2, 4, 6], [1, 2, 4, 8]]
    assert scaling_plan.peak_tflops('NVIDIA H100 PCIe')['bfloat16'] == 756
    assert scaling_plan.peak_tflops('NVIDIA H100 80GB HBM3')['bfloat16'] == 989.4
    assert scaling_plan.peak_tflops('Abacus 3') is None
    assert scaling.with_share(row('float32', 0.02), None)['share_of_peak'] is None


def test_processes_see_as_many_devices_as_they_use(monkeypatch):
    monkeypatch.setenv('XLA_FLAGS', '--a')
    assert scaling_plan.environment_for(2, 'cpu') == {'XLA_FLAGS': '--a --xla_force_host_platform_device_count=2'}
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    assert scaling_plan.environment_for(2, 'gpu') == {'CUDA_VISIBLE_DEVICES': '0,1'}
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '3,5,7')
    assert scaling_plan.environment_for(2, 'gpu') == {'CUDA_VISIBLE_DEVICES': '3,5'}


@pytest.mark.parametrize(
    ('option', 'words'),
    [
        ('--models=vgg', '`models`=vgg: known are vggish, resnet50, cnn1d'),
        ('--dtypes=float16', '`dtypes`=float16: known are float32, bfloat16'),
        ('--peak_tflops=100', '`peak_tflops`=100: two numbers above 0'),
        ('--peak_tflops=a,b', '`peak_tflops`=a,b: two numbers above 0'),
    ],
)
def test_what_cannot_be_measured_is_refused(option, words, tmp_path):
    with pytest.raises(ConfigError, match=words):
        scaling.main([f'--out={tmp_path}', option])
    with pytest.raises(ConfigError, match='`out` is needed'):
        scaling.main([])
