"""launch.benchmark: cells that stay, a page, and what it refuses."""

from __future__ import annotations

import dataclasses
import json

import pytest

from fdx.benchmarks import adaptation_suite, pretraining_suite
from fdx.benchmarks.adaptation_suite import Input, Pair, Suite
from fdx.benchmarks.pretraining_suite import TASKS


@pytest.fixture
def small_suite(monkeypatch):
    """One task on the tiny rig in place of those of the suite."""
    task = dataclasses.replace(
        TASKS[0], name='tiny', dataset='bearing_rig/rig_b_small', protocol='time_blocks', shots=(1, 0), words='tiny rig'
    )
    task = dataclasses.replace(task, fine_tuned=1)
    monkeypatch.setattr(pretraining_suite, 'TASKS', (task,))
    monkeypatch.setitem(pretraining_suite.FINE_TUNING, 'epochs', 1)
    monkeypatch.setitem(pretraining_suite.FINE_TUNING, 'batch_size', 2)


def test_a_page_out_of_cells_that_are_computed_once(call, data_dir, small_suite, music_cache, tmp_path, monkeypatch):
    monkeypatch.setenv('FDX_CACHE', str(music_cache))
    command = ['benchmark', f'--data_dir={data_dir}', '--networks=musicnn_vgg untrained,musicnn_mtt', '--tasks=tiny']
    command += [
        '--seeds=2',
        '--draws=2',
        f'--workdir={tmp_path / "work"}',
        '--nofine_tune',
    ]
    done = call(*command)
    assert done.code == 0, done.err
    results = json.loads((tmp_path / 'work' / 'pages' / 'pretraining.json').read_text())
    rows = {row['network']: row for row in results['tasks'][0]['rows']}
    assert set(rows) >= {'log_mel of musicnn', 'musicnn_vgg untrained', 'musicnn_mtt'}
    # Untrained networks differ with the seed even where all labels are there; others do not.
    one, everything = rows['musicnn_vgg untrained']['cells']
    assert (len(one['accuracy']['values']), len(everything['accuracy']['values'])) == (4, 2)
    one, everything = rows['musicnn_mtt']['cells']
    assert (len(one['accuracy']['values']), len(everything['accuracy']['values'])) == (4, 1)
    cells = sorted((tmp_path / 'work' / 'cells').rglob('*.json'))
    assert len(cells) == 4
    stamps = [path.stat().st_mtime_ns for path in cells]
    page = (tmp_path / 'work' / 'pages' / 'pretraining.md').read_text()
    again = call(*command)
    assert again.code == 0, again.err
    assert [path.stat().st_mtime_ns for path in cells] == stamps
    assert (tmp_path / 'work' / 'pages' / 'pretraining.md').read_text() == page
    call_of_page = (
        "launch.benchmark --suite=pretraining --seeds=2 --draws=2 --tasks=tiny '--networks=musicnn_vgg untrained"
    )
    assert f"{call_of_page},musicnn_mtt' --nofine_tune`" in page
    # A page of other tasks is kept, so one that cannot be read is not written over.
    (tmp_path / 'work' / 'pages' / 'pretraining.json').write_text('[]')
    refused = call(*command)
    assert refused.code == 1
    assert 'pretraining.json: not what' in refused.err
    assert (tmp_path / 'work' / 'pages' / 'pretraining.md').read_text() == page
    (tmp_path / 'work' / 'pages' / 'pretraining.json').unlink()
    assert call(*command, '--draws=3').code == 0
    assert all(path.stat().st_mtime_ns > stamp for path, stamp in zip(cells, stamps))


def test_whole_networks_are_fine_tuned_once_and_stand_beside(call, data_dir, small_suite, tmp_path):
    command = ['benchmark', f'--data_dir={data_dir}', '--networks=musicnn_vgg untrained', '--tasks=tiny', '--seeds=1']
    command += ['--draws=1', f'--workdir={tmp_path / "work"}']
    done = call(*command)
    assert done.code == 0, done.err
    results = json.loads((tmp_path / 'work' / 'pages' / 'pretraining.json').read_text())
    row = next(r for r in results['tasks'][0]['rows'] if r['network'] == 'musicnn_vgg untrained')
    run = tmp_path / 'work' / 'fine_tuned' / 'tiny' / 'musicnn_vgg_untrained' / 'seed_0'
    meta = json.loads((run / 'score.json').read_text())['meta']
    assert (meta['config']['labels_per_class'], meta['config']['freeze'], meta['splits']['train']) == (1, 'none', 3)
    assert len(row['fine_tuned']['accuracy']['values']) == 1
    page = (tmp_path / 'work' / 'pages' / 'pretraining.md').read_text()
    assert '| fine-tuned, 1 a class | seconds |' in page
    assert f'| {100 * row["fine_tuned"]["accuracy"]["mean"]:.1f} |' in page
    assert call(*command).code == 0
    assert (tmp_path / 'work' / 'pages' / 'pretraining.md').read_text() == page


@pytest.fixture
def tiny_suites(monkeypatch):
    """Two tiny rigs in place of a suite's machines; `stays` is learned from the source alone, `turns` rotates folds."""
    pair = Pair('b -> a', 'bearing_rig/rig_b_small{}', 'bearing_rig/rig_a_small{}')
    options = {'width_multiplier': 0.125}
    for name in ('mean', 'stays'):
        monkeypatch.setitem(adaptation_suite.INPUTS, name, Input(name, 'vggish', 'band_mlp', options, 'a tiny rig'))
    tiny = Suite('tiny', 'One machine to another, in small', 'label', (pair,), ('mean', 'stays'), ('mean',), epochs=4)
    turns = dataclasses.replace(tiny, name='turns', pairs=(dataclasses.replace(pair, rotates=True),))
    for suite in (tiny, turns):
        monkeypatch.setitem(adaptation_suite.SUITES, suite.name, suite)


def test_a_page_of_adaptation_out_of_cells_that_are_trained_once(call, data_dir, tiny_suites, tmp_path):
    where = [f'--data_dir={data_dir}', f'--workdir={tmp_path / "work"}']
    # A method that is named twice is run and counted once.
    command = ['benchmark', '--suite=tiny', '--methods=source_only,coral,coral', '--seeds=1', *where]
    done = call(*command)
    assert done.code == 0, done.err
    # Only --publish writes elsewhere; without it the program says how.
    assert f'page: {tmp_path / "work" / "pages" / "tiny.md"}' in done.out
    assert done.out.strip().endswith('To publish it as docs/benchmarks/tiny.md, give the same command with --publish.')
    rows = json.loads((tmp_path / 'work' / 'pages' / 'tiny.json').read_text())['rows']
    found = [(row['input'], row['method']) for row in rows]
    assert found == [('mean', 'source_only'), ('mean', 'coral'), ('stays', 'source_only')]
    accuracy = rows[1]['accuracy']
    line = f'tiny, mean, b -> a, coral, seed 0: {100 * accuracy["source_risk"][0]:.1f} % by source_risk, '
    assert f'[2/3] {line}{100 * accuracy["last"][0]:.1f} % last, ' in done.out
    page = (tmp_path / 'work' / 'pages' / 'tiny.md').read_text()
    assert 'Made by `python -m launch.benchmark --suite=tiny --seeds=1 --methods=source_only,coral,coral`' in page
    cells = sorted((tmp_path / 'work' / 'cells').rglob('*.json'))
    stamps = [path.stat().st_mtime_ns for path in cells]
    assert len(cells) == 3
    again = call(*command)
    assert again.code == 0, again.err
    assert '[2/3]' not in again.out
    assert [path.stat().st_mtime_ns for path in cells] == stamps
    assert (tmp_path / 'work' / 'pages' / 'tiny.md').read_text() == page
    out = tmp_path / 'out'
    published = call(*command, '--publish', f'--out={out}')
    assert published.code == 0, published.err
    assert published.out.strip().endswith(f'published: {out / "tiny.md"}')
    assert (out / 'tiny.md').read_text() == page
    # Here, one input and one method: the cells that are there are kept, and so is the published page.
    less_command = ['benchmark', '--suite=tiny', '--inputs=mean', '--methods=coral', '--seeds=1', *where]
    less = call(*less_command)
    assert less.code == 0, less.err
    fewer = json.loads((tmp_path / 'work' / 'pages' / 'tiny.json').read_text())['rows']
    assert {row['method'] for row in fewer} == {'coral'}
    refused = call(*less_command, '--publish', f'--out={out}')
    assert refused.code == 1
    assert '2 figures' in refused.error and 'source_only' in refused.error and 'remove' in refused.error
    assert (out / 'tiny.md').read_text() == page
    assert [path.stat().st_mtime_ns for path in cells] == stamps


@pytest.mark.parametrize(
    ('flags', 'message'),
    [
        (('--tasks=cwru',), '--tasks=cwru: there are '),
        (('--networks=vggish',), '--networks=vggish: there are '),
        (('--seeds=0',), '--seeds=0: at least 1'),
        (('--out=docs',), '--out=docs ... add --publish'),
        (('--suite=rigs', '--seeds=0'), '--seeds=0: at least 1'),
        # Flags of the other kind of suite, even with their default values.
        (('--methods=mcc',), '--methods ... --suite=pretraining: ... leave it out'),
        (('--inputs=mel', '--methods=mcc'), '--inputs, --methods ... --suite=pretraining'),
        (('--suite=loads', '--draws=20'), '--draws ... --suite=loads: ... leave it out'),
        (('--suite=rigs', '--nofine_tune'), '--fine_tune ... --suite=rigs'),
        (
            ('--suite=machines', '--tasks=cwru_loads', '--networks=musicnn_mtt'),
            '--networks, --tasks ... =machines',
        ),
        # Names that do not exist, or not there.
        (('--suite=loads', '--methods=mcc,dan'), '--methods=mcc,dan: ... source_only, adabn, '),
        (('--suite=loads', '--methods='), '--methods=: ... source_only, adabn, '),
        (('--suite=loads', '--inputs=mels'), '--inputs=mels: --suite=loads ... mel, time'),
        (('--suite=loads', '--inputs='), '--inputs=: --suite=loads ... mel, time'),
        (('--suite=loads', '--inputs=mel,fault_orders'), '--inputs=mel,fault_orders: --suite=loads ... mel, time'),
        (('--suite=rigs', '--inputs=time'), '--inputs=time: --suite=rigs ... fault_orders, mel'),
        # What would be left out in silence.
        (
            ('--suite=tiny', '--inputs=mean,stays', '--methods=coral'),
            '--inputs=mean,stays: --suite=tiny ... stays ... source alone: ... add source_only',
        ),
        (('--suite=turns', '--seeds=6'), '--seeds=6: --suite=turns ... fold ... 5'),
    ],
)
def test_flags_that_cannot_be(says, call, tiny_suites, tmp_path, flags, message):
    done = call(
        'benchmark',
        f'--workdir={tmp_path / "new"}',
        f'--data_dir={tmp_path / "data"}',
        *flags,
    )
    assert done.code == 1
    assert says(done.error, message)
    assert list(tmp_path.iterdir()) == []


def test_a_suite_that_does_not_exist(call):
    done = call('benchmark', '--suite=planets')
    assert done.code == 1
    suites = 'pretraining|imbalance|own_machine|unseen|health|loads|machines|rigs|generalise'
    assert f'flag --suite=planets: value should be one of <{suites}>' in done.err
