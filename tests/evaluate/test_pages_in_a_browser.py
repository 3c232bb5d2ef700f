"""Reports in a headless browser: on a phone nothing is wider than the screen, and printing gives pages."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess

import numpy as np
import pytest

from fdx.datasets.bearing_rig.machines import MACHINES
from fdx.datasets.bearing_rig.simulator import recordings as simulated
from fdx.evaluate.machine_report import recording_page
from fdx.evaluate.machine_report_channel import Machine
from fdx.evaluate.machine_report_history import history_page
from fdx.health.course import Limit
from tests.health.machine_history import make, rows_of

NAMES = ('chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome')
# A phone, in CSS pixels.
WIDTH, HEIGHT = 390, 844
MEASURED = '<script>document.title = "wide " + document.documentElement.scrollWidth;</script></body>'


@pytest.fixture(scope='module')
def browser():
    """browser(*arguments) -> standard output of a headless browser; a skip where there is none."""
    found = next((path for path in map(shutil.which, (os.environ.get('FDX_CHROMIUM', ''), *NAMES)) if path), None)
    if found is None:
        pytest.skip('there is no Chromium to look at pages with: install it, or name it in FDX_CHROMIUM')

    def run(*arguments: str) -> str:
        common = ('--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', f'--window-size={WIDTH},{HEIGHT}')
        done = subprocess.run([found, *common, *arguments], capture_output=True, text=True, timeout=120, check=True)
        return done.stdout

    return run


@pytest.fixture(scope='module')
def pages(tmp_path_factory) -> dict[str, str]:
    """Three pages: about a fault, about several channels of which little is known, and about a history."""
    options = {'speeds': (997.0,), 'load_cases': (1,), 'duration_s': 4.0, 'sample_rate_hz': 16000, 'seed': 3}
    fault = next(r for r in simulated(['rig_a'], **options) if r.label == 'outer_race')
    known = {'samples': fault.samples[:, :1], 'channel_names': (), 'geometry': MACHINES['rig_a'].geometry}
    long_name = 'a_very_long_name_of_a_file_that_no_phone_can_show_on_one_line_of_its_screen_2026-01-31T12-00-00.csv'
    bare = dataclasses.replace(
        fault, samples=np.repeat(fault.samples[:, :1], 3, axis=1), channel_names=(), geometry=None
    )
    workdir = tmp_path_factory.mktemp('plant') / 'pump7'
    make(workdir, rows_of(100, 1, np.where(np.arange(100) < 50, 0.0, 0.06 * np.arange(-20, 80))))
    return {
        'fault': recording_page(dataclasses.replace(fault, **known), Machine('g', 2, 'rigid')),
        'bare': recording_page(dataclasses.replace(bare, recording=long_name, source='')),
        'history': history_page(workdir, Limit(80.0)),
    }


@pytest.mark.parametrize('name', ['fault', 'bare', 'history'])
def test_a_phone_and_a_printer(browser, pages, tmp_path, name):
    file, measured = tmp_path / f'{name}.html', tmp_path / 'measured.html'
    file.write_text(pages[name], encoding='utf-8')
    measured.write_text(pages[name].replace('</body>', MEASURED), encoding='utf-8')
    wide = re.search(r'<title>wide (\d+)</title>', browser('--dump-dom', measured.as_uri()))
    assert wide is not None and int(wide[1]) <= WIDTH
    picture, printed = tmp_path / f'{name}.png', tmp_path / f'{name}.pdf'
    browser(f'--screenshot={picture}', file.as_uri())
    browser(f'--print-to-pdf={printed}', '--no-pdf-header-footer', file.as_uri())
    # An empty page compresses to a few kilobytes.
    assert picture.stat().st_size > 20_000
    count = len(re.findall(rb'/Type\s*/Page\b', printed.read_bytes()))
    assert 1 <= count <= 20
