"""launch.compare --front_ends, slim: configs found and prepared, a folder each, one report, nothing done twice."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fdx.benchmarks import compare_runs as comparison_runs
from fdx.data.source import open_dataset
from fdx.train.checkpoints import Checkpoints

FRONT_ENDS, STRATEGIES, PROTOCOLS = ('vggish', 'vggish_train'), ('head', 'scratch'), ('time_blocks',)
SUFFIX = {'vggish': '', 'vggish_train': '-vggish_train'}


@pytest.fixture(scope='module')
def args(rig, tmp_path_factory):
    """Nothing is prepared in their data folder."""
    return [
        f'--data_dir={tmp_path_factory.mktemp("fresh")}',
        '--model=vggish',
        f'--model_option=width_multiplier={rig.WIDTH}',
        '--model_option=head_input=embedding_linear',
        '--strategies=head,scratch',
        '--protocols=time_blocks',
        '--seeds=1',
        '--epochs=1',
        '--batch_size=4',
        '--learning_rate=0.02',
        '--pretrain_dataset=bearing_rig/rig_a_small',
    ]


@pytest.fixture(scope='module')
def done(call, rig, args, tmp_path_factory):
    """(workdir, command, what the program left)."""
    workdir = tmp_path_factory.mktemp('runs') / 'front_ends'
    command = ['compare', *args, '--dataset=bearing_rig/rig_b_small', f'--front_ends={",".join(FRONT_ENDS)}']
    command.append(f'--workdir={workdir}')
    with rig.small_bearing_rig():
        left = call(*command)
    assert left.code == 0, left.err
    return workdir, command, left


@pytest.fixture(scope='module')
def results(done):
    return json.loads((done[0] / 'comparison.json').read_text())


def test_every_front_end_has_its_folder_with_runs_of_its_own_data(done):
    workdir = done[0]
    for front_end in FRONT_ENDS:
        config = f'rig_b_small{SUFFIX[front_end]}'
        for protocol in PROTOCOLS:
            for strategy in STRATEGIES:
                run = workdir / front_end / protocol / strategy / 'seed_0' / 'fold_0'
                score = json.loads((run / 'score.json').read_text())
                assert score['meta']['dataset']['name'] == f'bearing_rig/{config}:2.0.0'
                assert score['meta']['front_end']['name'] == front_end
                pretrained = f'{workdir}/{front_end}/pretrain step'
                assert score['meta']['init'].startswith(pretrained if strategy == 'head' else 'random')
        source = Checkpoints(workdir / front_end / 'pretrain')
        name = source.meta(source.best_step())['dataset']['name']
        assert name == f'bearing_rig/rig_a_small{SUFFIX[front_end]}:2.0.0'


def test_the_budget_is_one(done):
    configs = [json.loads(path.read_text())['meta']['config'] for path in done[0].glob('*/*_*/head/*/*/score.json')]
    assert len(configs) == 2
    own = ('dataset', 'init', 'protocol')
    rest = [{k: v for k, v in config.items() if k not in own} for config in configs]
    assert all(config == rest[0] for config in rest)
    assert rest[0]['epochs'] == 1


def test_numbers_and_differences_are_those_of_the_predictions(done, results, args):
    workdir, _, left = done
    assert results['dataset'] == 'bearing_rig/rig_b_small:2.0.0'
    dataset = open_dataset('bearing_rig/rig_b_small', args[0].partition('=')[2])
    for i, (part, name) in enumerate(zip(results['front_ends'], FRONT_ENDS, strict=True)):
        assert part['front_end']['name'] == name
        assert (part['image'], part['window_samples']) == ([96, 64, 1], dataset.table.window_length)
        assert part['window_s'] == pytest.approx(0.975, abs=0.001)
        assert [p['protocol'] for p in part['protocols']] == list(PROTOCOLS)
        for summary, of_protocol in zip(results['summary'], part['protocols'], strict=True):
            for strategy in STRATEGIES:
                right = {}
                for front_end in FRONT_ENDS:
                    run = workdir / front_end / summary['protocol'] / strategy / 'seed_0' / 'fold_0'
                    with np.load(run / 'predictions.npz') as file:
                        right[front_end] = np.mean(file['labels'] == file['probabilities'].argmax(axis=1))
                assert of_protocol['strategies'][strategy]['accuracy']['mean'] == pytest.approx(right[name])
                row = summary['rows'][2 * STRATEGIES.index(strategy) + i]
                assert (row['strategy'], row['front_end'], row['windows']) == (strategy, name, of_protocol['windows'])
                gain = None if i == 0 else {'mean': right[name] - right['vggish'], 'standard_deviation': None}
                assert row['difference'] == (gain and pytest.approx(gain))
    assert left.out.count('== vggish: images of 96 x 64 x 1') == 1
    at = left.out.index('== front ends, time_blocks (does not leak)')
    words = next(line for line in left.out[at:].splitlines() if 'vggish_train' in line).split()
    gain = 100 * results['summary'][0]['rows'][1]['difference']['mean']
    assert words[:6] == ['head', 'vggish_train', '96', 'x', '64', 'x'] and f'{gain:+.1f}' in words


def test_the_report_has_both(done):
    workdir = done[0]
    page = (workdir / 'report.html').read_text()
    assert 'What each front end costs against vggish<' in page
    assert page.count('src="data:image/png;base64,') == 4
    for front_end in FRONT_ENDS:
        assert f'<h1 class="front_end" id="{front_end}">' in page
        assert (workdir / front_end / 'confusion_time_blocks.png').is_file()


def test_a_finished_one_trains_nothing_and_gives_the_same(call, done, monkeypatch):
    workdir, command, left = done
    assert [f'[{i}/4 {f}]' in left.out for i, f in ((2, 'vggish'), (3, 'vggish_train'))] == [True, True]
    before = (workdir / 'comparison.json').read_text()
    monkeypatch.setattr(comparison_runs, 'train', None)
    monkeypatch.setattr(comparison_runs, 'score_run', None)
    again = call(*command)
    assert again.code == 0, again.err
    assert again.out.count('finished before') == 6
    assert (workdir / 'comparison.json').read_text() == before


def test_one_front_end_is_the_plain_comparison_on_its_config(call, done, monkeypatch):
    """The folder of a front end is a workdir of its own: what was trained there is found, and written as without."""
    workdir, command, _ = done
    monkeypatch.setattr(comparison_runs, 'train', None)
    own = [a for a in command if not a.startswith(('--front_ends', '--workdir'))]
    one = call(*own, '--front_ends=vggish_train', f'--workdir={workdir / "vggish_train"}')
    assert one.code == 0, one.err
    assert one.out.count('finished before') == 3 and '[2/2] time_blocks scratch' in one.out
    found = json.loads((workdir / 'vggish_train' / 'comparison.json').read_text())
    assert found['dataset'] == 'bearing_rig/rig_b_small-vggish_train:2.0.0'
    assert 'front_ends' not in found and 'image' not in found
    assert (workdir / 'vggish_train' / 'loss_time_blocks.png').is_file()


def test_a_front_end_that_the_model_cannot_take_is_refused_before_anything_is_trained(call, rig, args, tmp_path):
    with rig.small_bearing_rig():
        left = call(
            *('compare', *args, '--dataset=bearing_rig/rig_b_small', '--front_ends=vggish,multi_resolution_mel'),
            f'--workdir={tmp_path / "new"}',
        )
    assert left.code == 1
    assert "model 'vggish' takes examples of" in left.error and 'multi_resolution_mel' in left.out
    assert not (tmp_path / 'new').exists()
