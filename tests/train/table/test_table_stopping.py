"""Runs on a table: early stopping, and going on."""

from __future__ import annotations

import shutil

import jax
import numpy as np
import pytest

from fdx.data.pipeline import RecordExamples
from fdx.predict.backends.checkpoint import Predictor
from fdx.train.checkpoints import Checkpoints
from fdx.train.run import train
from fdx.train.run_data import select_rows
from fdx.types import CheckpointError
from tests.train.table.table_numbers import RESTLESS, numbers


def test_patience_stops_and_the_best_epoch_can_be_restored(trained, data, config_of):
    workdir, result = trained(**RESTLESS)
    losses = [row['validation_loss'] for row in result.history]
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + 3 < 40
    assert best > 0
    assert result.best_step == Checkpoints(workdir).best_step() == result.history[best]['step']
    rows = select_rows(config_of(), data)[0].validation
    for step, loss in (('best', losses[best]), ('last', losses[-1])):
        predictor = Predictor(workdir, step)
        # As trained: without the temperature that is fitted to the validation rows.
        p = predictor.probabilities(RecordExamples(data, rows, 'label', predictor.gain)) ** predictor.temperature
        p /= p.sum(axis=1, keepdims=True)
        assert -np.log(p[np.arange(len(rows)), data.table['label'][rows]]).mean() == pytest.approx(loss, rel=1e-4)


def test_stopping_changes_no_number_of_the_epochs_before(trained, config_of, tmp_path):
    whole = trained(**RESTLESS)[1].history
    free = train(config_of(**{**RESTLESS, 'patience': 0, 'epochs': 4}), tmp_path / 'run').history
    assert numbers(free) == numbers(whole)[:4]


def test_a_resumed_run_stops_where_the_unbroken_one_does(trained, config_of, tmp_path):
    workdir, whole = trained(**RESTLESS)
    first = len(whole.history) - 2  # The best epoch is behind it: patience is counted across the break.
    begun = train(config_of(**{**RESTLESS, 'epochs': first}), tmp_path / 'run')
    assert len(begun.history) == first
    seen = []
    resumed = train(config_of(**RESTLESS), tmp_path / 'run', on_epoch=seen.append)
    assert numbers(resumed.history) == numbers(whole.history)
    assert [row['epoch'] for row in seen] == list(range(first + 1, len(whole.history) + 1))
    assert resumed.best_step == whole.best_step
    a, b = (Predictor(w).network()[1] for w in (workdir, tmp_path / 'run'))
    assert jax.tree.all(jax.tree.map(np.array_equal, a, b))


def files_of(workdir):
    return {p.relative_to(workdir): p.stat().st_mtime_ns for p in (workdir / 'checkpoints').rglob('*') if p.is_file()}


def test_the_finished_command_given_again_changes_nothing(trained, config_of, tmp_path):
    source, whole = trained(**RESTLESS)
    workdir = shutil.copytree(source, tmp_path / 'run')
    before, log = files_of(workdir), (workdir / 'metrics.jsonl').read_text()
    for epochs in (40, 60):
        config = config_of(**{**RESTLESS, 'epochs': epochs})
        again = train(config, workdir, on_epoch=lambda row: pytest.fail('trained again'))
        assert (again.best_step, numbers(again.history)) == (whole.best_step, numbers(whole.history))
    assert files_of(workdir) == before
    assert (workdir / 'metrics.jsonl').read_text() == log
    with pytest.raises(CheckpointError, match='`patience`: 3 there, 5 now'):
        train(config_of(**{**RESTLESS, 'patience': 5}), workdir)
