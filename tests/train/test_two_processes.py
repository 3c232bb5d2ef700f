"""Two processes with jax.distributed train one model, are stopped by one SIGTERM, and go on."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections import Counter

import pytest

from fdx.train.checkpoints import Checkpoints
from fdx.train.run import train


@pytest.fixture
def train_together(start_program, tmp_path, free_address):
    """Trains in two processes with one workdir; returns what each of them wrote."""

    def run(config, when=None):
        outputs = [tmp_path / f'output{i}.json' for i in range(2)]
        spec = {'config': config.to_json(), 'workdir': str(tmp_path / 'run'), 'signal': when, 'eval_batch': 8}
        processes = [
            start_program(spec | {'distributed': [free_address, 2, i], 'output': str(outputs[i])}) for i in range(2)
        ]
        logs = [p.communicate(timeout=240)[0] for p in processes]
        assert [p.returncode for p in processes] == [0, 0], '\n'.join(logs)
        return [json.loads(path.read_text()) for path in outputs]

    return run


def test_two_processes_train_as_one(make_head_config, train_together, head_run, outcome, tmp_path, assert_same_trees):
    """SIGTERM reaches the second process only, in epoch 2; both stop after the same step. They go on
    from records and on a mesh; one process alone adds an epoch to that."""
    config = make_head_config()
    stopped = train_together(config, ['SIGTERM', 2, 0, 1])
    assert [(o['processes'], o['devices']) for o in stopped] == [(2, 2), (2, 2)]
    assert stopped[0]['error'] == stopped[1]['error']
    assert stopped[0]['error'].startswith('InterruptedRunError: stopped by SIGTERM after step')
    # Each process looks at some windows of all (fdx.data.familiar_fit), here at each once. Of 18 and 6 windows in
    # batches of eight, the device of each computes four, and of the last batch of two, none. A record is read there
    # all the same, which tells the shapes.
    rows = [Counter(out['rows']) - Counter(set(out['rows'])) for out in stopped]
    assert [(read.total(), max(read.values())) for read in rows] == [(14, 1), (11, 1)]
    assert (rows[0] & rows[1]).total() == 1
    step = Checkpoints(tmp_path / 'run').resolve('last')
    assert 4 <= step < 9
    assert f'after step {step};' in stopped[0]['error']

    finished = train_together(dataclasses.replace(config, parallel='mesh', cache_features='off'))
    assert finished[0]['best_step'] == finished[1]['best_step'] == head_run.best_step
    for out in finished:
        for row, wanted in zip(out['history'], head_run.history, strict=True):
            assert {k: v for k, v in row.items() if k != 'seconds'} == pytest.approx(wanted, rel=1e-5)
    assert len((tmp_path / 'run' / 'metrics.jsonl').read_text().splitlines()) == 3

    # One process restores what two have written, every byte of it verified.
    got = outcome(tmp_path / 'run')
    assert_same_trees(got.params, head_run.params, rtol=1e-5, atol=1e-5)
    assert got.best_step == head_run.best_step
    alone = shutil.copytree(head_run.workdir, tmp_path / 'alone')
    last, wanted = (train(dataclasses.replace(config, epochs=4), w).history[-1] for w in (tmp_path / 'run', alone))
    for name in ('epoch', 'step', 'train_loss', 'validation_loss', 'validation_macro_f1'):
        assert last[name] == pytest.approx(wanted[name], rel=1e-5), name
    assert last['step'] == 12
