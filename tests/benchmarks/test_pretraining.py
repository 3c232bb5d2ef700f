"""The pretraining benchmark's page: cells over seeds, networks that are not asked, a plot."""

from __future__ import annotations

import itertools
import json

import pytest

from fdx.benchmarks.page import read_page, write_page
from fdx.benchmarks.pretraining_merge import merged
from fdx.benchmarks.pretraining_page import KIND, plot
from fdx.benchmarks.pretraining_results import assemble, cell_of
from fdx.benchmarks.pretraining_suite import FEW_RECORDINGS, IN_DOMAIN, NETWORKS, TASKS, dataset_of, why_not
from fdx.benchmarks.probe import CHOSEN
from fdx.benchmarks.probe_heads import ALL_LABELS
from fdx.benchmarks.recording_vectors import NO_LABELS
from fdx.benchmarks.stage_features import INPUT
from fdx.models.registry import MODELS
from fdx.types import DataError
from fdx.weights.published import PUBLISHED


def spread(*values):
    return {'mean': sum(values) / len(values), 'standard_deviation': None, 'values': list(values)}


def run_of(shots, accuracies, front_end='musicnn', chosen=('stage1', 'stage2'), on='2026-01-02', version='9'):
    """Results of a probe whose stages have the given accuracies, for every number of shots."""
    rows = [
        {'stage': INPUT, 'accuracy': spread(0.5), 'macro_f1': spread(0.4), 'chosen': None},
        *[
            {'stage': s, 'accuracy': spread(0.1), 'macro_f1': spread(0.1), 'chosen': 3 - i}
            for i, s in enumerate(chosen)
        ],
        {'stage': CHOSEN, 'accuracy': spread(*accuracies), 'macro_f1': spread(*accuracies), 'chosen': 5},
    ]
    common = {'protocol': 'time_blocks', 'classes': 10, 'test_windows': 95, 'validation_windows': 95, 'seconds': 12.0}
    return {'front_end': front_end, 'versions': {'fdx': version}, 'backend': 'cpu', 'on': on, **common} | {
        'shots': [{'shots': k, 'draws': 2, 'rows': rows} for k in shots]
    }


@pytest.fixture(scope='module')
def tasks():
    mtt = [run_of((1, ALL_LABELS), (0.9, 0.8)), run_of((1,), (0.6, 0.7), on='2026-01-01')]
    rig = [run_of((1, ALL_LABELS), (0.3, 0.4), front_end='vggish')]
    found = {('cwru_load0', 'musicnn_mtt'): mtt, ('cwru_load0', 'rig_vggish'): rig}
    tuned = [{'accuracy': a, 'macro_f1': a, 'seconds': s} for a, s in ((0.5, 3.0), (0.75, 4.0), (1.0, 999.0))]
    return assemble(found, range(2), 'python -m this', {('cwru_load0', 'rig_vggish'): tuned})['tasks']


def test_cells_hold_all_draws_of_all_seeds_where_a_seed_has_them():
    one, everything = cell_of([run_of((1, ALL_LABELS), (0.9, 0.8)), run_of((1,), (0.6, 0.7))], CHOSEN)
    assert one['accuracy']['values'] == [0.9, 0.8, 0.6, 0.7]
    assert one['accuracy']['mean'] == pytest.approx(0.75)
    assert one['accuracy']['standard_deviation'] == pytest.approx(0.1291, abs=1e-4)
    assert one['chosen'] == {'stage1': 6, 'stage2': 4}
    assert everything['accuracy']['values'] == [0.9, 0.8]
    assert everything['chosen'] == {'stage1': 3, 'stage2': 2}
    assert cell_of([run_of((1,), (0.9,))], INPUT)[0]['accuracy']['values'] == [0.5]
    assert cell_of([run_of((1,), (0.9,))], INPUT)[0]['chosen'] is None


def test_rows_are_the_inputs_then_the_networks_and_who_is_not_asked(tasks):
    (task,) = tasks
    names = [row['network'] for row in task['rows']]
    assert names == [f'{INPUT} of musicnn', f'{INPUT} of vggish', *[network.name for network in NETWORKS]]
    assert [row['network'] for row in task['rows'][2:] if 'cells' in row] == ['musicnn_mtt', 'rig_vggish']
    reasons = {row['network']: row['not_asked'] for row in task['rows'] if 'not_asked' in row}
    assert reasons['motor_resnet50'] == 'takes 3 channel(s), the recordings have 1'
    assert reasons['musicnn_msd'] == 'not run'
    assert [cell['accuracy']['mean'] for cell in task['rows'][0]['cells']] == [0.5, 0.5]
    assert (task['measured']['seeds'], task['measured']['on']) == ([0, 1], ['2026-01-01', '2026-01-02'])


def test_the_page_says_what_was_measured_when_and_how(tasks, tmp_path):
    page = write_page(tmp_path, 'pretraining', {'tasks': tasks}, KIND).read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ['pretraining.json', 'pretraining.md', 'pretraining.png']
    lines = page.splitlines()
    header = (
        '| network | trained on | 1 a class | all a class | stages chosen | seconds | fine-tuned, 5 a class | seconds |'
    )
    assert header in lines
    chosen = 'stage1 60 %, stage2 40 %'
    assert f'| musicnn_mtt | music: MagnaTagATune | 75.0 ± 12.9 | 85.0 ± 7.1 | {chosen} | 12 | not run |  |' in lines
    assert f'| {INPUT} of vggish | no network | 50.0 | 50.0 |  |  |  |  |' in lines
    # The seconds of a network are not those of the one run in which the machine paused.
    assert any(line.startswith('| rig_vggish |') and line.endswith(' | 75.0 ± 25.0 | 4 |') for line in lines)
    for line in lines:
        if line.startswith('|') and '---' not in line:
            assert line.count('|') == header.count('|'), line
    assert 'Measured 2026-01-01, 2026-01-02 by `python -m this`.' in page
    assert lines[-1] == 'fdx 9; cpu.'


def test_tasks_measured_earlier_stay_on_the_page_as_they_were(tasks, tmp_path):
    def measured(name, **how):
        return assemble({(name, 'imagenet_lite0'): [run_of((5, ALL_LABELS), (0.2, 0.4), **how)]}, range(1), 'that')[
            'tasks'
        ]

    assert read_page(tmp_path, 'pretraining', KIND) is None
    write_page(tmp_path, 'pretraining', {'tasks': tasks + measured('rig_machines')}, KIND)
    # Written and read again, in the suite's order; what was asked again is replaced.
    new = measured('rig_machines', on='2026-03-03', version='10') + measured('cwru_loads')
    both = merged(read_page(tmp_path, 'pretraining', KIND), {'tasks': new})
    found = both['tasks']
    assert [task['name'] for task in found] == ['cwru_loads', 'cwru_load0', 'rig_machines']
    assert found[1] == json.loads(json.dumps(tasks[0]))
    assert [task['measured']['on'][-1] for task in found] == ['2026-01-02', '2026-01-02', '2026-03-03']
    page = write_page(tmp_path, 'pretraining', both, KIND).read_text()
    assert page.splitlines()[-2:] == ['- cwru_loads, cwru_load0: fdx 9; cpu.', '- rig_machines: fdx 10; cpu.']


def test_rows_that_were_measured_later_join_their_task_and_say_so(tasks, tmp_path):
    def task_of(*networks, on='2026-03-03', windows=95, accuracy=0.2):
        runs = [run_of((1, ALL_LABELS), (accuracy, accuracy), front_end='scalogram_small', on=on, version='10')]
        found = {('cwru_load0', name): [{**run, 'test_windows': windows} for run in runs] for name in networks}
        return {'tasks': assemble(found, range(1), f'that {on}')['tasks']}

    both = merged({'tasks': tasks}, task_of('vgg16_hed', windows=380))
    # The next call measures two networks, one of them anew; all older rows stay as they were.
    both = merged(both, task_of('vgg16_hed', 'rig_resnet50', on='2026-04-04', windows=380, accuracy=0.3))
    (task,) = both['tasks']
    rows = {row['network']: row for row in task['rows']}
    assert all(rows[row['network']] == row for row in tasks[0]['rows'] if 'cells' in row)
    assert [rows[n]['measured']['on'] for n in ('vgg16_hed', 'rig_resnet50')] == [['2026-04-04']] * 2
    assert rows['vgg16_hed']['cells'][0]['accuracy']['values'] == [0.3, 0.3]
    assert rows['vgg16_hed']['test_windows'] == 380 and 'test_windows' not in rows['musicnn_mtt']
    assert rows['musicnn_msd']['not_asked'] == 'not run'
    assert [row['network'] for row in task['rows']][-len(NETWORKS) :] == [network.name for network in NETWORKS]
    assert (task['measured'], task['test_windows'], task['fine_tuned']) == (tasks[0]['measured'], 95, 5)
    page = write_page(tmp_path, 'pretraining', both, KIND).read_text()
    later = '`image of scalogram_small`, `vgg16_hed`, `rig_resnet50`'
    assert f'by `python -m this`. {later}: measured 2026-04-04 by `that 2026-04-04` (fdx 10).' in page
    assert 'recordings: `image of scalogram_small`, ' in page and '380 test windows of `scalogram_small`.' in page
    # A page with all rows of an older one takes its place.
    assert merged(task_of('vgg16_hed'), both)['tasks'] == both['tasks']


def test_a_task_of_recordings_reports_balanced_accuracy_and_what_needs_no_labels(tmp_path):
    def run(front_end, stages):
        score = {'balanced_accuracy': spread(0.25, 0.75), 'macro_f1': spread(0.5, 0.5)}
        rows = [{'stage': stage, 'chosen': None, **score} for stage in stages]
        rows += [{'stage': 'read', 'chosen': 2, **score}, {'stage': CHOSEN, 'chosen': 2, **score}]
        facts = {'protocol': FEW_RECORDINGS, 'classes': 3, 'recordings': {'normal': 3, 'inner_race': 9}, 'seconds': 1.0}
        shots = [{'shots': k, 'draws': 2, 'rows': rows} for k in (1, 2, 5)]
        return {**facts, 'front_end': front_end, 'versions': {'fdx': '9'}, 'backend': 'cpu', 'on': 'today'} | {
            'shots': shots
        }

    found = {
        ('unseen_machine_hit', 'fault_orders linear'): [run('fault_orders', (INPUT,))],
        ('unseen_machine_hit', 'universal_judge'): [run('fault_orders', (INPUT, NO_LABELS))],
    }
    data = {'tasks': assemble(found, range(1), 'this')['tasks']}
    names = [row['network'] for row in data['tasks'][0]['rows'] if 'cells' in row]
    assert names == ['evidence linear', 'universal_judge no labels', 'fault_orders linear', 'universal_judge']
    page = write_page(tmp_path, 'pretraining', data, KIND).read_text()
    assert '12 recordings (3 normal, 9 inner_race). Measured today by `this`.' in page
    assert '| fault_orders linear | no network | 50.0 ± 35.4 | 50.0 ± 35.4 | 50.0 ± 35.4 |  | 1 |' in page
    assert '| universal_judge | simulated machines: bearing_machines | 50.0 ± 35.4 |' in page
    assert 'Balanced accuracy over recordings in percent (chance is 33).' in page
    assert len(KIND.measured(data)) == 4 * 3 * 2


@pytest.mark.parametrize('text', ['{', '[]', '{"tasks": [{"name": "cwru_loads"}]}', '{"tasks": 3}'])
def test_a_page_that_cannot_be_read_is_an_error(text, tmp_path):
    (tmp_path / 'pretraining.json').write_text(text)
    with pytest.raises(DataError, match=r'pretraining\.json: not what .* remove it'):
        read_page(tmp_path, 'pretraining', KIND)


def test_the_plot_has_a_panel_a_task_and_a_line_a_network(tasks):
    (axes,) = plot({'tasks': tasks}).axes
    labels = axes.get_legend_handles_labels()[1]
    assert labels == [f'{INPUT} of musicnn', f'{INPUT} of vggish', 'musicnn_mtt', 'rig_vggish']
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ['1', 'all']


def test_every_pair_that_is_asked_names_a_config_and_weights_that_exist():
    from fdx.datasets.bearing_rig.bearing_rig_dataset_builder import Builder as Bearing
    from fdx.datasets.cwru.cwru_dataset_builder import Builder as Cwru
    from fdx.datasets.motor_rig.motor_rig_dataset_builder import Builder as Motor

    known = {
        f'{name}/{config.name}'
        for name, builder in (('bearing_rig', Bearing), ('cwru', Cwru), ('motor_rig', Motor))
        for config in builder.BUILDER_CONFIGS
    }
    asked = [(t, n) for t, n in itertools.product(TASKS, NETWORKS) if why_not(t, n) is None]
    assert {dataset_of(t, n) for t, n in asked if t.protocol != FEW_RECORDINGS} <= known
    assert {t.name for t, _ in asked} == {t.name for t in TASKS}
    assert {n.name for _, n in asked} == {n.name for n in NETWORKS}
    for network in (n for n in NETWORKS if n.can_be_trained):
        assert network.init == 'random' or network.init in PUBLISHED or IN_DOMAIN[network.init][0] == network.model
        assert network.model in MODELS
    refused = {(t.name, n.name): why_not(t, n) for t, n in itertools.product(TASKS, NETWORKS)}
    assert refused['rig_machines', 'rig_vggish'] == 'was trained on recordings of this task'
    orders = next(n for n in NETWORKS if n.name == 'fault_orders linear')
    found = {t.name: dataset_of(t, orders) for t in TASKS if why_not(t, orders) is None}
    # Ten turns of the slowest shaft need the longer recordings.
    assert found['rig_machines'] == 'bearing_rig/machines_long-fault_orders'
    assert (found['cwru_loads'], found['unseen_machine_hit']) == ('cwru/faults_12k-fault_orders', '')
    assert refused['motor_rig', 'musicnn_mtt'] == 'takes 1 channel(s), the recordings have 3'
