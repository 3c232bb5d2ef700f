"""`fdx.report`: the same page as `fdx report`, from files, recordings and histories."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.io.wavfile

import fdx
from fdx.evaluate import machine_report, machine_report_history
from fdx.signal.bearings import BEARINGS
from tests.evaluate.standalone_page import PIXEL, check_standalone
from tests.health.machine_history import make, rows_of

RATE_HZ, SPEED_RPM, BEARING = 8000, 1480.0, 'skf_6205'


@pytest.fixture(scope='module', autouse=True)
def undrawn():
    """Pictures are made and not drawn: they are drawn in tests/evaluate."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (machine_report, machine_report_history):
            patch.setattr(module, 'figure_to_data_uri', lambda figure: PIXEL)
        yield


@pytest.fixture(scope='module')
def pump(tmp_path_factory):
    """Two seconds of noise that is struck at the outer race's order, and the same without strikes."""
    folder = tmp_path_factory.mktemp('pump')
    turns = np.arange(2 * RATE_HZ) / RATE_HZ * SPEED_RPM / 60
    noise = np.random.default_rng(4).standard_normal(len(turns))
    bursts = 1 + 2 * (np.mod(turns * BEARINGS[BEARING].bpfo, 1) < 0.2)
    scipy.io.wavfile.write(folder / 'pump.wav', RATE_HZ, (0.1 * noise * bursts).astype(np.float32))
    scipy.io.wavfile.write(folder / 'good.wav', RATE_HZ, (0.1 * noise[::-1]).astype(np.float32))
    return folder


def test_a_page_of_a_file_and_of_the_recording_that_was_read(pump, tmp_path):
    how = {'bearing': BEARING, 'speed_rpm': SPEED_RPM, 'unit': 'g', 'machine_group': 2, 'mounting': 'rigid'}
    found = fdx.report(pump / 'pump.wav', healthy=[pump / 'good.wav'], known_orders=[23], **how)
    page = check_standalone(found.html)
    assert 'fault of the outer race' in page.text and 'zone' in page.text and '1 healthy' in page.text
    assert found.about == 'pump.wav' and repr(found).startswith('<Report about pump.wav, ')
    assert found.save(tmp_path / 'deeper' / 'p.html').read_text(encoding='utf-8') == found.html
    # A frame of its own, whose text is quoted whole.
    frame = found._repr_html_()
    assert frame.startswith('<iframe srcdoc="') and '"<' not in frame and frame.count('"') == 8
    read = fdx.read(pump / 'pump.wav', bearing=BEARING, speed_rpm=SPEED_RPM)
    healthy = [fdx.read(pump / 'good.wav', speed_rpm=SPEED_RPM)]
    again = fdx.report(read, healthy=healthy, known_orders=[23], unit='g', machine_group=2, mounting='rigid')
    assert check_standalone(again.html).text.split('What to do next')[0] == page.text.split('What to do next')[0]


def test_an_estimated_speed_that_does_not_stand_out_is_a_note(pump):
    page = check_standalone(fdx.report(pump / 'good.wav', speed_rpm='estimate', speed_range_rpm=(900, 1200)).html)
    assert 'No speed between 900 and 1200' in page.text and 'give `bearing`' in page.text


def test_a_page_of_a_history(tmp_path):
    make(tmp_path / 'pump7', rows_of(30, 1))
    found = fdx.report(baseline=tmp_path / 'pump7', limit=40)
    assert found.about == 'pump7' and 'as in good order' in check_standalone(found.html).text


@pytest.mark.parametrize(
    ('how', 'words'),
    [
        ({}, 'either a recording or `baseline`'),
        ({'source': 'a.wav', 'baseline': 'pump7'}, 'either a recording or `baseline`'),
        ({'source': 'a.wav', 'limit': 3.0}, '`limit`=3.0 goes with `baseline`'),
        ({'baseline': 'pump7', 'unit': 'g'}, "`unit`='g' goes with a recording"),
        ({'baseline': 'pump7', 'speed_rpm': 1480.0}, '`speed_rpm`=1480.0 goes with a recording'),
        ({'baseline': 'pump7', 'limit': 'x'}, '`limit`=x'),
        ({'source': '{pump}', 'bearing': 'skf_0'}, 'skf_0'),
        ({'source': '{pump}', 'machine_group': 3}, '`machine_group`=3'),
        ({'source': '{pump}', 'speed_range_rpm': (1, 2)}, '`speed_range_rpm`'),
    ],
)
def test_what_is_refused(pump, how, words):
    given = {name: pump / 'pump.wav' if value == '{pump}' else value for name, value in how.items()}
    with pytest.raises(fdx.ConfigError) as e:
        fdx.report(given.pop('source', None), **given)
    assert words in str(e.value)


def test_options_of_files_are_no_options_of_recordings(pump):
    read = dataclasses.replace(fdx.read(pump / 'good.wav'), unit='g')
    with pytest.raises(fdx.ConfigError, match='`channel`.*Recording was given'):
        fdx.report(read, channel=0)
    with pytest.raises(fdx.DataError, match=r'nowhere\.wav'):
        fdx.report('nowhere.wav')
    with pytest.raises(fdx.CheckpointError, match='no baseline'):
        fdx.report(baseline=pump)
