"""The own_machine benchmark: its cells, a run on two small benches, and what the page says."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.io import wavfile

from fdx.benchmarks import own_machine_page, own_machine_run, own_machine_suite
from fdx.benchmarks.grid import Call
from fdx.train import few_recordings
from fdx.types import ConfigError


def test_every_input_that_suits_a_task_is_a_cell_seed_by_seed():
    found = own_machine_suite.cells(own_machine_suite.TASKS, own_machine_suite.INPUTS, 2)
    titles = [(cell.task.name, cell.input.name) for cell in found]
    assert len(found) == 28 and [cell.seed for cell in found] == [0] * 14 + [1] * 14
    # A second does not fit into a block of 2 s, and HIT has one axis.
    assert ('adi time blocks', 'linear, 1 s') not in titles
    assert ('hit by speed', 'linear, 0.25 s, all axes') not in titles
    datasets = {cell.task.bench.dataset(cell.input) for cell in found}
    assert 'recordings/adi_cbm_axes-band_mel' in datasets and 'recordings/adi_cbm_first_1000ms-fault_orders' in datasets
    with pytest.raises(ConfigError, match='adi by speed'):
        own_machine_suite.get_tasks(['moon'])
    with pytest.raises(ConfigError, match='fault orders'):
        own_machine_suite.get_inputs(['moon'])


def test_the_linear_rows_have_the_settings_of_fdx_train():
    shared = {k: v for k, v in few_recordings.LINEAR.items() if k != 'model'}
    assert shared.items() <= own_machine_suite.LINEAR.items()
    assert own_machine_suite.LINEAR['epochs'] == few_recordings.MOST_EPOCHS


def test_a_small_bench_is_prepared_trained_and_scored_by_recording(tmp_path, monkeypatch):
    for speed in (600, 900, 1200):
        for label, hz in (('Normal', 300), ('IR2', 1500)):
            t = np.arange(6000) / 6000
            wave = np.sin(2 * np.pi * hz * t) + 0.1 * np.random.default_rng(speed).standard_normal(len(t))
            (tmp_path / 'raw' / 'hit_mfs').mkdir(parents=True, exist_ok=True)
            wavfile.write(tmp_path / 'raw' / 'hit_mfs' / f'{label}_{speed}.wav', 6000, (9000 * wave).astype(np.int16))
    bench = dataclasses.replace(own_machine_suite.HIT, pattern='{label}_{speed_rpm}.wav', rate_hz=6000.0)
    task = dataclasses.replace(own_machine_suite.TASKS[2], bench=bench)
    quick = {**own_machine_suite.LINEAR, 'epochs': 8, 'save_every': 8, 'learning_rate': 0.2}
    kind = dataclasses.replace(own_machine_suite.INPUTS[1], settings=quick)
    monkeypatch.setattr(own_machine_run, 'TASKS', (*own_machine_suite.TASKS[:1], task))
    monkeypatch.setattr(own_machine_run, 'INPUTS', (kind,))
    monkeypatch.setattr(own_machine_run, 'LINEAR', quick)
    said = []
    call = Call(tmp_path / 'out', str(tmp_path / 'data'), str(tmp_path / 'raw'), seeds=1, say=said.append)
    page = own_machine_run.run(call, None, None)
    assert any('adi by speed: skipped, there is no adi_cbm' in line for line in said)
    text = page.read_text()
    assert '| linear, 0.25 s | 100.0 | 100.0 | 100.0 |' in text and '6 recordings' in text
    assert page.with_suffix('.png').read_bytes()[:4] == b'\x89PNG'
    said.clear()
    own_machine_run.run(call, None, None)  # Everything lies on the disk: nothing is said of a cell.
    assert not any('macro F1' in line for line in said)


def test_no_folder_of_recordings_is_an_error(tmp_path, monkeypatch):
    monkeypatch.delenv('FDX_RAW_DATA', raising=False)
    with pytest.raises(ConfigError, match='`manual_dir`'):
        own_machine_run.run(Call(tmp_path, str(tmp_path)), None, None)
    with pytest.raises(ConfigError, match='holds none of adi_cbm'):
        own_machine_run.run(Call(tmp_path, str(tmp_path), str(tmp_path)), None, None)


def test_rows_of_seeds_are_packed_and_the_page_is_made_of_them():
    record = {
        'task': 'adi by speed', 'input': 'fault orders', 'front_end': 'fault_orders', 'model': 'cnn_small',
        'protocol': 'by_domain', 'records': 'recordings/x:1.0.0', 'recordings': 65, 'windows': 130, 'seconds': 2.0,
        'balanced_accuracy': 0.5, 'window_accuracy': 0.5, 'asked': {},
    }  # fmt: skip
    found = [{**record, 'seed': s, 'accuracy': a, 'macro_f1': a} for s, a in enumerate((0.5, 0.6, 0.7))]
    data = own_machine_page.assemble(found, 'the command')
    (row,) = data['rows']
    assert row['seeds'] == [0, 1, 2] and row['macro_f1'] == [0.5, 0.6, 0.7] and 'asked' not in row
    text = own_machine_page.markdown(data)
    assert '60.0 ± 10.0' in text and 'the command' in text and 'ADI, seven classes' in text
    assert own_machine_page.measured(data) == {('adi by speed', 'fault orders', f'seed {s}') for s in range(3)}
