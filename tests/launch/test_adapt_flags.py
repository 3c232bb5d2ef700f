"""Flags of launch.adapt: each reaches its field, none is ignored, what cannot be is refused in a line."""

from __future__ import annotations

import dataclasses
import pathlib
import re

import pytest

from fdx.adapt.config import AdaptConfig
from fdx.train.config import TrainConfig
from fdx.types import FdxError
from launch import prepare_on_demand
from launch.adapt_checkpoint import OWN
from launch.format_flags import FORMAT_FLAGS
from launch.recordings_flags import NAMES

FROM_TO = ('--source=bearing_rig/machines_small:rig_a', '--target=bearing_rig/machines_small:rig_b')


@pytest.fixture(scope='module')
def machines(rig, tmp_path_factory) -> pathlib.Path:
    """Three machines, each a domain, in small; and one of them seen by another front end."""
    folder = tmp_path_factory.mktemp('machines')
    rig.prepare(folder, 'machines_small', 'rig_a_small-musicnn')
    return folder


@pytest.fixture(scope='module')
def args(machines) -> list[str]:
    """Flags of a run that takes seconds."""
    options = ['--model_option=width_multiplier=0.25', '--epochs=2', '--batch_size=8']
    return [*FROM_TO, f'--data_dir={machines}', *options]


@pytest.fixture
def configs_of(call, tmp_path, monkeypatch):
    """(TrainConfig, AdaptConfig) that the program makes of its flags; it stops before it touches any data."""
    made = {}

    def stop(*_):
        raise FdxError('configs made')

    monkeypatch.setattr(prepare_on_demand, 'prepare_if_missing', stop)
    for cls in (TrainConfig, AdaptConfig):
        check = cls.__post_init__

        def remember(self, check=check, cls=cls):
            check(self)
            made[cls] = self

        monkeypatch.setattr(cls, '__post_init__', remember)

    def make(*argv: str) -> tuple[TrainConfig, AdaptConfig]:
        made.clear()
        done = call('adapt', *FROM_TO, *argv, f'--workdir={tmp_path}')
        assert done.error == 'error: configs made'
        return made[TrainConfig], made[AdaptConfig]

    return make


def test_defaults(configs_of):
    config, plan = configs_of()
    assert plan == AdaptConfig(*(flag.partition('=')[2] for flag in FROM_TO))
    assert config == TrainConfig(
        dataset='bearing_rig/machines_small',
        model='cnn_small',
        epochs=60,
        batch_size=32,
        learning_rate=1e-3,
        halve_every=0,
        l2=0.0,
        dropout_rate=0.0,
    )


# Field of AdaptConfig -> (flags, value).
PLANNED = {
    'method': (['--method=cdan_e'], 'cdan_e'),
    'target_protocol': (['--target_protocol=by_recording'], 'by_recording'),
    'target_fold': (['--target_fold=2'], 2),
    'feature': (['--feature=stage3'], 'stage3'),
    'weight': (['--weight=0.5'], 0.5),
    'select_by': (['--select_by=dev'], 'dev'),
    'radius': (['--radius=0.2', '--method=dirt_t'], 0.2),
    'warm_up': (['--warm_up=0.25'], 0.25),
    'schedule': (['--schedule=constant'], 'constant'),
    'patience': (['--patience=5'], 5),
    'classes': (['--classes=normal,inner_race'], ('normal', 'inner_race')),
    'score_all_target': (['--score_all_target', '--method=source_only'], True),
    'auto': (['--auto'], True),
    'sets': (['--sets=partial'], 'partial'),
    'exclude_source_classes': (['--exclude_source_classes=ball'], ('ball',)),
    'exclude_target_classes': (['--exclude_target_classes=ball'], ('ball',)),
}
TRAINED = {
    'fold': (['--fold=3'], 3),
    'protocol': (['--protocol=by_recording'], 'by_recording'),
    'label_key': (['--label_key=fault_type'], 'fault_type'),
    'labels_per_class': (['--labels_per_class=5'], 5),
    'freeze': (['--freeze=head'], 'head'),
    'clip_norm': (['--clip_norm=1.5'], 1.5),
    'exclude_recordings': (['--exclude_recordings=a,b'], ('a', 'b')),
    'dropout_rate': (['--dropout_rate=0.25'], 0.25),
    'train_norms': (['--train_norms', '--freeze=head'], True),
    'seed': (['--seed=42'], 42),
}


def test_every_flag_reaches_its_field(configs_of):
    assert sorted(PLANNED) == sorted({f.name for f in dataclasses.fields(AdaptConfig)} - {'source', 'target'})
    default_config, default_plan = configs_of()
    for cases, i, default in ((TRAINED, 0, default_config), (PLANNED, 1, default_plan)):
        for name, (flags, value) in cases.items():
            found = getattr(configs_of(*flags)[i], name)
            assert (found, type(found)) == (value, type(getattr(default, name))), name
            assert found != getattr(default, name), name


def test_choosing_an_epoch_is_the_plans_alone(configs_of):
    config, plan = configs_of('--select_by=entropy')
    assert (config.select_by, plan.select_by) == ('loss', 'entropy')


@pytest.mark.parametrize(
    ('flags', 'value'),
    [
        (['--score_all_target=False'], False),
        (['--noscore_all_target'], False),
        (['--score_all_target=True'], True),
        (['--score_all_target'], True),
    ],
)
def test_booleans_are_read_as_such(configs_of, flags, value):
    assert configs_of(*flags, '--method=source_only')[1].score_all_target is value


@pytest.mark.parametrize(
    ('flags', 'message'),
    [
        (['--weight=2', '--method=source_only'], '--weight=2.0: --method=source_only'),
        (['--radius=0.5', '--method=mcc'], '--radius=0.5: --method=mcc ... dirt_t'),
        (['--score_all_target', '--method=dann'], '--score_all_target: dann ... target'),
        (['--weight=nan'], '--weight=nan: a finite number'),
        (['--weight=-1'], '--weight=-1.0'),
        (['--fold=-1'], '--fold=-1: ... source'),
        (['--target_fold=9'], 'fold 9: ... time_blocks ... 0 to 4'),
        (['--target_protocol=by_luck'], "protocol 'by_luck'"),
        (['--seeds=0'], '--seeds=0 with --seed=0: at least 1'),
        (['--seed=2147483647', '--seeds=2'], '--seeds=2 with --seed=2147483647'),
        (['--halve_every=2'], '--halve_every=2: ... learning rate'),
        (
            ['--source=bearing_rig/machines_small:rig_x'],
            '--source: bearing_rig/machines_small:2.0.0 ... rig_x; ... rig_a',
        ),
        (['--target=bearing_rig/machines_small:rig_x'], 'rig_a, rig_b, rig_c'),
        (['--target=bearing_rig/machines_small'], 'source and target: ... other domains'),
        (
            ['--target=bearing_rig/machines_small:rig_b:rig_c'],
            '--target=bearing_rig/machines_small:rig_b:rig_c: ... builder/config',
        ),
        (
            ['--target=bearing_rig/absent'],
            '--target=bearing_rig/absent: ... small, ',
        ),
        (['--source=nowhere/absent'], '--source=nowhere/absent: ... datasets/nowhere'),
        (['--target=bearing_rig/rig_a_small-musicnn'], 'choose ... the same front end'),
        (['--feature=elbow'], '--feature=elbow: ... stage1, stage2, stage3, bottleneck, embedding, head'),
        (['--freeze=head'], '--freeze=head ... --feature=embedding ... --method=dann'),
        (
            ['--freeze=head', '--method=mcc', '--feature=stage2', '--cache_features=on'],
            '--cache_features=on ... --feature ... stage2 ... frozen',
        ),
        (['--exclude_recordings=x7'], '--exclude_recordings ... x7, ... source ... target'),
        (['--cache_features=on'], '--cache_features=on ... frozen'),
    ],
)
def test_what_cannot_be_or_would_have_no_effect_is_refused(says, call, args, tmp_path, flags, message):
    done = call('adapt', *args, f'--workdir={tmp_path / "new"}', *flags)
    assert done.code == 1
    assert says(done.error, message)
    assert not (tmp_path / 'new' / 'report.html').exists()


@pytest.mark.parametrize('flag', ['--dataset=cwru/faults_12k', '--imbalance=1:20'])
def test_flags_that_mean_nothing_here_do_not_exist(call, args, tmp_path, flag):
    done = call('adapt', *args, flag, f'--workdir={tmp_path / "new"}')
    assert done.code == 1
    assert f"Unknown command line flag '{flag[2:].partition('=')[0]}'" in done.err


def test_a_criterion_of_training_and_an_unknown_method_are_refused(call, args, tmp_path):
    for flag, known in (
        ('--select_by=macro_f1', 'source_risk|dev|snd|entropy'),
        ('--method=magic', 'source_only'),
    ):
        done = call('adapt', *args, flag, f'--workdir={tmp_path / "new"}')
        assert done.code == 1
        assert f'flag {flag}' in done.err and known in done.err


def test_help_teaches(call):
    done = call('adapt', '--help')
    before, _, listed = done.out.partition('flags:')
    assert before.count('python -m launch.adapt') == 6
    assert '--target_protocol=by_recording' in before
    section = listed.partition('Try --helpfull')[0]
    parts = re.split(r'^  --(?:\[no\])?(\w+):\s', section, flags=re.MULTILINE)
    texts = dict(zip(parts[1::2], parts[2::2]))
    fields = {f.name for cls in (AdaptConfig, TrainConfig) for f in dataclasses.fields(cls)} | set(OWN)
    left_out = {'dataset', 'model_options', 'balance', 'imbalance', 'synthetic', 'threshold'}
    own = {'model_option', 'seeds', 'workdir', 'manual_dir', *NAMES, *FORMAT_FLAGS}
    assert set(texts) == fields - left_out | own
    assert 'without labels of the target' in ' '.join(texts['select_by'].split())
    documented = ' '.join(AdaptConfig.__doc__.split())
    for name in PLANNED:
        shown = ' '.join(texts[name].split()).partition(' (default')[0].split('>: ')[-1]
        assert f'{name}: {shown}' in documented, name


def test_source_and_target_are_needed(call, tmp_path):
    done = call('adapt', f'--workdir={tmp_path}')
    assert done.code == 1
    assert 'Flag --target must have a value other than None' in done.err
    done = call('adapt', '--target=a/b', f'--workdir={tmp_path}')
    assert 'Exactly one of (source, checkpoint) must have a value other than None' in done.err
