"""Fixtures of runs on two tiny domains; each file of this folder makes its own."""

from __future__ import annotations

import dataclasses

import jax
import pytest

from fdx.adapt.checkpoint import rest_of
from fdx.adapt.config import AdaptConfig
from fdx.adapt.methods import METHODS
from fdx.adapt.programs import compile_programs, fresh_state
from fdx.adapt.run import adapt, load_parts, open_domains
from fdx.adapt.source_domains import with_domains
from fdx.train.checkpoints import Checkpoints
from fdx.train.config import TrainConfig
from fdx.train.model_setup import set_up_model
from tests.train.adapt.adapt_tones import EPOCHS, STEPS, AdaptTones, judge


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


@pytest.fixture(scope='module')
def stored_rest(make, caches):
    """Function workdir, method -> what the last step holds for resuming."""

    def read(workdir, method):
        config, plan = make(method)
        domains = open_domains(config, plan)
        setup = set_up_model(config, len(domains.classes), domains.source.input_shape)
        parts, start = load_parts(config, setup, domains, caches)
        parts = with_domains(METHODS[method], parts, domains)
        programs = compile_programs(config, plan, setup, start)
        like = fresh_state(setup, programs, METHODS[method], parts, start=start, seed=3, total_steps=STEPS * EPOCHS)
        checkpoints = Checkpoints(workdir)
        return jax.device_get(checkpoints.restore_optimiser(checkpoints.resolve('last'), rest_of(like)))

    return read
