"""Runs on two domains learn, and store what evaluation loads."""

from __future__ import annotations

import numpy as np
import pytest

from fdx.adapt.data import PairedBatches
from fdx.adapt.run import PARTS, choice_by
from fdx.data.familiar import Familiar
from fdx.data.pipeline import ArrayExamples, RecordExamples, train_batches
from fdx.data.source import open_dataset
from fdx.evaluate.scoring import score_run
from fdx.models.precision import in_float32
from fdx.predict.backends.checkpoint import Predictor
from fdx.train.config import TrainConfig
from fdx.train.model_setup import load_run
from fdx.types import DataError
from tests.train.adapt.adapt_tones import EPOCHS, STEPS, TONES_HZ


def test_a_run_learns(finished):
    result, found = finished('dann')
    first, last = found.history[0], found.history[-1]
    assert [row['step'] for row in found.history] == [STEPS * (e + 1) for e in range(EPOCHS)]
    assert last['train_loss'] < 0.5 * first['train_loss']
    assert last['source_risk'] < 0.5 * first['source_risk']
    assert last['source_accuracy'] == last['target_accuracy'] == 1.0
    assert all(0 <= row['train_domain_accuracy'] <= 1 and row['train_term'] > 0 for row in found.history)
    assert last['width'] == 32
    risks = {row['step']: row['source_risk'] for row in found.history}
    assert result.best_step == min(risks, key=risks.get)
    assert {name: len(getattr(result.domains, name)) for name in PARTS} == {
        'source_train': 16, 'source_validation': 4, 'target_train': 12, 'target_test': 4,
    }  # fmt: skip


def test_a_checkpoint_explains_itself_and_predicts(finished, make, tones_dir):
    result, found = finished('dann')
    config, plan = make('dann')
    variables, meta, step = load_run(result.workdir)
    assert (step, meta['class_names']) == (result.best_step, ['normal', 'inner_race'])
    assert meta['splits'] == {'source_train': 16, 'source_validation': 4, 'target_train': 12, 'target_test': 4}
    assert meta['train_recordings'] == ['inner_race-fast', 'inner_race-slow', 'normal-fast', 'normal-slow']
    assert meta['adaptation'] == {
        **plan.to_json(),
        'target_dataset': 'adapt_tones/two-vggish:1.0.0',
        'dropped': {'source': [], 'target': []},
    }
    assert TrainConfig.from_json(meta['config']) == config
    # All windows that it learned from or was chosen by, of both sides; none of the target's test.
    familiar = Familiar.from_json(meta['familiar'])
    assert (len(familiar.windows), familiar.left_out) == (16 + 4 + 12, 'domain')
    predictor = Predictor(result.workdir)
    target = result.domains.target_test
    p = predictor.probabilities(RecordExamples(target.dataset, target.rows, 'label'))
    row = next(r for r in found.history if r['step'] == step)
    assert (p.argmax(1) == target.labels()).mean() == row['target_accuracy']


def test_a_run_in_bfloat16_on_a_mesh_learns_as_well(run, finished, tmp_path):
    """The setting reaches the step, the outputs that are judged, and the checkpoint."""
    result, found = run(tmp_path, 'dann', compute_dtype='bfloat16', parallel='mesh')
    wanted = finished('dann')[1].history
    assert found.history[-1]['target_accuracy'] == 1.0
    for row, other in zip(found.history, wanted, strict=True):
        assert row['train_loss'] == pytest.approx(other['train_loss'], abs=0.1)
        assert row['train_loss'] != other['train_loss']
    model = Predictor(result.workdir).network()[0]
    assert in_float32(model) != model


def test_the_sources_test_split_is_flagged(finished):
    """Adaptation learned from it; validation is of the source's domain and clean."""
    workdir = finished('dann')[0].workdir
    scored = score_run(workdir)
    assert (scored.leaks, scored.leak_share) == (True, 1.0)
    assert (
        scored.leak_reason == "adaptation learns from the source's test split too; its scores are those of the target"
    )
    assert set(scored.predictions.domains) == {'slow'}
    validation = score_run(workdir, split='validation')
    assert (validation.leaks, validation.leak_share, set(validation.predictions.domains)) == (False, 0.0, {'slow'})
    domains = finished('dann')[0].domains
    np.testing.assert_array_equal(np.sort(validation.examples[0].rows), np.sort(domains.source_validation.rows))
    assert set(scored.examples[0].rows) <= set(domains.source_train.rows)
    assert score_run(workdir, split='train').leak_share == 1.0
    everything = score_run(workdir, split='all')
    assert (everything.leak_share, set(everything.predictions.domains)) == (1.0, {'slow', 'fast'})


def test_a_dataset_with_more_classes_than_were_shared_is_refused(run, tmp_path, tones_dir):
    """outer_race is left out, as the target has none: the dataset as a whole cannot be scored."""
    names = {'dataset': 'adapt_tones/three', 'source': 'adapt_tones/three:slow', 'target': 'adapt_tones/three:fast'}
    result, _ = run(tmp_path, 'source_only', epochs=1, **names)
    assert result.domains.dropped == {'source': ('outer_race',), 'target': ()}
    assert load_run(tmp_path)[1]['class_names'] == ['normal', 'inner_race']
    with pytest.raises(DataError, match='classes .*checkpoint .*: outer_race$'):
        score_run(tmp_path)
    assert open_dataset('adapt_tones/three', tones_dir).class_names() == list(TONES_HZ)
    assert score_run(tmp_path, dataset='adapt_tones/two', split='all').leak_share == 0.5


@pytest.mark.parametrize(
    ('select_by', 'risk', 'score'),
    [('source_risk', 0.25, 12.0), ('snd', -3.0, 3.0), ('snd', float('inf'), None), ('snd', float('nan'), None)],
)
def test_the_score_of_an_epoch(select_by, risk, score):
    """The lower the risk the better; a diverged epoch has no score, a step in the middle of an epoch neither."""
    choice = choice_by(select_by)
    assert choice(12, [{'step': 12, select_by: risk}]) == {'selection': {'criterion': select_by, 'score': score}}
    assert choice(12, None) == {'selection': {'criterion': select_by, 'score': None}}


def test_the_last_epoch_is_the_best_where_it_is_asked_for():
    assert [choice_by('last')(step, [{'step': step}])['selection']['score'] for step in (12, 15)] == [12.0, 15.0]


def test_paired_batches_go_on_where_they_stood():
    def batches():
        parts = (ArrayExamples(np.arange(n)[:, None], np.arange(n)) for n in (7, 4))
        return PairedBatches(*(train_batches(part, 3, seed) for part, seed in zip(parts, (1, 2))))

    one, other = batches(), batches()
    first = [next(one) for _ in range(5)]
    assert [len(b['source']['inputs']) for b in first] == [3, 3, 1, 3, 3]
    assert [len(b['target']['inputs']) for b in first] == [3, 1, 3, 1, 3]
    other.set_state(one.get_state())
    for name in ('source', 'target'):
        np.testing.assert_array_equal(next(other)[name]['labels'], next(one)[name]['labels'])
    assert set(next(PairedBatches(train_batches(ArrayExamples(np.zeros((4, 1)), np.zeros(4)), 2, 0)))) == {'source'}
