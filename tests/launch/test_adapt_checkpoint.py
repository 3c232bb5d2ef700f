"""launch.adapt --checkpoint: a finished run, unlabelled windows, a table and a checkpoint that other programs take."""

from __future__ import annotations

import json
import pathlib

import pytest

from fdx.adapt.source_free.config import SourceFreeConfig
from fdx.data.source import open_dataset
from fdx.train.model_setup import load_run
from launch import adapt_checkpoint

DATASET = 'bearing_rig/machines_small'
TARGET = f'--target={DATASET}:rig_b'


@pytest.fixture(scope='module')
def machines(rig, tmp_path_factory) -> pathlib.Path:
    """Three machines, each a domain, in small."""
    folder = tmp_path_factory.mktemp('machines')
    rig.prepare(folder, 'machines_small')
    return folder


@pytest.fixture(scope='module')
def source(call, machines, tmp_path_factory) -> pathlib.Path:
    """A small network with norms, trained on rig_a."""
    table, workdir = open_dataset(DATASET, machines).table, tmp_path_factory.mktemp('runs') / 'source'
    others = ','.join(sorted(set(table['recording'][table['domain'] != 'rig_a'].tolist())))
    options = ['--model=cnn_small', '--model_option=width_multiplier=0.125', '--epochs=1', '--batch_size=8']
    where = [f'--dataset={DATASET}', f'--data_dir={machines}', f'--workdir={workdir}']
    done = call('train', *where, *options, f'--exclude_recordings={others}')
    assert done.code == 0, done.err
    return workdir


@pytest.fixture(scope='module')
def args(source, machines) -> list[str]:
    return [f'--checkpoint={source}', TARGET, f'--data_dir={machines}']


@pytest.fixture(scope='module')
def shot(call, args, tmp_path_factory):
    """(workdir, what the program left)."""
    workdir = tmp_path_factory.mktemp('runs') / 'shot'
    done = call('adapt', *args, '--epochs=2', '--batch_size=8', f'--workdir={workdir}')
    assert done.code == 0, done.err
    return workdir, done


def test_a_table_and_what_it_stands_on(shot, source, says):
    workdir, done = shot
    results = json.loads((workdir / 'results.json').read_text())
    assert (results['method'], results['checkpoint']) == ('shot', str(source))
    assert results['windows'] == {'seen': 18, 'scored': 6, 'test': 6}
    lines = done.out.splitlines()
    epochs = [line for line in lines if line.startswith('epoch ')]
    assert len(epochs) == 2
    for line, row in zip(epochs, results['history'], strict=True):
        assert f'entropy {row["entropy"]:.4f}  infomax {row["infomax"]:.4f}' in line and 'accuracy' not in line
    for name in ('before', 'after'):
        line = next(text for text in lines if text.startswith(name))
        found = results[name]
        assert says(line, f'{found["entropy"]:.3f} ... {100 * found["score"]["accuracy"]:.1f}')
        assert found['score']['windows'] == 6
    last = results['history'][-1]
    assert results['after']['score']['accuracy'] == last['oracle_target_accuracy']
    assert results['after']['entropy'] == last['entropy']
    assert 'were seen without labels' in done.out and lines[-1] == f'results: {workdir}/results.json'


def test_other_programs_take_the_checkpoint(call, shot, machines):
    workdir, _ = shot
    done = call('evaluate', f'--checkpoint={workdir}')
    assert done.code == 0, done.err
    results = json.loads((workdir / 'evaluation' / 'results.json').read_text())
    adapted = json.loads((workdir / 'results.json').read_text())
    assert results['accuracy'] == pytest.approx(adapted['after']['score']['accuracy'])
    assert not results['leaks']


def test_the_same_command_again_trains_nothing(call, args, shot):
    workdir, first = shot
    done = call('adapt', *args, '--epochs=2', '--batch_size=8', f'--workdir={workdir}')
    assert (done.code, 'epoch ' in done.out.partition('network')[0].partition('were seen')[0]) == (0, False)
    assert done.out.splitlines()[-3:-2] == first.out.splitlines()[-3:-2]
    other = call('adapt', *args, '--epochs=2', '--batch_size=8', '--pseudo_weight=0', f'--workdir={workdir}')
    assert 'the workdir holds another adaptation' in other.error and '`pseudo_weight`' not in other.error


def test_norms_only(call, args, source, tmp_path):
    done = call('adapt', *args, '--method=test_time_norms', '--prior_windows=16', f'--workdir={tmp_path}')
    assert done.code == 0, done.err
    assert load_run(tmp_path)[1]['adaptation']['prior_windows'] == 16


@pytest.fixture
def plan_of(call, tmp_path, monkeypatch):
    """The SourceFreeConfig that the program makes of its flags."""
    made = []
    monkeypatch.setattr(adapt_checkpoint, 'prepare_if_missing', lambda name, *_: name)

    def remember(plan, *args, **options):
        made.append(plan)
        raise adapt_checkpoint.ConfigError('plan made')

    monkeypatch.setattr(adapt_checkpoint, 'adapt_checkpoint', remember)

    def make(*argv: str) -> SourceFreeConfig:
        done = call('adapt', '--checkpoint=run', '--target=a/b:c', *argv, f'--workdir={tmp_path}')
        assert done.error == 'error: plan made'
        return made[-1]

    return make


# Field -> (flags, value).
CHANGED = {
    'method': (['--method=tent'], 'tent'),
    'step': (['--step=last'], 'last'),
    'target_protocol': (['--target_protocol=by_recording'], 'by_recording'),
    'target_fold': (['--target_fold=2'], 2),
    'exclude_recordings': (['--exclude_recordings=a,b'], ('a', 'b')),
    'allow_leak': (['--allow_leak'], True),
    'epochs': (['--epochs=7'], 7),
    'batch_size': (['--batch_size=16'], 16),
    'learning_rate': (['--learning_rate=1e-2'], 1e-2),
    'pseudo_weight': (['--pseudo_weight=0.1'], 0.1),
    'prior_windows': (['--prior_windows=16', '--method=test_time_norms'], 16),
    'select_by': (['--select_by=infomax'], 'infomax'),
    'seed': (['--seed=42'], 42),
    'data_dir': (['--data_dir=elsewhere'], 'elsewhere'),
}


def test_every_flag_reaches_its_field_and_the_others_keep_their_own_defaults(plan_of):
    default = plan_of()
    assert default == SourceFreeConfig('run', 'a/b:c', data_dir='data')
    assert sorted(CHANGED) == sorted(set(vars(default)) - {'checkpoint', 'target'})
    for name, (flags, value) in CHANGED.items():
        assert getattr(plan_of(*flags), name) == value != getattr(default, name), name


@pytest.mark.parametrize(
    ('flags', 'message'),
    [
        (['--model=vggish'], '--model goes with --source: ... leave it out'),
        (['--weight=2'], '--weight goes with --source'),
        (['--seeds=3'], '--seeds goes with --source'),
        (['--label_key=fault_type'], '--label_key goes with --source'),
        (['--method=dann'], '--method=dann needs the windows of the source ... shot, tent'),
        (['--select_by=source_risk'], '--select_by=source_risk: ... last, infomax, entropy'),
        (['--prior_windows=3'], '--prior_windows=3 goes with --method=test_time_norms, not shot'),
        (['--epochs=3', '--method=test_time_norms'], '--epochs=3: --method=test_time_norms trains nothing'),
        (['--seed=-1'], '--seed=-1'),
        (['--target_fold=9'], 'fold 9: ... 0 to 4'),
    ],
)
def test_what_cannot_be_or_would_have_no_effect_is_refused(says, call, args, tmp_path, flags, message):
    done = call('adapt', *args, *flags, f'--workdir={tmp_path / "new"}')
    assert done.code == 1
    assert says(done.error, message)
    assert not (tmp_path / 'new' / 'checkpoints').exists()


@pytest.mark.parametrize('flag', ['--method=shot', '--prior_windows=3', '--pseudo_weight=0.1', '--step=last'])
def test_flags_of_a_checkpoint_are_refused_with_a_source(call, tmp_path, flag):
    done = call('adapt', f'--source={DATASET}:rig_a', TARGET, flag, f'--workdir={tmp_path / "new"}')
    assert done.code == 1
    assert flag.partition('=')[0] in done.error and '--checkpoint' in done.error


def test_a_source_and_a_checkpoint_exclude_each_other(call, args, tmp_path):
    done = call('adapt', *args, f'--source={DATASET}:rig_a', f'--workdir={tmp_path / "new"}')
    assert 'Exactly one of (source, checkpoint)' in done.err
