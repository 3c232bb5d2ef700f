"""A run with `auto` on two tiny domains: four candidates, one kept network, its verdict in the checkpoint."""

from __future__ import annotations

import dataclasses
import shutil

import jax
import numpy as np
import pytest

from fdx.adapt import auto
from fdx.adapt.auto import adapt_where_supported, kept_plan
from fdx.adapt.auto_verdict import Verdict
from fdx.predict.backends.checkpoint import Predictor
from fdx.train.model_setup import load_run
from fdx.types import CheckpointError
from tests.train.adapt.adapt_tones import judge

CANDIDATES = ['source_only', 'source_only_again', 'mcc', 'mcc_again']


@pytest.fixture(scope='module')
def start(make, caches):
    """Function workdir, **changes -> (AdaptResult, the runs that trained, one name per epoch)."""

    def run(workdir, **changes):
        rows = []
        changes = {'method': 'mcc', 'auto': True, 'epochs': 1, **changes}
        result = adapt_where_supported(*make(**changes), workdir, judge=judge, caches=caches, on_epoch=rows.append)
        return result, [row['run'] for row in rows]

    return run


@pytest.fixture
def decided(monkeypatch):
    """Function adapted: the rules then give this verdict. What they say of real numbers is tested with them."""

    def decide(adapted: bool) -> None:
        def verdict(method, before, after, comparison):
            return Verdict(adapted, method, 'supported' if adapted else 'collapsed', 'words', before, after, comparison)

        monkeypatch.setattr(auto, 'verdict_before', lambda method, found: None)
        monkeypatch.setattr(auto, 'verdict_after', verdict)

    return decide


@pytest.fixture(scope='module')
def finished(start, tmp_path_factory):
    """(workdir of a run with the verdict of the real rules, which runs trained)."""
    workdir = tmp_path_factory.mktemp('auto')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auto, 'verdict_before', lambda method, found: None)
        _, runs = start(workdir)
    return workdir, runs


@pytest.fixture
def workdir(finished, tmp_path):
    """A copy of `finished`."""
    return shutil.copytree(finished[0], tmp_path / 'copy')


@pytest.mark.parametrize('adapted', [True, False])
def test_the_kept_network_and_its_verdict(adapted, start, make, decided, finished, workdir):
    assert finished[1] == CANDIDATES
    decided(adapted)
    result, runs = start(workdir)
    assert runs == []
    kept = 'mcc' if adapted else 'source_only'
    variables, meta, step = load_run(workdir)
    of_candidate, _, _ = load_run(workdir / 'candidates' / kept, step)
    jax.tree.map(np.testing.assert_array_equal, variables, of_candidate)
    assert (meta['adaptation']['method'], meta['adaptation']['auto']) == (kept, True)
    assert (meta['auto']['adapted'], meta['auto']['asked']['method']) == (adapted, 'mcc')
    assert 0 <= meta['auto']['source_only']['disagreement'] <= 1 and meta['auto']['comparison']['gain_se'] >= 0
    assert (result.verdict['words'], result.best_step, result.workdir) == ('words', step, workdir)
    assert kept_plan(make(method='mcc', auto=True)[1], result).method == kept
    # The network of the source alone has learned from no window of the target.
    assert ('normal-fast' in meta['train_recordings']) == adapted
    assert Predictor(workdir).meta['class_names'] == ['normal', 'inner_race']


def test_another_run_is_refused_and_more_epochs_go_on(start, run, decided, workdir):
    decided(False)
    with pytest.raises(CheckpointError, match="holds another adaptation .`method`: 'mcc' there, 'dann' now"):
        start(workdir, method='dann')
    with pytest.raises(CheckpointError, match='`auto`: True there, False now'):
        run(workdir, 'mcc', epochs=1)
    longer, runs = start(workdir, epochs=2)
    assert runs == CANDIDATES and len(longer.history) == 2
    assert load_run(workdir)[1]['history'] == longer.history


def test_where_the_source_alone_settles_it_the_method_is_not_trained(start, finished, tmp_path, monkeypatch):
    for name in CANDIDATES[:2]:
        shutil.copytree(finished[0] / 'candidates' / name, tmp_path / 'candidates' / name)
    real = auto.portrait
    monkeypatch.setattr(auto, 'portrait', lambda *args: dataclasses.replace(real(*args), disagreement=0.0))
    result, runs = start(tmp_path)
    assert (runs, sorted(p.name for p in (tmp_path / 'candidates').iterdir())) == ([], CANDIDATES[:2])
    assert (result.verdict['adapted'], result.verdict['by_method']) == (False, None)
    assert 'Not adapted by mcc' in load_run(tmp_path)[1]['auto']['words']
