"""launch.adapt --sets: a fault that the source lacks is rejected, in the table, on the page and by the checkpoint."""

from __future__ import annotations

import json
import os
import pathlib
import signal

import pytest

from fdx.evaluate.scoring import score_run
from fdx.train.checkpoints import Checkpoints
from launch import display

FROM_TO = ('--source=bearing_rig/machines_small:rig_a', '--target=bearing_rig/machines_small:rig_b')
OPEN = ('--sets=open', '--exclude_source_classes=inner_race')


@pytest.fixture(scope='module')
def args(rig, tmp_path_factory) -> list[str]:
    folder = tmp_path_factory.mktemp('machines')
    rig.prepare(folder, 'machines_small')
    return [*FROM_TO, f'--data_dir={folder}', '--model_option=width_multiplier=0.25', '--epochs=2', '--batch_size=8']


@pytest.fixture(scope='module')
def opened(call, args, tmp_path_factory):
    workdir = tmp_path_factory.mktemp('runs') / 'open'
    done = call('adapt', *args, *OPEN, f'--workdir={workdir}')
    assert done.code == 0, done.err
    return workdir, done


def history(workdir: pathlib.Path) -> list[dict]:
    checkpoints = Checkpoints(workdir)
    rows = checkpoints.meta(checkpoints.resolve('last'))['history']
    return [{k: v for k, v in row.items() if k != 'seconds'} for row in rows]


def test_the_h_score_is_shown_and_stored(opened):
    workdir, done = opened
    found = json.loads((workdir / 'results.json').read_text())
    assert found['classes'] == ['normal', 'outer_race', 'unknown'] and found['unknown_classes'] == ['inner_race']
    kept = found['kept']
    known, unknown = kept['known_accuracy'], kept['unknown_accuracy']
    assert kept['h_score'] == pytest.approx(2 * known * unknown / (known + unknown) if known + unknown else 0)
    for row in found['selections']:
        assert 0 <= row['h_score'] <= 1
        line = next(text for text in done.out.splitlines() if text.startswith(f'{row["selection"]} '))
        assert f'{row["h_score"]:.3f}' in line
    assert (
        'H-score' in done.out and 'inner_race of the target count as unknown' in (workdir / 'report.html').read_text()
    )


def test_the_checkpoint_rejects_by_itself(opened):
    """It is scored on every window of the dataset, which has the class that the network calls `unknown`."""
    scored = score_run(opened[0], split='all')
    assert scored.predictions.class_names == ['normal', 'outer_race', 'unknown']
    examples = scored.examples[0]
    names = examples.dataset.class_names('label')
    told = [names[i] for i in examples.labels()]
    assert [{'normal': 0, 'outer_race': 1, 'inner_race': 2}[n] for n in told] == scored.predictions.labels.tolist()
    assert set(told) == set(names)


def test_a_stopped_run_goes_on_from_the_bias_without_the_threshold(call, args, opened, tmp_path, monkeypatch):
    command, asked = ('adapt', *args, *OPEN, f'--workdir={tmp_path}'), []

    def stop_once(iterable, *, desc='', total=None):
        del total
        if desc.startswith('epoch 2/') and not asked:
            asked.append(desc)
            os.kill(os.getpid(), signal.SIGTERM)
        return iterable

    monkeypatch.setattr(display, 'progress', stop_once)
    assert call(*command).code == 143 and len(history(tmp_path)) == 1
    monkeypatch.undo()
    assert call(*command).code == 0
    for one, other in zip(history(tmp_path), history(opened[0]), strict=True):
        assert one == pytest.approx(other)


def test_partial_sets_and_sets_that_do_not_fit(call, args, tmp_path):
    partial = ('--sets=partial', '--method=dann', '--exclude_target_classes=inner_race', f'--workdir={tmp_path / "p"}')
    done = call('adapt', *args, *partial)
    assert done.code == 0, done.err
    found = json.loads((tmp_path / 'p' / 'results.json').read_text())
    assert found['classes'] == ['normal', 'inner_race', 'outer_race'] and found['dropped']['target'] == ['inner_race']
    assert 'h_score' not in found['kept'] and 'sets=partial' in done.out
    wrong = call('adapt', *args, '--sets=partial', '--exclude_source_classes=ball', f'--workdir={tmp_path / "q"}')
    assert wrong.code != 0 and '--exclude_source_classes names ball' in wrong.error
    wrong = call('adapt', *args, '--sets=open', '--method=mcc', f'--workdir={tmp_path / "q"}')
    assert wrong.code != 0 and '--sets=open: --method=mcc' in wrong.error and 'mk_mmd' in wrong.error
