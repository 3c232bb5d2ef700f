"""Runs on two domains: they learn, resume bit for bit, store what evaluation loads, and refuse what they cannot do."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal

import jax
import numpy as np
import pytest
import tensorflow_datasets as tfds

from fdx.adapt.methods import METHODS
from fdx.data.builder import VibrationBuilder, VibrationConfig
from fdx.data.pipeline import ArrayExamples, RecordExamples, train_batches
from fdx.data.source import open_dataset
from fdx.evaluate.predictor import Predictor
from fdx.evaluate.scoring import score_run
from fdx.train import parallel, target_statistics
from fdx.train.adapt_checkpoint import rest_of
from fdx.train.adapt_config import AdaptConfig
from fdx.train.adapt_data import PairedBatches
from fdx.train.adapt_outputs import is_reached
from fdx.train.adapt_programs import compile_programs, fresh_state
from fdx.train.adapt_run import PARTS, _saver, adapt, load_parts, open_domains
from fdx.train.checkpoints import Checkpoints
from fdx.train.config import TrainConfig
from fdx.train.loop import InterruptedRunError, Progressed
from fdx.train.model_setup import load_run, set_up_model
from fdx.types import CheckpointError, ConfigError, DataError, Recording

RATE_HZ = 16000.0
TONES_HZ = {'normal': 500.0, 'inner_race': 1500.0, 'outer_race': 3500.0}
SHIFT = {'slow': 1.0, 'fast': 1.15}
EPOCHS = 4
# 16 source windows (8 of each class) in batches of 6: 3 steps an epoch, the last one of 4.
STEPS = 3


class AdaptTones(VibrationBuilder, skip_registration=True):
    """A tone in noise for each class, at two speeds; `three` has outer_race at the lower one alone."""

    name = 'adapt_tones'
    VERSION = tfds.core.Version('1.0.0')
    BUILDER_CONFIGS = [
        VibrationConfig(name='two-vggish', subset='two', with_waveform=False),
        VibrationConfig(name='three-vggish', subset='three', with_waveform=False),
    ]

    def class_names(self):
        return list(TONES_HZ)[: 3 if self.builder_config.subset == 'three' else 2]

    def fault_types(self):
        return self.class_names()

    def common_rate_hz(self):
        return RATE_HZ

    def recordings(self, dl_manager):
        del dl_manager
        time_s, found = np.arange(round(10.6 * RATE_HZ)) / RATE_HZ, []
        for i, name in enumerate(self.class_names()):
            for domain, factor in SHIFT.items():
                if (name, domain) == ('outer_race', 'fast'):
                    continue
                noise = np.random.default_rng([i, round(100 * factor)]).standard_normal(len(time_s))
                samples = (np.sin(2 * np.pi * factor * TONES_HZ[name] * time_s) + 0.5 * noise).astype(np.float32)
                found.append(Recording(samples[:, None], RATE_HZ, f'{name}-{domain}', name, name, f'b-{name}', domain))
        return found


@pytest.fixture(scope='module', autouse=True)
def compiled_quickly():
    """Programs of this file run for milliseconds: compiling them is what takes time."""
    jax.config.update('jax_disable_most_optimizations', True)
    yield
    jax.config.update('jax_disable_most_optimizations', False)


@pytest.fixture(scope='module')
def tones_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp('adapt_tones')
    for config in AdaptTones.BUILDER_CONFIGS:
        AdaptTones(data_dir=folder, config=config.name).download_and_prepare()
    return folder


@pytest.fixture(scope='module')
def make(tones_dir):
    """Function method, **changes of either config -> (TrainConfig, AdaptConfig)."""

    def configs(method='dann', **changes):
        plan = AdaptConfig(source='adapt_tones/two:slow', target='adapt_tones/two:fast', method=method)
        config = TrainConfig(
            dataset='adapt_tones/two',
            data_dir=str(tones_dir),
            model='cnn_small',
            model_options={'width_multiplier': 1 / 8},
            epochs=EPOCHS,
            batch_size=6,
            learning_rate=1e-2,
            halve_every=0,
            seed=3,
        )
        of_plan = {f.name for f in dataclasses.fields(AdaptConfig)}
        plan = dataclasses.replace(
            plan, **{'select_by': 'source_risk', **{k: v for k, v in changes.items() if k in of_plan}}
        )
        return dataclasses.replace(config, **{k: v for k, v in changes.items() if k not in of_plan}), plan

    return configs


def judge(parts):
    """Criteria by NumPy, and the target's accuracy."""
    assert set(parts) == set(PARTS)
    validation, target = parts['source_validation'], parts['target_test']
    z = validation.logits.astype(np.float64)
    log_p = z - z.max(1, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(1, keepdims=True))
    return {
        'source_risk': float(-log_p[np.arange(len(z)), validation.labels].mean()),
        'source_accuracy': float((z.argmax(1) == validation.labels).mean()),
        'target_accuracy': float((target.logits.argmax(1) == target.labels).mean()),
        'width': parts['target_train'].features.shape[1],
    }


@pytest.fixture(scope='module')
def caches():
    """Inputs and compiled programs of all runs of this file."""
    return {}


@pytest.fixture(scope='module')
def run(make, caches, outcome):
    """Function workdir, method, progress, **changes -> (AdaptResult, Outcome)."""

    def start(workdir, method='dann', progress=None, **changes):
        options = {} if progress is None else {'progress': progress}
        result = adapt(*make(method, **changes), workdir, judge=judge, caches=caches, **options)
        return result, outcome(workdir)

    return start


@pytest.fixture(scope='module')
def finished(run, tmp_path_factory):
    """Function method -> (AdaptResult, Outcome) of the unbroken run, made once."""
    kept = {}

    def get(method):
        if method not in kept:
            kept[method] = run(tmp_path_factory.mktemp(method), method)
        return kept[method]

    return get


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
    predictor = Predictor(result.workdir)
    target = result.domains.target_test
    p = predictor.probabilities(RecordExamples(target.dataset, target.rows, 'label'))
    row = next(r for r in found.history if r['step'] == step)
    assert (p.argmax(1) == target.labels()).mean() == row['target_accuracy']


def sigterm_before(epoch, step):
    """A progress bar that sends SIGTERM before a step of an epoch (from 1) runs."""

    def progress(iterable, desc='', **_):
        for i, item in enumerate(iterable):
            if desc.startswith(f'epoch {epoch}/') and i == step:
                os.kill(os.getpid(), signal.SIGTERM)
            yield item

    return progress


@pytest.fixture(scope='module')
def stored_rest(make, caches):
    """Function workdir, method -> what the last step holds for resuming."""

    def read(workdir, method):
        config, plan = make(method)
        domains = open_domains(config, plan)
        setup = set_up_model(config, len(domains.classes), domains.source.input_shape)
        parts, start = load_parts(config, setup, domains, caches)
        programs = compile_programs(config, plan, setup, start, caches)
        like = fresh_state(setup, programs, METHODS[method], parts, start=start, seed=3, total_steps=STEPS * EPOCHS)
        checkpoints = Checkpoints(workdir)
        return jax.device_get(checkpoints.restore_optimiser(checkpoints.resolve('last'), rest_of(like)))

    return read


@pytest.mark.parametrize('method', ['dann', 'adabn', 'dirt_t'])
def test_stopped_and_resumed_is_unbroken(finished, run, tmp_path, method, assert_same_trees, stored_rest):
    """In the first epoch, and behind the middle of the run, where dirt_t has left the source."""
    with pytest.raises(InterruptedRunError, match='after step 1;'):
        run(tmp_path, method, sigterm_before(1, 0))
    with pytest.raises(InterruptedRunError, match='after step 8;'):
        run(tmp_path, method, sigterm_before(3, 1))
    _, got = run(tmp_path, method)
    result, wanted = finished(method)
    assert got.history == wanted.history
    assert got.best_step == wanted.best_step
    for name in ('params', 'stats', 'best', 'best_stats'):
        assert_same_trees(getattr(got, name), getattr(wanted, name))
    assert_same_trees(stored_rest(tmp_path, method), stored_rest(result.workdir, method))


def stem(params, inputs):
    """Output of cnn_small's first convolution, float64 [N, H, W, C]: 3x3, zeros around."""
    kernel, x = np.asarray(params['stage1']['conv']['kernel'], np.float64), np.asarray(inputs, np.float64)
    h, w = x.shape[1:3]
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    out = sum(padded[:, i : i + h, j : j + w] @ kernel[i, j] for i in range(3) for j in range(3))
    return out + params['stage1']['conv'].get('bias', 0.0)


def inputs_of(examples):
    return np.stack([examples[i]['inputs'] for i in range(len(examples))])


def test_adabn_stores_the_targets_statistics_and_trains_on_with_its_own(finished, stored_rest, assert_same_trees):
    """Parameters and what is kept for going on are the source's; only the stored network has the target's."""
    adabn, adapted = finished('adabn')
    plain, source = finished('source_only')
    assert_same_trees(adapted.params, source.params)
    of_training = stored_rest(adabn.workdir, 'adabn')['stats']
    assert_same_trees(of_training, stored_rest(plain.workdir, 'source_only')['stats'])
    assert_same_trees(of_training, source.stats)
    hidden = stem(adapted.params, inputs_of(adabn.domains.target_train))
    got = adapted.stats['stage1']['bn']
    np.testing.assert_allclose(got['mean'], hidden.mean((0, 1, 2)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(got['var'], hidden.var((0, 1, 2)), rtol=1e-4)
    assert np.abs(got['var'] / of_training['stage1']['bn']['var'] - 1).max() > 0.05
    meta = load_run(adabn.workdir)[1]
    assert 'normal-fast' in meta['train_recordings']
    assert 'normal-fast' not in load_run(plain.workdir)[1]['train_recordings']


def test_statistics_of_batches_are_pooled(make, monkeypatch, assert_same_trees):
    """12 windows in batches of 5, 5 and 2; far-off old statistics cost no digits; frozen norms keep theirs."""
    monkeypatch.setattr(target_statistics, 'EVAL_BATCH', 5)
    config, plan = make('adabn')
    domains = open_domains(config, plan)
    setup = set_up_model(config, 2, domains.source.input_shape)
    stats = jax.tree.map(lambda x: np.asarray(x) + 1e5, setup.stats)
    model = setup.model.clone(frozen_norms=('stage2/bn',))
    measure = parallel.compile_forward(target_statistics.make_statistics(model))
    variables = {'params': setup.params, 'batch_stats': stats}
    inputs = inputs_of(domains.target_train)
    examples = ArrayExamples(inputs, np.zeros(len(inputs), np.int32))
    assert len(inputs) == 12
    got = target_statistics.target_statistics(measure, variables, stats, examples)
    hidden = stem(jax.device_get(setup.params), inputs)
    np.testing.assert_allclose(got['stage1']['bn']['mean'], hidden.mean((0, 1, 2)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(got['stage1']['bn']['var'], hidden.var((0, 1, 2)), rtol=1e-4)
    assert_same_trees(got['stage2'], stats['stage2'])
    assert np.abs(got['stage3']['bn']['mean']).max() < 100
    with pytest.raises(ConfigError, match='the network keeps no batch statistics'):
        target_statistics.target_statistics(measure, variables, {}, examples)


def test_cached_features_change_nothing(run, tmp_path, assert_same_trees):
    """The classifier alone trains: its inputs are the bottleneck's outputs, which is the layer that adapts, too."""
    options = {'method': 'jmmd', 'freeze': 'head', 'epochs': 2, 'dropout_rate': 0.0}
    (_, cached), (_, plain) = (
        run(tmp_path / mode, cache_features=mode, **options) for mode in ('on', 'off')
    )  # fmt: skip
    assert load_run(tmp_path / 'on')[1]['frozen_stages'] == 4
    for row, wanted in zip(cached.history, plain.history, strict=True):
        assert row == pytest.approx(wanted, rel=1e-4, abs=1e-6)
    assert_same_trees(cached.params, plain.params, rtol=1e-4, atol=1e-5)
    assert_same_trees(cached.stats, plain.stats)
    assert cached.history[0]['train_term'] != 0


def test_a_layer_inside_of_the_frozen_stages_is_not_cached(make):
    """`stage3` names a map, of which the prefix keeps means: what is cached cannot stand for it."""
    for feature, start in (('embedding', 4), ('bottleneck', 4), ('stage3', 0), ('stage1', 0), ('head', 4)):
        config, plan = make('mcc', freeze='head', feature=feature)
        domains = open_domains(config, plan)
        setup = set_up_model(config, 2, domains.source.input_shape)
        assert is_reached(setup, domains.source.input_shape, feature) == (start == 4)
        if feature in ('stage3', 'embedding'):
            assert load_parts(config, setup, domains, {}, feature=feature)[1] == start
    config = dataclasses.replace(config, cache_features='on')
    with pytest.raises(ConfigError, match='--cache_features=on: the layer --feature=stage3 lies inside of the frozen'):
        load_parts(config, setup, domains, {}, feature='stage3')
    with pytest.raises(
        ConfigError, match='--feature=middle: the network names stage1, stage2, stage3, bottleneck, emb'
    ):
        load_parts(config, setup, domains, {}, feature='middle')


def test_an_activation_behind_what_is_cached_is_not_reached(make):
    options = {'width_multiplier': 1 / 32, 'head_input': 'embedding_linear'}
    config, _ = make('mcc', freeze='head', model='vggish', model_options=options)
    setup = set_up_model(config, 2, (96, 64, 1))
    assert is_reached(setup, (96, 64, 1), 'embedding_linear')
    assert not is_reached(setup, (96, 64, 1), 'embedding')


@pytest.mark.parametrize(
    ('method', 'changes', 'words'),
    [
        (
            'dann',
            {'halve_every': 2},
            '--halve_every=2: adaptation lowers its learning rate by itself; pass --halve_every=0',
        ),
        ('dann', {'cache_features': 'on'}, '--cache_features=on needs a frozen first stage'),
        ('dann', {'feature': 'middle'}, '--feature=middle: the network names stage1, '),
        ('adabn', {'freeze': 'first_last'}, '--method=adabn: all 3 batch norms are frozen and keep their statistics'),
        ('adabn', {'model': 'vggish', 'model_options': {'width_multiplier': 1 / 32}}, 'keeps no batch statistics'),
        ('dann', {'exclude_recordings': ('nobody',)}, '--exclude_recordings names nobody'),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_written(run, tmp_path, method, changes, words):
    with pytest.raises(ConfigError) as caught:
        run(tmp_path / 'run', method, **changes)
    assert words in str(caught.value)
    assert not (tmp_path / 'run').exists()


def test_a_part_without_windows_is_named(make):
    config, plan = make('mcc')
    domains = open_domains(config, plan)
    setup = set_up_model(config, 2, domains.source.input_shape)
    empty = dataclasses.replace(domains.target_test, rows=domains.target_test.rows[:0])
    with pytest.raises(ConfigError, match='^target test has no windows of the shared classes: choose another protocol'):
        load_parts(config, setup, dataclasses.replace(domains, target_test=empty), {})


def test_another_plan_is_refused_in_the_same_workdir(finished, run, tmp_path):
    shutil.copytree(finished('dann')[0].workdir, tmp_path / 'copy')
    for method, changes, words in (
        ('cdan', {}, "--method: 'dann' there, 'cdan' now"),
        ('dann', {'select_by': 'last'}, "--select_by: 'source_risk' there, 'last' now"),
        ('dann', {'weight': 0.5, 'radius': 0.2}, '--weight: 0.0 there, 0.5 now; --radius: 0.1 there, 0.2 now'),
        ('dann', {'source': 'adapt_tones/two:fast', 'target': 'adapt_tones/two:slow'}, '--source: '),
        ('dann', {'batch_size': 5}, '--batch_size: 6 there, 5 now'),
    ):
        with pytest.raises(CheckpointError, match='the workdir holds another .*choose another --workdir') as caught:
            run(tmp_path / 'copy', method, **changes)
        assert words in str(caught.value)
    # It is still there, and finished.
    assert run(tmp_path / 'copy', 'dann')[1].history == finished('dann')[1].history


def test_a_workdir_without_adaptation_is_refused(finished, run, tmp_path, monkeypatch):
    shutil.copytree(finished('dann')[0].workdir, tmp_path / 'copy')
    meta = Checkpoints.meta
    monkeypatch.setattr(
        Checkpoints, 'meta', lambda self, step: {k: v for k, v in meta(self, step).items() if k != 'adaptation'}
    )
    with pytest.raises(CheckpointError, match='the workdir holds a run without adaptation'):
        run(tmp_path / 'copy', 'dann')


def test_other_initial_weights_are_refused(run, tmp_path, monkeypatch):
    """The frozen stages are not in the steps: those of now would be joined with the classifier of then."""
    options = {'method': 'jmmd', 'freeze': 'head', 'epochs': 1, 'cache_features': 'off', 'dropout_rate': 0.0}
    run(tmp_path, **options)
    restore = Checkpoints.restore_variables

    def changed(self, step, like, prefix_like):
        variables, prefix = restore(self, step, like, prefix_like)
        return variables, jax.tree.map(lambda x: x + 1, prefix)

    monkeypatch.setattr(Checkpoints, 'restore_variables', changed)
    with pytest.raises(CheckpointError, match='--init=random holds other weights than when this run began'):
        run(tmp_path, **options)


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
    with pytest.raises(DataError, match='classes that the checkpoint does not know: outer_race$'):
        score_run(tmp_path)
    assert open_dataset('adapt_tones/three', tones_dir).class_names() == list(TONES_HZ)
    assert score_run(tmp_path, dataset='adapt_tones/two', split='all').leak_share == 0.5


@pytest.mark.parametrize(
    ('select_by', 'risk', 'score'),
    [('source_risk', 0.25, -0.25), ('snd', -3.0, 3.0), ('snd', float('inf'), None), ('snd', float('nan'), None)],
)
def test_the_score_of_an_epoch(select_by, risk, score):
    """The lower the risk the better; a diverged epoch has no score, an epoch that is not to be chosen neither."""
    seen = []

    class Kept:
        def save(self, step, variables, rest, meta):
            seen.append(meta['selection'])

    state = _State(step=12, params={}, stats={}, opt_state={}, extra={}, teacher={})
    save = _saver(Kept(), lambda s: s, {}, select_by, 0.0)
    progressed = Progressed(history=[{'step': 12, select_by: risk}])
    save(state, progressed, True)
    save(state, progressed, False)
    assert seen == [{'criterion': select_by, 'score': score}, {'criterion': select_by, 'score': None}]


def test_the_last_epoch_is_the_best_where_it_is_asked_for():
    seen = []

    class Kept:
        def save(self, step, variables, rest, meta):
            seen.append(meta['selection']['score'])

    for step in (12, 15):
        state = _State(step=step, params={}, stats={}, opt_state={}, extra={}, teacher={})
        _saver(Kept(), lambda s: s, {}, 'last', 0.0)(state, Progressed(history=[{'step': step}]), True)
    assert seen == [12.0, 15.0]


@dataclasses.dataclass
class _State:
    step: int
    params: dict
    stats: dict
    opt_state: dict
    extra: dict
    teacher: dict


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
