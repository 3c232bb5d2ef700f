"""Runs that start from a network which has seen what they are scored on: refused, or marked."""

from __future__ import annotations

import dataclasses
import re

import pytest

from fdx.benchmarks.probe_heads import ProbePlan
from fdx.benchmarks.probe_run import run_probe
from fdx.evaluate.scoring import score_run
from fdx.train.checkpoints import Checkpoints
from fdx.train.init_leak import entries_of
from fdx.train.model_setup import load_run
from fdx.train.run import train
from fdx.train.workdir import init_of_fold
from fdx.types import SplitError

SHORT = {'freeze': 'head', 'epochs': 1}


@pytest.fixture(scope='module')
def leaking(make_config, unbroken, tmp_path_factory):
    """Fold 1 from a run of fold 0, allowed."""
    workdir = tmp_path_factory.mktemp('leaking')
    train(make_config(init=str(unbroken.workdir), fold=1, allow_leak=True, **SHORT), workdir)
    return workdir


def test_what_a_run_learned_from_is_in_its_checkpoint(unbroken):
    (own,) = load_run(unbroken.workdir)[1]['learned_from']
    assert (own['dataset'], own['protocol'], own['fold']) == ('train_room_tones/three-vggish:1.0.0', 'time_blocks', 0)
    assert sorted(own['spans']) == ['rec-inner_race', 'rec-normal', 'rec-outer_race']
    # Blocks 0 to 2 of 10.6 s.
    for spans in own['spans'].values():
        assert len(spans) == 3
        assert (spans[0][0], 5.8 < spans[-1][1] < 6.5) == (0, True)


@pytest.mark.parametrize('changes', [{'fold': 1}, {'fold': 3}, {'fold': 1, 'dataset': 'train_room_tones/two'}])
def test_another_fold_is_refused_with_recordings_run_and_remedy(make_config, unbroken, tmp_path, changes):
    config = make_config(init=str(unbroken.workdir), **SHORT, **changes)
    with pytest.raises(SplitError) as caught:
        train(config, tmp_path / 'run')
    said = str(caught.value)
    assert '\n' not in said
    for part in (
        f'({unbroken.workdir}) has learned from',
        '`init`',
        'rec-inner_race',
        'rec-normal',
        '`allow_leak`',
        f'fold_{config.fold}',
    ):
        assert part in said
    assert not (tmp_path / 'run' / 'checkpoints').exists()


def test_the_same_fold_is_fine(make_config, unbroken, tmp_path):
    train(make_config(init=str(unbroken.workdir), **SHORT), tmp_path / 'run')
    meta = load_run(tmp_path / 'run')[1]
    assert (meta['leaks'], meta['init_leak']) == (False, {'share': 0.0, 'reason': '', 'parts': {}})
    assert [e['fold'] for e in meta['learned_from']] == [0, 0]
    assert not score_run(tmp_path / 'run').leaks


def test_allowed_it_is_marked_and_the_score_leaks(leaking, unbroken):
    meta = load_run(leaking)[1]
    assert meta['leaks'] is True
    # Fold 1 validates on block 4 and tests on block 0, which was trained on.
    assert (meta['init_leak']['share'], meta['init_leak']['parts']) == (1.0, {'validation': 0.0, 'test': 1.0})
    scored = score_run(leaking)
    assert (scored.leaks, scored.leak_share) == (True, 1.0)
    assert re.match(
        re.escape(f'the initial network ({unbroken.workdir}) has learned from 6 of the 6 test win'), scored.leak_reason
    )
    assert not score_run(leaking, split='validation').leaks


def test_the_network_before_the_network_counts_too(make_config, leaking, tmp_path):
    """The run in between is of the same fold; what it began with is not."""
    with pytest.raises(SplitError, match='`allow_leak`'):
        train(make_config(init=str(leaking), fold=1, **SHORT), tmp_path / 'run')


def test_a_run_is_not_continued_as_another(make_config, leaking, unbroken):
    with pytest.raises(SplitError):
        train(make_config(init=str(unbroken.workdir), fold=1, epochs=2, freeze='head'), leaking)


def test_a_checkpoint_of_before_is_judged_by_its_config(make_config, unbroken):
    checkpoints = Checkpoints(unbroken.workdir)
    meta = {k: v for k, v in checkpoints.meta(checkpoints.best_step()).items() if k != 'learned_from'}
    (same,), (other,) = (entries_of(meta, make_config(fold=fold)) for fold in (0, 1))
    assert (len(same['spans']), len(other['spans'])) == (0, 3)
    (thinned,) = entries_of(meta, dataclasses.replace(make_config(), exclude_recordings=('rec-normal',)))
    assert len(thinned['spans']) == 3


def test_a_fold_starts_from_the_fold_of_its_number(tmp_path):
    for fold in (0, 1):
        (tmp_path / f'fold_{fold}' / 'checkpoints').mkdir(parents=True)
    assert init_of_fold(str(tmp_path), 1) == str(tmp_path / 'fold_1')
    assert init_of_fold(str(tmp_path), 2) == str(tmp_path)
    assert init_of_fold('random', 1) == 'random'
    (tmp_path / 'checkpoints').mkdir()
    assert init_of_fold(str(tmp_path), 1) == str(tmp_path)


def test_a_probe_of_a_run_is_refused_or_marked_too(make_config, unbroken):
    config = make_config(init=str(unbroken.workdir), freeze='head')
    plan = ProbePlan(folds=(0,), shots=(1,), draws=1)
    assert run_probe(config, plan, stages=('embedding',))['init_leaks'] == []
    plan = dataclasses.replace(plan, folds=(0, 2))
    with pytest.raises(SplitError, match='has learned from 6 of the 6 .* windows'):
        run_probe(config, plan)
    (said,) = run_probe(dataclasses.replace(config, allow_leak=True), plan, stages=('embedding',))['init_leaks']
    assert said.startswith('fold 2: the initial network (')
