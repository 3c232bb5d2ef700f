"""metrics.jsonl and TensorBoard event files."""

from __future__ import annotations

import importlib
import json
import math
import struct
import sys

import pytest
from tensorboardX.proto.event_pb2 import Event, SessionLog

from fdx.train import logs
from fdx.train.logs import MetricsLog


def read_events(folder):
    """Events of all files, oldest first; a record is length, its checksum, the bytes, their checksum."""
    events = []
    for path in sorted(folder.iterdir(), key=lambda p: (p.stat().st_mtime_ns, p.name)):
        data = path.read_bytes()
        while data:
            (size,) = struct.unpack('<Q', data[:8])
            events.append(Event.FromString(data[12 : 12 + size]))
            data = data[16 + size :]
    return events


def scalars(folder):
    """(step, name) -> value as TensorBoard shows them: a session start drops what came before from its step on."""
    shown = {}
    for event in read_events(folder):
        if event.session_log.status == SessionLog.START:
            shown = {k: v for k, v in shown.items() if k[0] < event.step}
        for value in event.summary.value:
            assert (event.step, value.tag) not in shown
            shown[event.step, value.tag] = value.simple_value
    return shown


def test_a_run_leaves_each_epoch_once_and_its_scalars(unbroken):
    rows = [json.loads(line) for line in (unbroken.workdir / 'metrics.jsonl').read_text().splitlines()]
    assert [row['epoch'] for row in rows] == [1, 2, 3]
    shown = scalars(unbroken.workdir / 'tensorboard')
    names = set(rows[0]) - {'step'}
    assert {'train_loss', 'train_accuracy', 'validation_loss', 'validation_macro_f1', 'seconds'} <= names
    assert shown == pytest.approx({(row['step'], k): row[k] for row in rows for k in names}, rel=1e-6)


def row(epoch, **values):
    return {'epoch': epoch, 'step': 10 * epoch, **values}


def test_a_resumed_log_drops_what_lies_behind_its_checkpoint(tmp_path):
    log = MetricsLog(tmp_path, [])
    for epoch in (1, 2, 3):
        log.write(row(epoch, loss=epoch / 2))
    log.close()
    log = MetricsLog(tmp_path, [row(1, loss=0.5)])
    log.write(row(2, loss=7.0))
    log.close()
    rows = [json.loads(line) for line in (tmp_path / 'metrics.jsonl').read_text().splitlines()]
    assert rows == [row(1, loss=0.5), row(2, loss=7.0)]
    expected = {(10, 'epoch'): 1, (10, 'loss'): 0.5, (20, 'epoch'): 2, (20, 'loss'): 7.0}
    assert scalars(tmp_path / 'tensorboard') == expected


def test_a_row_that_was_saved_but_not_logged_is_made_up_for(tmp_path):
    """A run killed between its checkpoint and its log."""
    log = MetricsLog(tmp_path, [])
    log.close()
    log = MetricsLog(tmp_path, [row(1, loss=0.5)])
    log.close()
    assert json.loads((tmp_path / 'metrics.jsonl').read_text()) == row(1, loss=0.5)
    assert scalars(tmp_path / 'tensorboard')[10, 'loss'] == 0.5


def test_a_diverged_loss_is_null_in_strict_json(tmp_path):
    log = MetricsLog(tmp_path, [row(1, loss=math.inf)])
    log.write(row(2, loss=math.nan))
    log.close()
    text = (tmp_path / 'metrics.jsonl').read_text()
    rows = [json.loads(line, parse_constant=pytest.fail) for line in text.splitlines()]
    assert [r['loss'] for r in rows] == [None, None]


def test_the_second_process_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr('jax.process_index', lambda: 1)
    log = MetricsLog(tmp_path, [])
    log.write(row(1, loss=0.5))
    log.close()
    assert list(tmp_path.iterdir()) == []


def test_torch_cannot_be_imported_on_the_way_and_can_be_afterwards(tmp_path, monkeypatch):
    """tensorboardX would import it where it is installed; here an empty file stands for it."""
    (tmp_path / 'torch.py').touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, 'torch', raising=False)
    try:
        with logs._without_torch(), pytest.raises(ImportError, match='torch'):
            importlib.import_module('torch')
        loaded = importlib.import_module('torch')
        with logs._without_torch():
            assert importlib.import_module('torch') is loaded
    finally:
        # Not by monkeypatch, which would put it back at its end: tests that look for torch would find an empty one.
        sys.modules.pop('torch', None)
