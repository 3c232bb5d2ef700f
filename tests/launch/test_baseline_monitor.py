"""launch.baseline and launch.monitor as a user calls them."""

from __future__ import annotations

import csv
import importlib.util
import json
import pathlib
import signal
import subprocess
import sys

import pyarrow.parquet
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def machine():
    """tests/health/healthy.py."""
    spec = importlib.util.spec_from_file_location('launch_health_machine', ROOT / 'tests' / 'health' / 'healthy.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def learned(call, machine, tmp_path_factory):
    """(folder of files, workdir, what the program left)."""
    root = tmp_path_factory.mktemp('bench')
    machine.write(root / 'healthy', range(30))
    machine.write(root / 'healthy', range(90, 91), impacts=8.0)
    done = call(
        'baseline', f'--recordings={root / "healthy"}', f'--workdir={root / "pump7"}', '--speed_rpm=1500',
        '--bearing=skf_6205', '--false_alarm_every_days=2',
    )  # fmt: skip
    return root, root / 'pump7', done


@pytest.fixture
def workdir(learned, tmp_path, call, machine):
    """A baseline of its own."""
    machine.write(tmp_path / 'h', range(24))
    flags = (f'--recordings={tmp_path / "h"}', f'--workdir={tmp_path / "p"}', '--detector=gaussian')
    assert call('baseline', *flags).code == 0
    return tmp_path / 'p'


def test_a_baseline_says_what_it_promises_and_what_it_left_out(learned):
    root, workdir, done = learned
    assert (done.code, done.err) == (0, '')
    lines = done.out.splitlines()
    assert lines[0] == f'{workdir}: baseline 1'
    assert '  recordings 30, 1500 rpm' in lines
    assert any(line.startswith('  numbers    ') and 'bands, impacts, shaft, orders' in line for line in lines)
    assert any('promised   one false alarm in' in line for line in lines)
    assert any('10 % promised' in line and 'measured' in line for line in lines)
    assert any(line.startswith('  090.wav: it lies ') for line in lines)
    assert lines[-1] == f'next: fdx monitor --baseline={workdir} FILES'


def test_files_get_states_and_a_fault_is_an_alarm_with_a_verdict(call, learned, machine):
    root, workdir, _ = learned
    machine.write(root / 'new', range(100, 104))
    machine.write(root / 'new', range(200, 203), impacts=8.0)
    done = call('monitor', f'--baseline={workdir}', '--format=text', root / 'new')
    lines = done.out.splitlines()
    assert done.code == 0 and len(lines) == 8
    assert [line.split()[1] for line in lines[4:7]] == ['watch', 'alarm', 'alarm']
    assert 'the judge ' in lines[4] and 'the judge ' not in lines[5] and '(bands, channel' in lines[5] + lines[6]
    assert '7 recordings' in lines[7] and 'in alarm since 201.wav' in lines[7]
    again = call('monitor', f'--baseline={workdir}', '--format=text', root / 'new')
    assert again.out == '' and '7 files have a row already' in again.err
    shown = call('monitor', f'--baseline={workdir}', '--format=json', '--again', root / 'new' / '200.wav')
    row = json.loads(shown.out)
    assert row['state'] == 'watch' and row['verdict']['channel'] == '0' and 'rows' not in row


def test_a_manifest_tells_speeds(call, learned, machine, tmp_path):
    _, workdir, _ = learned
    files = machine.write(tmp_path / 'new', range(300, 303))
    lines = ['file,speed_rpm', *(f'new/{f.name},{rpm}' for f, rpm in zip(files, (1500, 1510, 2400)))]
    (tmp_path / 'm.csv').write_text('\n'.join(lines))
    done = call('monitor', f'--baseline={workdir}', '--format=json', f'--manifest={tmp_path / "m.csv"}')
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 0 and [r['file'] for r in rows] == list(map(str, files))
    assert rows[1]['speed_rpm'] == 1510 and rows[1]['p_value'] > 0
    assert rows[2]['state'] == 'outside operating range' and '2400 rpm' in rows[2]['reason']
    # Stretches of a file have rows of their own, from a manifest or by their length.
    (tmp_path / 'm.csv').write_text('file,speed_rpm,start_s,stop_s\nnew/300.wav,1500,0,0.5\n')
    done = call('monitor', f'--baseline={workdir}', '--format=text', f'--manifest={tmp_path / "m.csv"}')
    assert done.out.startswith('300.wav:@0-0.5s ')
    done = call('monitor', f'--baseline={workdir}', '--format=json', '--cut_s=1', files[0])
    assert done.code == 0 and done.out == '' and '1 files have a row already' in done.err
    for flags, words in (
        (('--cut_s=1', f'--manifest={tmp_path / "m.csv"}'), '--cut_s goes with files'),
        (('--cut_s=0.01', files[0]), '--cut_s=0.01'),
        (('--sample_rate=0', files[0]), '--sample_rate=0'),
    ):
        assert words in call('monitor', f'--baseline={workdir}', *flags).error


def test_the_history_is_exported(call, workdir, machine, tmp_path):
    files = machine.write(tmp_path / 'new', range(50, 53))
    done = call('monitor', f'--baseline={workdir}', f'--export={tmp_path / "h.csv"}', *files)
    assert done.code == 0, done.err
    call('monitor', f'--baseline={workdir}', f'--export={tmp_path / "h.parquet"}')
    rows = list(csv.DictReader((tmp_path / 'h.csv').open()))
    table = pyarrow.parquet.read_table(tmp_path / 'h.parquet').to_pylist()
    assert [r['file'] for r in rows] == [r['file'] for r in table] == [str(f) for f in files]
    assert float(rows[0]['p_value']) == pytest.approx(table[0]['p_value'])
    assert rows[0]['scored_at'].startswith(table[0]['scored_at'].isoformat(timespec='seconds')[:16])


def test_learning_anew_from_a_date(call, workdir, machine, tmp_path):
    files = machine.write(tmp_path / 'new', range(1, 26), name='2024-05-{:02d}.wav')
    call('monitor', f'--baseline={workdir}', *files)
    done = call('monitor', f'--baseline={workdir}', '--reset_from=2024-05-03')
    assert done.code == 0 and 'baseline 2 of 23 recordings since 2024-05-03' in done.out
    few = call('monitor', f'--baseline={workdir}', '--reset_from=2024-05-20')
    assert few.code == 1 and '14 more' in few.error


def test_a_file_that_cannot_be_used_is_one_row_and_exit_code_1(call, workdir, tmp_path):
    bad = tmp_path / 'bad.wav'
    bad.write_text('no sound')
    done = call('monitor', f'--baseline={workdir}', '--format=text', bad)
    assert done.code == 1 and 'bad.wav  unusable: ' in done.out


@pytest.mark.parametrize(
    ('program', 'flags', 'words'),
    [
        ('baseline', (), '--recordings=FOLDER_OR_MANIFEST is needed'),
        ('baseline', ('--recordings=x',), '--workdir=FOLDER is needed'),
        ('baseline', ('--recordings=nowhere', '--workdir=p'), '--recordings=nowhere does not exist'),
        ('baseline', ('--recordings=x', '--workdir=p', '--alarm_after=3of2'), '--alarm_after'),
        ('baseline', ('--recordings=x', '--workdir=p', '--piece_s=-1'), '--piece_s=-1'),
        ('monitor', (), '--baseline=FOLDER is needed'),
        ('monitor', ('--baseline=nowhere',), 'no files'),
        ('monitor', ('--baseline=nowhere', 'x.wav'), 'holds no baseline'),
        ('monitor', ('--baseline=p', '--once', 'x'), '--once goes with --watch'),
        ('monitor', ('--baseline=p', '--export=h.xlsx'), '--export=h.xlsx'),
        ('monitor', ('--baseline=p', '--manifest=m.csv', 'x.wav'), '--manifest=m.csv'),
        ('monitor', ('--baseline=p', '--reset_from=soon'), '--reset_from=soon'),
        ('monitor', ('--baseline=p', '--reset_from=2024-01-01', 'x.wav'), '--reset_from'),
    ],
)
def test_errors_name_the_flag(call, program, flags, words):
    done = call(program, *flags)
    assert done.code == 1 and words in done.error


def test_a_killed_watch_goes_on_where_it_stood(workdir, machine, tmp_path, call):
    """Two watches on one folder, one of them killed: every file has one row."""
    files = machine.write(tmp_path / 'in', range(60, 90))
    command = [
        sys.executable,
        '-m',
        'launch.monitor',
        f'--baseline={workdir}',
        '--watch',
        '--settle_s=0',
        '--format=json',
    ]
    process = subprocess.Popen([*command, str(tmp_path / 'in')], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    process.send_signal(getattr(signal, 'SIGKILL', signal.SIGTERM))
    process.wait()
    done = call(
        'monitor', f'--baseline={workdir}', '--watch', '--once', '--settle_s=0', '--format=json', tmp_path / 'in'
    )
    assert done.code == 0
    out = tmp_path / 'h.csv'
    call('monitor', f'--baseline={workdir}', f'--export={out}')
    rows = list(csv.DictReader(out.open()))
    assert sorted(r['file'] for r in rows) == sorted(map(str, files))
    assert len(json.loads(done.out.splitlines()[0])) > 5 and len(done.out.splitlines()) < 30
