"""The benchmark `unseen`: machines, folds, scores, cells that are run once, and the page."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from fdx.benchmarks import unseen_machines, unseen_page, unseen_run, unseen_suite
from fdx.benchmarks.grid import Call
from fdx.benchmarks.page import publish, read_page
from fdx.benchmarks.unseen_machines import Found, Machine, others_of, read_machines
from fdx.benchmarks.unseen_scores import balanced_interval, rows_of, score
from fdx.benchmarks.unseen_suite import QUESTIONS, Task, bearing_folds, cells, seeds_of
from fdx.benchmarks.unseen_verdicts import VERDICT_STATES, Verdicts
from fdx.types import ConfigError, DataError, Recording


def recording(name: str, state: str, bearing: str = '') -> Recording:
    samples = np.full((4, 1), len(name), np.float32)
    return Recording(samples, 1000.0, name, state, state, bearing or state, 'here')


def verdicts(said: list[str], abstained: list[bool] | None = None, certainty: float = 0.9) -> Verdicts:
    rest = (1 - certainty) / (len(VERDICT_STATES) - 1)
    rows = [[certainty if state == s else rest for state in VERDICT_STATES] for s in said]
    flags = abstained or [False] * len(said)
    return Verdicts(np.array(rows), np.array(flags), tuple('why' if a else '' for a in flags))


def test_machines_are_read_by_their_builders_and_what_is_missing_is_named(raw_data):
    asked = unseen_machines.get_machines(['hit_mfs', 'hit_self_built', 'mfpt', 'cwru_fan_end'])
    found, missing = read_machines(asked, str(raw_data))
    states = {name: sorted({r.fault_type for r in f.recordings}) for name, f in found.items()}
    assert states['hit_mfs'] == ['inner_race', 'normal', 'outer_race']
    assert {'inner_race', 'outer_race'} <= set(states['mfpt'])
    assert all(r.geometry is not None and r.speed_rpm > 0 for f in found.values() for r in f.recordings)
    for name in ('hit_self_built', 'cwru_fan_end'):
        assert name in found or missing[name].startswith('skipped: no file of ')
    assert str(raw_data) not in ' '.join(missing.values())


def test_an_empty_folder_leaves_the_simulated_machines(tmp_path):
    real = [machine for machine in unseen_machines.MACHINES if not machine.name.startswith('rig_')]
    found, missing = read_machines(real, str(tmp_path))
    assert found == {} and len(missing) == len(real) == 6
    rig = next(machine for machine in unseen_machines.MACHINES if machine.name == 'rig_a')
    assert rig.rig == 'rig_a'
    with pytest.raises(ConfigError, match='adi_cbm'):
        unseen_machines.get_machines(['moon'])


def test_a_bent_shaft_is_a_healthy_bearing_and_unknown_states_are_refused():
    assert unseen_machines._as_state(recording('a', 'bent_shaft')).fault_type == 'normal'
    assert unseen_machines._as_state(recording('a', 'ball')).fault_type == 'ball'
    cracked = Machine('m', 'm', 'x', lambda folder: Found((recording('a', 'cracked'),)))
    with pytest.raises(DataError, match='cracked'):
        read_machines([cracked], '')
    same = [Machine(n, n, 'x', lambda folder: Found((recording('a', 'ball'),))) for n in 'mn']
    with pytest.raises(DataError, match='one id'):
        read_machines(same, '')


def test_machines_of_one_rig_do_not_learn_from_each_other():
    machines = [Machine(n, rig, 'x', lambda folder: Found(())) for n, rig in (('a', '1'), ('b', '1'), ('c', '2'))]
    found = {n: Found((recording(n, 'ball'),)) for n in 'abc'}
    assert [r.recording for r in others_of(machines[0], machines, found)] == ['c']
    assert [r.recording for r in others_of(machines[2], machines, found)] == ['a', 'b']


def test_bearings_are_left_out_whole_and_every_fault_is_tested_once():
    faults = [
        recording(f'{state}{i}{k}', state, f'{state}{i}')
        for state, count in (('inner_race', 3), ('outer_race', 4), ('ball', 3))
        for i in range(count)
        for k in range(2)
    ]
    healthy = recording('healthy', 'normal')
    folds = list(bearing_folds([healthy, *faults], seed=0))
    assert len(folds) == 3
    for learned, tested in folds:
        assert healthy in learned
        assert not {r.bearing for r in learned} & {r.bearing for r in tested}
        assert len(learned) + len(tested) == len(faults) + 1
    assert sorted(r.recording for _, t in folds for r in t) == sorted(r.recording for r in faults)
    order = [[r.recording for r in tested] for _, tested in folds]
    assert order != [[r.recording for r in tested] for _, tested in bearing_folds([healthy, *faults], seed=1)]


def test_scores_of_hand_made_verdicts():
    truth = ['normal'] * 4 + ['inner_race'] * 2 + ['outer_race'] * 2 + ['ball'] * 2
    said = [
        'normal',
        'normal',
        'normal',
        'ball',
        'inner_race',
        'outer_race',
        'outer_race',
        'normal',
        'ball',
        'combined',
    ]
    given = verdicts(said, [False, False, True, False, False, False, False, True, False, False])
    races = score(given, truth, QUESTIONS[0])
    assert races['recordings'] == 8 and races['states'] == ['normal', 'inner_race', 'outer_race']
    assert races['recalls'] == {'normal': 0.5, 'inner_race': 0.5, 'outer_race': 0.5}
    assert races['balanced_accuracy'] == 0.5 and races['specificity'] == 0.5
    # Of those with a verdict: 2 of 3 healthy, 1 of 2, 1 of 1.
    assert races['balanced_accuracy_answered'] == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    assert races['specificity_answered'] == pytest.approx(2 / 3)
    assert races['abstained'] == 0.25 and races['wrong'] == 0.25
    # 4 of 6 verdicts are right, each with probability 0.9.
    assert races['ece'] == pytest.approx(0.9 - 4 / 6)
    # Of 4 x 4 pairs of healthy and faulty, 3 x 3 are in order, 6 are ties, which count half, and one is not.
    assert races['roc_auc'] == pytest.approx((9 + 0.5 * 6) / 16)
    with_ball = score(given, truth, QUESTIONS[1])
    assert with_ball['recalls']['ball'] == 0.5 and with_ball['recordings'] == 10
    nobody = score(verdicts(['ball'], [True]), ['ball'], QUESTIONS[1])
    assert nobody['balanced_accuracy'] == 0.0 and nobody['balanced_accuracy_answered'] is None
    assert nobody['specificity'] is None and nobody['roc_auc'] is None and nobody['ece'] is None


def test_an_interval_has_a_width_where_all_is_right():
    assert balanced_interval([]) is None
    low, high = balanced_interval([(7, 7), (7, 7)])
    # Wilson's lower bound of 7 of 7 is 7 / (7 + 1.96^2).
    bound = 7 / (7 + 1.959964**2)
    assert high == 1.0 and low == pytest.approx(1 - math.sqrt(2) * (1 - bound) / 2)
    low, high = balanced_interval([(5, 10)])
    assert (low, high) == pytest.approx((0.2366, 0.7634), abs=1e-4)


def test_graded_faults_have_rows_of_their_own():
    truth = ['normal', 'inner_race', 'inner_race', 'ball']
    cell = {
        'suite': 'unseen',
        'machine': 'cwru_drive_end',
        'method': 'x',
        'seed': 0,
        'seconds': 1.0,
        'truth': truth,
        'strata': ['healthy', 'diagnosable', 'not', 'not'],
        'verdicts': verdicts(['normal', 'inner_race', 'normal', 'ball']).to_json(),
    }
    rows = {(row['stratum'], 'ball' in row['states']): row for row in rows_of(cell, QUESTIONS)}
    assert rows['all', False]['balanced_accuracy'] == 0.75 and rows['all', True]['recordings'] == 4
    assert rows['diagnosable', False]['balanced_accuracy'] == 1.0
    assert rows['not', False]['balanced_accuracy'] == 0.0 and rows['not', True]['balanced_accuracy'] == 0.5
    assert ('diagnosable', True) not in rows  # It has no ball: the question would be the same.


@dataclasses.dataclass
class Fake:
    """A method that calls what it is told, and counts its calls."""

    name: str
    draws: bool
    learns: bool
    reads_speed: bool = True
    why: str = ''
    words: str = 'a row of a test'
    calls: list = dataclasses.field(default_factory=list)

    def missing(self):
        return self.why

    def asked(self):
        return {'words': self.words}

    def __call__(self, others, tested, seed):
        self.calls.append(([r.recording for r in others], [r.recording for r in tested], seed))
        return verdicts([r.fault_type if seed != 1 else 'normal' for r in tested])


@pytest.fixture
def small(monkeypatch):
    """Two machines and three methods in place of the suite's."""
    states = ('normal', 'inner_race', 'outer_race')
    made = {
        name: Found(tuple(recording(f'{name}{i}', state) for i, state in enumerate(states)), ('gone.mat',))
        for name in ('adi_cbm', 'mfpt')
    }

    def absent(folder):
        raise DataError('no file of it is there')

    machines = [Machine(n, n, 'words', lambda folder, f=f: f) for n, f in made.items()]
    machines.append(Machine('cwru_drive_end', 'cwru', 'words', absent))
    methods = (Fake('plain', False, False), Fake('learner', True, True), Fake('absent', False, False, why='no weights'))
    monkeypatch.setattr(unseen_suite, 'SPEED_OFF', ())
    for module in (unseen_run, unseen_suite):
        monkeypatch.setattr(module, 'MACHINES', tuple(machines))
    for module in (unseen_run, unseen_suite, unseen_page):
        monkeypatch.setattr(module, 'METHODS', methods)
    return methods


def test_cells_are_run_once_and_make_a_page(small, tmp_path):
    said = []
    call = Call(tmp_path, 'data', str(tmp_path), seeds=2, command='the command', say=said.append)
    page = unseen_run.run(call, None, None)
    plain, learner, absent = small
    assert absent.calls == [] and 'absent: skipped, no weights' in said
    assert plain.calls == [([], [f'{name}{i}' for i in range(3)], 0) for name in ('adi_cbm', 'mfpt')]
    assert len(learner.calls) == 4 and learner.calls[0][0] == ['mfpt0', 'mfpt1', 'mfpt2']
    text = page.read_text()
    assert '| plain | 100.0 | 100.0 |' in text and '| learner | 66.7 ± 47.1 | 66.7 ± 47.1 |' in text
    assert 'absent: not run, no weights.' in text and 'cwru_drive_end: skipped: no file of it is there.' in text
    assert 'adi_cbm: 1 of its files are not here: gone.mat.' in text and 'the command' in text
    assert page.with_suffix('.png').read_bytes()[:4] == b'\x89PNG'
    unseen_run.run(call, ['mfpt'], ['plain'])
    assert len(plain.calls) == 2
    # A page of some machines takes the place of their rows alone, and says so.
    publish(page.parent, 'unseen', unseen_page.KIND, tmp_path / 'out')
    unseen_run.run(call, None, None)
    publish(page.parent, 'unseen', unseen_page.KIND, tmp_path / 'out')
    whole = read_page(tmp_path / 'out', 'unseen', unseen_page.KIND)
    assert 'measured after the others' not in (tmp_path / 'out' / 'unseen.md').read_text()
    unseen_run.run(call, ['mfpt'], ['learner'])
    publish(page.parent, 'unseen', unseen_page.KIND, tmp_path / 'out')
    mixed = read_page(tmp_path / 'out', 'unseen', unseen_page.KIND)
    assert unseen_page.measured(mixed) == unseen_page.measured(whole)
    assert sorted(map(str, mixed['rows'])) == sorted(map(str, whole['rows']))
    assert 'measured after the others: `learner` on 20' in (tmp_path / 'out' / 'unseen.md').read_text()
    # Other settings are another question.
    plain.words = 'changed'
    unseen_run.run(call, ['mfpt'], ['plain'])
    assert len(plain.calls) == 3


def test_rows_hold_what_the_issue_names(small, tmp_path):
    unseen_run.run(Call(tmp_path, 'data', str(tmp_path), seeds=1), None, None)
    data = read_page(tmp_path / 'pages', 'unseen', unseen_page.KIND)
    row = data['rows'][0]
    wanted = 'suite machine method seed states recordings balanced_accuracy specificity roc_auc abstained ece'
    assert set(wanted.split()) <= set(row)
    assert (row['suite'], row['recordings'], row['specificity'], row['roc_auc']) == ('unseen', 3, 1.0, 1.0)
    assert row['states'] == ['normal', 'inner_race', 'outer_race']


def test_what_cannot_be_asked(small, tmp_path, monkeypatch):
    call = Call(tmp_path, 'data', str(tmp_path), seeds=1)
    with pytest.raises(ConfigError, match='`tasks`=moon'):
        unseen_run.run(call, ['moon'], None)
    with pytest.raises(ConfigError, match='plain, learner, absent'):
        unseen_run.run(call, None, ['moon'])
    with pytest.raises(ConfigError, match='nothing can be run'):
        unseen_run.run(call, ['cwru_drive_end'], None)
    with pytest.raises(ConfigError, match='nothing can be run'):
        unseen_run.run(call, None, ['absent'])
    monkeypatch.delenv('FDX_RAW_DATA', raising=False)
    with pytest.raises(ConfigError, match='`manual_dir`'):
        unseen_run.run(Call(tmp_path, 'data'), None, None)


def test_a_wrong_speed_is_asked_of_those_who_read_it():
    machine = Machine('m', 'm', 'words', lambda folder: Found(()))
    task = Task('m speed_off', machine, speed_error=0.04)
    one = dataclasses.replace(recording('a', 'ball'), speed_rpm=1000.0)
    ((_, tested),) = task.folds({'m': Found((one,))}, 0, learns=False)
    assert [(r.recording, r.speed_rpm) for r in tested] == [('a +1', 1040.0), ('a -1', 960.0)]
    methods = [Fake('deaf', False, True, reads_speed=False), Fake('reader', False, False)]
    assert [cell.method for cell in cells([task], methods, 2)] == ['reader']
    assert '4 % too high and 4 % too low' in task.words


def test_a_seed_is_run_where_it_makes_a_difference():
    machine = Machine('m', 'm', 'x', lambda folder: Found(()))
    left_out, bearings = Task('m', machine), Task('m by_bearing', machine, by_bearing=True)
    fixed, learner = Fake('a', False, False), Fake('b', False, True)
    assert [seeds_of(m, t, 3) for m in (fixed, learner) for t in (left_out, bearings)] == [1, 1, 1, 3]
    found = cells([left_out, bearings], [fixed, learner, Fake('c', True, False)], 2)
    assert [cell.seed for cell in found] == [0] * 6 + [1] * 3
