"""Runs on several source domains: methods that never see the target, and those of adaptation, which take them too."""

from __future__ import annotations

import jax
import numpy as np
import pytest
import tensorflow_datasets as tfds

from fdx.adapt.generalise import styled_places
from fdx.adapt.methods import METHODS
from fdx.adapt.run import open_domains
from fdx.adapt.source_domains import DomainExamples, source_domains
from fdx.data.builder import VibrationConfig
from fdx.models.registry import create_model
from fdx.train.loop import InterruptedRunError
from fdx.train.programs import initial_variables
from fdx.types import ConfigError, Recording
from tests.train.adapt.adapt_tones import RATE_HZ, TONES_HZ, AdaptTones
from tests.train.adapt.test_adapt_resume import sigterm_before

SPEEDS = {'slow': 1.0, 'middle': 1.07, 'fast': 1.15}
GENERALISING = [name for name, method in METHODS.items() if method.needs_domains]


class ManyTones(AdaptTones, skip_registration=True):
    """A tone in noise for each of two classes, at three speeds."""

    name = 'many_tones'
    VERSION = tfds.core.Version('1.0.0')
    BUILDER_CONFIGS = [VibrationConfig(name='all-vggish', subset='all', with_waveform=False)]

    def recordings(self, dl_manager):
        del dl_manager
        time_s = np.arange(round(10.6 * RATE_HZ)) / RATE_HZ
        for i, name in enumerate(self.class_names()):
            for domain, factor in SPEEDS.items():
                noise = np.random.default_rng([i, round(100 * factor)]).standard_normal(len(time_s))
                samples = (np.sin(2 * np.pi * factor * TONES_HZ[name] * time_s) + 0.5 * noise).astype(np.float32)
                yield Recording(samples[:, None], RATE_HZ, f'{name}-{domain}', name, name, f'b-{name}', domain)


@pytest.fixture(scope='module')
def tones_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp('many_tones')
    ManyTones(data_dir=folder, config='all-vggish').download_and_prepare()
    return folder


@pytest.fixture(scope='module')
def make(make):
    """The fixture of the folder, from two speeds to the third."""

    def configs(method='group_dro', **changes):
        names = {'dataset': 'many_tones/all', 'source': 'many_tones/all:slow+middle', 'target': 'many_tones/all:fast'}
        # Its programs are compiled in a fraction of the time that convolutions take.
        return make(method, **{**names, 'model': 'band_mlp', 'epochs': 2, **changes})

    return configs


@pytest.mark.parametrize('method', [*GENERALISING, 'dann', 'jmmd'])
def test_several_sources_are_learned(finished, method):
    result, found = finished(method)
    assert result.domains.source_train.rows.size == 2 * 16
    assert set(source_domains(result.domains)) == {'slow', 'middle'}
    assert found.history[-1]['train_loss'] < found.history[0]['train_loss']
    sees = METHODS[method].sees_target
    assert sees == (method in ('dann', 'jmmd'))
    assert (found.history[-1]['train_term'] != 0) == sees


def test_each_method_trains_another_network(finished):
    losses = {m: [row['train_loss'] for row in finished(m)[1].history] for m in ('source_only', *GENERALISING)}
    assert len(set(map(tuple, losses.values()))) == 4


def test_the_weights_of_domains_are_stored_and_a_stopped_run_goes_on(
    finished, run, tmp_path, stored_rest, assert_same_trees
):
    result, wanted = finished('group_dro')
    weights = stored_rest(result.workdir, 'group_dro')['extra']['domain_weights']
    assert weights.shape == (2,) and weights.sum() == pytest.approx(1)
    assert 1e-5 < abs(weights[0] - 0.5) < 0.1
    with pytest.raises(InterruptedRunError):
        run(tmp_path, 'group_dro', sigterm_before(1, 1))
    _, got = run(tmp_path, 'group_dro')
    assert got.history == wanted.history
    assert_same_trees(stored_rest(tmp_path, 'group_dro'), stored_rest(result.workdir, 'group_dro'))


def test_the_target_is_only_scored(finished, run, tmp_path):
    """Another target, of which all windows are scored, trains the same network."""
    result, whole = run(tmp_path / 'whole', 'mix_style', score_all_target=True)
    plain, found = finished('mix_style')
    assert len(result.domains.target_test) > len(plain.domains.target_test)
    assert [row['train_loss'] for row in whole.history] == [row['train_loss'] for row in found.history]


@pytest.mark.parametrize('method', GENERALISING)
def test_one_source_domain_is_refused_before_anything_is_written(says, run, tmp_path, method):
    with pytest.raises(ConfigError) as caught:
        run(tmp_path / 'run', method, source='many_tones/all:slow')
    words = f'`method`={method} ... `source`=many_tones/all:slow has one, slow: ... `source`=many_tones/all:fast+middle'
    assert says(str(caught.value), words)
    assert not (tmp_path / 'run').exists()


def test_styles_need_maps(says, run, tmp_path):
    with pytest.raises(ConfigError) as caught:
        run(tmp_path / 'run', 'mix_style', freeze='head')
    assert says(str(caught.value), '`method`=mix_style ... maps ... `freeze` to none')
    assert not (tmp_path / 'run').exists()


def test_batches_say_the_domain_of_each_example(make):
    domains = open_domains(*make())
    names = source_domains(domains)
    table = domains.source.table
    assert [table['recording'][r].endswith(n) for r, n in zip(domains.source_train.rows, names)] == [True] * 32
    examples = DomainExamples(np.arange(6.0).reshape(3, 2), np.arange(3), np.array([1, 0, 1], np.int32))
    assert examples[1]['domains'] == 0
    np.testing.assert_array_equal(examples.take(np.array([2, 1]))['domains'], [1, 0])


@pytest.mark.parametrize(
    ('name', 'shape', 'places'),
    [('cnn_small', (24, 16, 1), [1, 2]), ('cnn1d', (64, 1, 1), [1, 2]), ('band_mlp', (24, 16, 1), [0])],
)
def test_where_styles_are_mixed(name, shape, places):
    """Behind the first two stages that put out maps; a network of vectors mixes the styles of its input images."""
    model = create_model(name, 3, width_multiplier=1 / 8)
    variables = initial_variables(model, shape, 0)
    assert styled_places(model, variables, jax.ShapeDtypeStruct((2, *shape), np.float32), 0) == places
