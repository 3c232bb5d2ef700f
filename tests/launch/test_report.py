"""launch.report from the command line: a file or several channels in, one page out, and what flags refuse."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.io.wavfile

from fdx.datasets.bearing_rig.machines import MACHINES
from fdx.datasets.bearing_rig.simulator import recordings as simulated
from fdx.evaluate import machine_report, machine_report_history
from tests.evaluate.standalone_page import PIXEL, check_standalone
from tests.health.machine_history import make, rows_of

RATE_HZ = 16000
GEOMETRY = ','.join(f'{n}={v!r}' for n, v in dataclasses.asdict(MACHINES['rig_a'].geometry).items())
BEARING = f'--bearing={GEOMETRY}'


@pytest.fixture(scope='module', autouse=True)
def undrawn():
    """Pictures are made and not drawn: they are drawn in tests/evaluate."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (machine_report, machine_report_history):
            patch.setattr(module, 'figure_to_data_uri', lambda figure: PIXEL)
        yield


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """State -> a file."""
    folder = tmp_path_factory.mktemp('plant')
    options = {'speeds': (997.0,), 'load_cases': (1,), 'duration_s': 4.0, 'sample_rate_hz': RATE_HZ, 'seed': 3}
    found = {}
    for r in simulated(['rig_a'], **options):
        found[r.label] = folder / f'{r.label}.wav'
        scipy.io.wavfile.write(found[r.label], RATE_HZ, r.samples[:, 0])
    return found


def test_a_page_of_a_file(call, files, tmp_path):
    out = tmp_path / 'deeper' / 'page.html'
    done = call(
        *('report', f'--recording={files["outer_race"]}', BEARING, '--speed_rpm=997', f'--out={out}'),
        *('--unit=g', '--machine_group=2', '--mounting=rigid', f'--healthy={files["normal"]}', '--known_orders=23'),
    )
    assert (done.code, done.out) == (0, f'report: {out}\n')
    page = check_standalone(out.read_text(encoding='utf-8'))
    assert 'fault of the outer race' in page.text and 'zone' in page.text and '1 healthy' in page.text


def test_without_a_bearing_the_page_names_the_flags_that_are_missing(call, files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call('report', f'--recording={files["normal"]}')
    assert done.code == 0
    page = check_standalone((tmp_path / 'report.html').read_text(encoding='utf-8'))
    assert 'give --bearing and --speed_rpm' in page.text and '--machine_group' in page.text


def test_channels(call, tmp_path):
    x = np.random.default_rng(0).standard_normal((8000, 4))
    np.save(tmp_path / 'four.npy', x)
    common = ('report', f'--recording={tmp_path / "four.npy"}', '--sample_rate=8000', f'--out={tmp_path / "p.html"}')
    assert call(*common).code == 0
    page = check_standalone((tmp_path / 'p.html').read_text(encoding='utf-8'))
    assert '1 more channel is not shown: choose with --channel' in page.text
    assert call(*common, '--channel=3').code == 0
    assert 'more channel' not in check_standalone((tmp_path / 'p.html').read_text(encoding='utf-8')).text


@pytest.mark.parametrize(
    ('flags', 'words'),
    [
        ((), '--recording'),
        (('--recording=nowhere.wav',), 'nowhere.wav'),
        (('--recording={file}', '--bearing=skf_0'), 'skf_0'),
        (('--recording={file}', '--speed_rpm=fast'), '--speed_rpm=fast'),
        (('--recording={file}', '--machine_group=3'), '--machine_group=3'),
        (('--recording={file}', '--low_rpm=300'), '--low_rpm'),
        (('--recording={file}', '--known_orders=x'), "'x'"),
        (('--recording={file}', '--healthy=nowhere.wav'), 'nowhere.wav'),
        (('--recording={file}', '--delimiter=;'), '--delimiter'),
        (('--recording={file}', '--out=folder/'), '--out=folder/'),
    ],
)
def test_what_is_refused_leaves_no_page(call, files, tmp_path, monkeypatch, flags, words):
    monkeypatch.chdir(tmp_path)
    done = call('report', *(flag.format(file=files['normal']) for flag in flags))
    assert done.code == 1 and words in done.error
    assert not list(tmp_path.iterdir())


def test_a_real_recording(call, raw_data, tmp_path):
    out = tmp_path / 'r.html'
    flags = ('--bearing=skf_6205', '--speed_rpm=1797', '--unit=g', '--sample_rate=12000', '--variable=X130_DE_time')
    done = call('report', f'--recording={raw_data / "cwru" / "130.mat"}', *flags, f'--out={out}')
    assert done.code == 0
    assert 'fault of the outer race' in check_standalone(out.read_text(encoding='utf-8')).text


def test_a_page_of_a_history(call, tmp_path):
    make(tmp_path / 'pump7', rows_of(30, 1))
    out = tmp_path / 'p.html'
    done = call('report', f'--baseline={tmp_path / "pump7"}', '--limit=40', f'--out={out}')
    assert (done.code, done.out) == (0, f'report: {out}\n')
    assert 'as in good order' in check_standalone(out.read_text(encoding='utf-8')).text
    for flags, words in (
        (('--unit=g',), '--unit goes with --recording'),
        (('--limit=x',), '--limit=x'),
        (('--recording=a.wav',), 'either --recording=FILE or --baseline'),
    ):
        assert words in call('report', f'--baseline={tmp_path / "pump7"}', *flags, f'--out={tmp_path / "q.html"}').error
    assert 'holds no baseline' in call('report', f'--baseline={tmp_path}', f'--out={tmp_path / "q.html"}').error
    assert '--limit goes with --baseline' in call('report', '--recording=a.wav', '--limit=3').error
    assert not (tmp_path / 'q.html').exists()
