"""launch.benchmark: cells that stay, a page, and what it refuses."""

from __future__ import annotations

import dataclasses
import json

import pytest

from fdx.evaluate import pretraining_suite
from fdx.evaluate.pretraining_suite import TASKS


@pytest.fixture
def small_suite(monkeypatch):
    """One task on the tiny rig in place of those of the suite."""
    task = dataclasses.replace(
        TASKS[0], name='tiny', dataset='bearing_rig/rig_b_small', protocol='time_blocks', shots=(1, 0), words='tiny rig'
    )
    task = dataclasses.replace(task, fine_tuned=1)
    monkeypatch.setattr(pretraining_suite, 'TASKS', (task,))
    monkeypatch.setattr('fdx.evaluate.pretraining_report.TASKS', (task,))
    monkeypatch.setitem(pretraining_suite.FINE_TUNING, 'epochs', 1)
    monkeypatch.setitem(pretraining_suite.FINE_TUNING, 'batch_size', 2)


def test_a_page_out_of_cells_that_are_computed_once(call, data_dir, small_suite, music_cache, tmp_path, monkeypatch):
    monkeypatch.setenv('FDX_CACHE', str(music_cache))
    command = ['benchmark', f'--data_dir={data_dir}', '--networks=musicnn_vgg untrained,musicnn_mtt', '--tasks=tiny']
    command += [
        '--seeds=2',
        '--draws=2',
        f'--workdir={tmp_path / "work"}',
        f'--out={tmp_path / "out"}',
        '--nofine_tune',
    ]
    done = call(*command)
    assert done.code == 0, done.err
    results = json.loads((tmp_path / 'out' / 'pretraining.json').read_text())
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
    page = (tmp_path / 'out' / 'pretraining.md').read_text()
    again = call(*command)
    assert again.code == 0, again.err
    assert [path.stat().st_mtime_ns for path in cells] == stamps
    assert (tmp_path / 'out' / 'pretraining.md').read_text() == page
    assert call(*command, '--draws=3').code == 0
    assert all(path.stat().st_mtime_ns > stamp for path, stamp in zip(cells, stamps))


def test_whole_networks_are_fine_tuned_once_and_stand_beside(call, data_dir, small_suite, tmp_path):
    command = ['benchmark', f'--data_dir={data_dir}', '--networks=musicnn_vgg untrained', '--tasks=tiny', '--seeds=1']
    command += ['--draws=1', f'--workdir={tmp_path / "work"}', f'--out={tmp_path / "out"}']
    done = call(*command)
    assert done.code == 0, done.err
    results = json.loads((tmp_path / 'out' / 'pretraining.json').read_text())
    row = results['tasks'][0]['rows'][1]
    run = tmp_path / 'work' / 'fine_tuned' / 'tiny' / 'musicnn_vgg_untrained' / 'seed_0'
    meta = json.loads((run / 'score.json').read_text())['meta']
    assert (meta['config']['labels_per_class'], meta['config']['freeze'], meta['splits']['train']) == (1, 'none', 3)
    assert len(row['fine_tuned']['accuracy']['values']) == 1
    page = (tmp_path / 'out' / 'pretraining.md').read_text()
    assert '| fine-tuned, 1 a class | seconds |' in page
    assert f'| {100 * row["fine_tuned"]["accuracy"]["mean"]:.1f} |' in page
    assert call(*command).code == 0
    assert (tmp_path / 'out' / 'pretraining.md').read_text() == page


@pytest.mark.parametrize(
    ('flags', 'message'),
    [
        (('--tasks=cwru',), '--tasks=cwru: there are cwru_one_load, cwru_loads'),
        (('--networks=vggish',), '--networks=vggish: there are musicnn_vgg untrained, musicnn_mtt'),
        (('--seeds=0',), '--seeds=0: at least 1'),
    ],
)
def test_flags_that_cannot_be(call, tmp_path, flags, message):
    done = call('benchmark', f'--workdir={tmp_path / "new"}', *flags)
    assert done.code == 1
    assert message in done.error
    assert not (tmp_path / 'new').exists()
