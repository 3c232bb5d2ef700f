"""The table of speed: works and goals, rounds in turns that go on after a stop, rows, the page, and one real row."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest

from fdx.benchmarks import speed_load, speed_run
from fdx.benchmarks.page import publish, read_page
from fdx.benchmarks.speed_clock import Found, repeated
from fdx.benchmarks.speed_page import KIND, markdown, measured, merged, plot, seconds_text
from fdx.benchmarks.speed_rows import rows_of
from fdx.benchmarks.speed_run import measure_group, run_side, verdict
from fdx.benchmarks.speed_suite import OTHER, OURS, WORKS, Goal, Work, by_group, get_works
from fdx.models.registry import MODELS
from fdx.signal.front_ends import BASES
from fdx.types import ConfigError

PUBLISHED = pathlib.Path(__file__).resolve().parents[2] / 'docs' / 'benchmarks'
WORK = Work('net/all', '`net`: all layers', 'Networks', 'm', 'PyTorch', Goal('ratio', 1.1), ('numpy',))
ALONE = Work('shell/import', 'import', 'Programs', 'm', '', Goal('seconds', 1.5))
COUNTED = Work('runs/maps', 'maps left', 'Trainings', 'm', '', Goal('count', 1.0), unit='maps per training')


def side(*seconds: float, count: float | None = None) -> dict:
    return {'seconds': list(seconds), 'cpu_seconds': [2 * s for s in seconds], 'count': count}


def a_round(ours: dict, theirs: dict | None = None, others: float | None = 0.1) -> dict:
    sides = {OURS: ours} | ({OTHER: theirs} if theirs else {})
    how = {'others': others, 'load_start': 0.2, 'load_end': 2.1, 'date': '2026-11-29', 'elapsed_s': 12.0}
    return {**sides, **how}


def cell(*rounds: dict) -> dict:
    return {'rounds': list(rounds), 'cpu': 'a processor', 'cores': 2}


def page(rows: list[dict], on: str = '2026-11-29', command: str = 'make bench') -> dict:
    how = {'on': [on], 'command': command, 'load_start': 0.1, 'load_end': 2.0, 'notes': []}
    return {'measured': how, 'rows': rows}


def test_every_network_and_every_front_end_with_a_library_form_is_a_work():
    names = {work.name for work in WORKS}
    assert {f'{name}/{job}' for name in MODELS for job in ('all', 'head', 'inference')} <= names
    # yamnet is vggish with another offset, and the other two are fault_orders with further channels.
    alike = {'yamnet', 'fault_orders_shaft', 'fault_orders_stacked'}
    assert {name.partition('/')[2] for name in names if name.startswith('windows/')} == set(BASES) - alike
    assert len(names) == len(WORKS)


def test_works_of_a_group_are_measured_alike():
    for works in by_group(WORKS).values():
        assert len({(w.module, w.cores, w.rounds, bool(w.other)) for w in works}) == 1, works[0].group


def test_works_by_name_and_by_group():
    assert [w.name for w in get_works(['epoch/dann', 'vggish'])] == [
        'vggish/all', 'vggish/head', 'vggish/inference', 'epoch/dann'
    ]  # fmt: skip
    assert get_works(None) == list(WORKS)
    with pytest.raises(ConfigError, match='`only`=vgish: no work vgish; there are band_linear'):
        get_works(['vgish'])


def test_seconds_are_medians_over_rounds_of_the_medians_of_a_process():
    rounds = [a_round(side(1.0, 9.0, 1.2), side(1.0)), a_round(side(1.4), side(2.0)), a_round(side(1.3), side(3.0))]
    ours, theirs = rows_of(WORK, cell(*rounds))
    assert (ours['seconds'], ours['cpu_seconds'], theirs['seconds'], theirs['side']) == (1.3, 2.6, 2.0, 'PyTorch')
    assert (ours['ratio'], ours['cpu_ratio'], theirs['ratio']) == (0.65, 0.65, None)
    assert ours['reached'] and ours['goal'] == 'ratio 1.10' and theirs['goal'] is None
    assert (ours['rounds'], ours['elapsed_s'], ours['cores'], ours['cpu']) == (3, 36.0, 2, 'a processor')
    assert 'jax' in ours['versions'] and set(theirs['versions']) == {'python', 'numpy'}


@pytest.mark.parametrize(('seconds', 'reached'), [(1.1, True), (1.12, False)])
def test_a_ratio_is_judged(seconds, reached):
    assert rows_of(WORK, cell(a_round(side(seconds), side(1.0))))[0]['reached'] is reached


def test_seconds_and_counts_are_judged_without_another_side():
    (row,) = rows_of(ALONE, cell(a_round(side(1.6))))
    assert (row['ratio'], row['goal'], row['reached']) == (None, '1.5 s', False)
    assert verdict(row) == '1.6 s, goal 1.5 s: missed'
    (row,) = rows_of(COUNTED, cell(a_round(side(2.0, count=0.4))))
    assert row['reached'] and verdict(row) == '0.4 maps per training, goal 1 maps per training: reached'


def test_a_busy_machine_marks_the_row():
    quiet, busy, unknown = (
        rows_of(WORK, cell(a_round(side(1.0), side(1.0), others)))[0] for others in (0.7, 0.8, None)
    )
    assert [row['noisy'] for row in (quiet, busy, unknown)] == [False, True, False]
    assert verdict(busy).endswith('reached (noisy: load of others 0.8)')


class Sides:
    """Stands in for `run_side`: seconds 1, 2, ... and a stop at a given call."""

    def __init__(self, stops_at: int | None = None):
        self.calls: list[str] = []
        self.stops_at = stops_at

    def __call__(self, works, name, workdir, cores, others):
        del workdir, cores, others
        self.calls.append(name)
        if len(self.calls) == self.stops_at:
            raise KeyboardInterrupt
        return {work.part: side(float(len(self.calls))) for work in works}


def test_sides_take_turns_and_a_stopped_call_goes_on(tmp_path):
    said: list[str] = []
    stopped = Sides(stops_at=4)
    with pytest.raises(KeyboardInterrupt):
        measure_group([WORK], tmp_path, 3, said.append, stopped)
    assert stopped.calls == [OURS, OTHER, OURS, OTHER] and said[0] == '  net, round 1/3, fdx: all 1 s'
    rest = Sides()
    ours, theirs = measure_group([WORK], tmp_path, 3, said.append, rest)
    assert rest.calls == [OURS, OTHER] * 2 and ours['rounds'] == 3
    assert (ours['seconds'], theirs['seconds']) == (1.0, 2.0)  # of 1, 1, 3 and of 2, 2, 4
    again = Sides()
    measure_group([WORK], tmp_path, 3, said.append, again)
    assert again.calls == []


def test_rounds_of_other_works_are_measured_again(tmp_path):
    more = Work('net/head', '`net`: head only', 'Networks', 'm', 'PyTorch', Goal('ratio', 1.0), ('numpy',))
    measure_group([WORK], tmp_path, 1, lambda line: None, Sides())
    sides = Sides()
    rows = measure_group([WORK, more], tmp_path, 1, lambda line: None, sides)
    assert sides.calls == [OURS, OTHER] and [row['work'] for row in rows] == ['net/all'] * 2 + ['net/head'] * 2


def test_a_finished_call_leaves_a_page_and_no_rounds(tmp_path, monkeypatch):
    monkeypatch.setattr(speed_run.measure_group, '__defaults__', (Sides(),))
    assert speed_run.run([WORK, ALONE], tmp_path, 1) == []
    assert not (tmp_path / 'cells').exists()
    assert measured(read_page(tmp_path / 'pages', 'speed', KIND)) == {'net/all', 'shell/import'}


def test_a_side_that_fails_stops_its_group_alone(tmp_path, monkeypatch, capsys):
    def fails(works, name, *rest):
        if works[0].group == 'net':
            raise ConfigError('no torch')
        return Sides()(works, name, *rest)

    monkeypatch.setattr(speed_run.measure_group, '__defaults__', (fails,))
    assert speed_run.run([WORK, ALONE], tmp_path, 1) == ['no torch']
    assert measured(read_page(tmp_path / 'pages', 'speed', KIND)) == {'shell/import'}
    assert 'no torch' in capsys.readouterr().err


def test_the_page_names_both_sides_goals_and_noise():
    rows = [
        *rows_of(WORK, cell(a_round(side(0.0123), side(0.01)))),
        *rows_of(ALONE, cell(a_round(side(1.2), others=2.0))),
        *rows_of(COUNTED, cell(a_round(side(2.0, count=3.0)))),
    ]
    text = markdown(page(rows))
    # The noisy row reaches its goal and is not counted.
    assert '**0 of 2 goals are reached among the rows that were measured on a quiet machine.** 1 of 3 rows' in text
    assert '**0 of 2 goals are reached.**' in markdown(page([row for row in rows if not row['noisy']]))
    assert (
        '| `net`: all layers | 12.3 ms | 10 ms (PyTorch) | 1.23 | 1.23 | ratio 1.10 | **missed** | 0.1 | 2026-11-29 |'
        in text
    )
    assert '| import | 1.2 s (2.4 s of CPU) | – | – | – | 1.5 s | reached, noisy | 2.0 | 2026-11-29 |' in text
    assert '| maps left | 3 maps per training (2 s) |' in text
    assert len(plot(page(rows)).axes[0].get_yticklabels()) == 1  # Only works with another side have a ratio.


@pytest.mark.parametrize(('seconds', 'text'), [(3.643, '3.64 s'), (0.0123, '12.3 ms'), (8.1e-4, '810 µs')])
def test_seconds_in_their_unit(seconds, text):
    assert seconds_text(seconds) == text


def test_a_later_call_replaces_its_rows_and_keeps_the_others(tmp_path):
    old = page([*rows_of(WORK, cell(a_round(side(2.0), side(1.0)))), *rows_of(ALONE, cell(a_round(side(1.0))))])
    rows = [{**row, 'date': '2026-12-01'} for row in rows_of(WORK, cell(a_round(side(1.0), side(1.0))))]
    both = merged(old, page(rows, on='2026-12-01'))
    assert measured(both) == measured(old) and both['measured']['on'] == ['2026-11-29', '2026-12-01']
    assert [row['seconds'] for row in both['rows']] == [1.0, 1.0, 1.0]
    for folder, data in ((tmp_path / 'a', old), (tmp_path / 'b', both)):
        folder.mkdir()
        speed_run.write_page(folder, 'speed', data, KIND)
    assert publish(tmp_path / 'b', 'speed', KIND, tmp_path / 'a').read_text() == markdown(both)


def test_the_published_page_is_that_of_its_rows():
    data = read_page(PUBLISHED, 'speed', KIND)
    assert data is not None and (PUBLISHED / 'speed.md').read_text(encoding='utf-8') == markdown(data)
    assert measured(data) <= {work.name for work in WORKS}
    for row in data['rows']:
        work = next(w for w in WORKS if w.name == row['work'])
        if row['side'] == OURS and work.goal:
            assert row['reached'] is work.goal.reached(row) and row['goal'] == work.goal.words(work.unit)


def test_repetitions_are_timed_after_a_warm_up():
    calls: list[int] = []
    found = repeated(lambda: calls.append(1), least=3, most=5, seconds=0.0, warm_up=2)
    assert len(found.seconds) == len(found.cpu_seconds) == 3 and found.count is None
    # A quick work is called many times per repetition.
    assert len(calls) > 300 and max(found.seconds) < 0.01
    timed = Found()
    with timed.timed(calls=2):
        sum(range(200_000))
    assert timed.seconds[0] > 0 and timed.cpu_seconds[0] >= 0


@pytest.mark.skipif(not pathlib.Path('/proc/loadavg').exists(), reason='threads are counted on Linux only')
def test_threads_of_others_are_those_outside_of_the_session():
    busy = subprocess.Popen([sys.executable, '-c', 'while True: pass'], start_new_session=True)
    try:
        pids = speed_load._members(busy.pid)
        assert pids == [str(busy.pid)] and speed_load._wanting(pids[0]) in (0, 1)
        counts = [(speed_load.count_others(busy.pid), speed_load.count_others(-1)) for _ in range(50)]
        # The one that is measured is not counted among the others: about one thread less.
        own, none = (sum(values) / 50 for values in zip(*counts))
        assert 0.5 < none - own < 1.5
    finally:
        busy.kill()
        busy.wait()


def test_a_real_row_with_its_own_process(tmp_path):
    """fdx's side of a front end: the other side needs libraries that this environment lacks."""
    (work,) = get_works(['windows/waveform'])
    others = speed_load.Others()
    found = run_side([work], OURS, tmp_path, 1, others)
    assert set(found) == {'waveform'} and 0 < found['waveform']['seconds'][0] < 0.1
    # SciPy is there.
    theirs = run_side([work], OTHER, tmp_path, 1, others)
    ours, _ = rows_of(work, cell(a_round(found['waveform'], theirs['waveform'])))
    assert ours['ratio'] > 0 and json.loads(json.dumps(ours)) == ours


def test_a_side_that_ends_badly_says_why(tmp_path):
    work = Work('windows/nothing', '', '', 'speed_signals', '', None)
    with pytest.raises(ConfigError, match='windows/nothing, side fdx: .*no work windows/nothing'):
        run_side([work], OURS, tmp_path, 1, speed_load.Others())
