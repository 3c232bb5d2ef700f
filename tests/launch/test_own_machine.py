"""docs/tutorials/own_machine.md: every command of the page runs, in its order, on some of the real files."""

from __future__ import annotations

import contextlib
import csv
import glob
import json
import pathlib
import re
import shlex
import subprocess

import pytest

PAGE = pathlib.Path(__file__).resolve().parents[2] / 'docs' / 'tutorials' / 'own_machine.md'
# Three speeds and three classes of ADI; the smallest faults of HIT.
STATES = ('GoB_GS_BaLo_WA', 'GoB_GS_HImL_WA', 'HIR_GS_BaLo_WA')
ADI = [f'{speed}_{state}_00lb.Wfm.csv' for speed in (1200, 1800, 2400) for state in STATES]
HIT = [f'{state}_{speed}.mat' for state in ('Normal', 'IR2', 'OR2') for speed in (600, 900, 1200)]
# A training of seconds, and an end of what would go on; everything else is as the page shows it.
SHORTER = {
    'fdx train': ['--epochs=3', '--save_every=3'],
    'fdx predict': ['--format=table'],
    'fdx predict --watch': ['--format=table', '--once', '--settle_s=0', '--poll_s=0.05'],
}


def commands() -> list[str]:
    """The lines of the page's sh blocks, with continued lines joined."""
    blocks = re.findall(r'^```sh\n(.*?)^```$', PAGE.read_text(encoding='utf-8'), flags=re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.replace('\\\n', ' ').splitlines() if line.strip()]


@pytest.fixture(scope='module')
def ran(raw_data, call, tmp_path_factory):
    """(folder in which all commands ran, [(command, what it left)])."""
    home, folders = tmp_path_factory.mktemp('own machine'), {}
    for name, files in (('adi_cbm', ADI), ('hit_mfs', HIT)):
        folders[name] = home / name
        folders[name].mkdir()
        for file in files:
            (folders[name] / file).symlink_to((raw_data / name / file).resolve())
    (home / 'incoming').mkdir()
    (home / 'incoming' / ADI[5]).symlink_to((raw_data / 'adi_cbm' / ADI[5]).resolve())
    done = []
    with contextlib.chdir(home):
        for line in commands():
            folder = folders['hit_mfs' if line.startswith('cp ') else 'adi_cbm'].name
            done.append((line, _run(re.sub(r'\bFOLDER\b', folder, line), call)))
    return home, done


def _run(line: str, call):
    words = [path for word in shlex.split(line) for path in (sorted(glob.glob(word)) or [word])]
    if words[0] != 'fdx':
        return subprocess.run(words, check=True)
    kind = ' '.join(words[:2] + ['--watch'] * ('--watch' in words))
    one_fold = ['--fold=0'] * ('--dataset=recordings/hit' in words)
    return call(words[1], *words[2:], *SHORTER.get(kind, []), *one_fold)


def _of(ran, *words: str):
    """What the only command with these words left."""
    found = [done for line, done in ran[1] if all(word in line for word in words)]
    assert len(found) == 1, [line for line, _ in ran[1]]
    return found[0]


def test_all_commands_end_as_the_page_says(ran):
    codes = {line: getattr(done, 'code', 0) for line, done in ran[1]}
    errors = {line: done.err[-2000:] for line, done in ran[1] if codes[line] and line != 'fdx inspect FOLDER'}
    assert not errors and len(codes) >= 12
    # Files without classes are an error of inspect.
    assert codes['fdx inspect FOLDER'] == 1


def test_inspect_says_what_is_missing_and_then_what_can_be_shown(ran):
    assert 'ERROR (labels): none of the recordings has a class' in _of(ran, 'inspect FOLDER').out
    out = _of(ran, 'inspect adi.csv').out
    assert re.search(r'by_domain +use this', out) and re.search(r'by_bearing +no ', out)
    assert re.search(r'band_mel +begin here', out) and 'SHORTCUT' not in out
    assert (ran[0] / 'inspection.html').is_file()


def test_the_manifest_has_the_classes_of_the_names(ran):
    with open(ran[0] / 'adi.csv', encoding='utf-8', newline='') as stream:
        rows = list(csv.DictReader(stream))
    assert [row['file'] for row in rows] == [f'adi_cbm/{name}' for name in ADI]
    assert [row['label'] for row in rows[:3]] == ['normal', 'imbalance', 'inner_race']
    assert {row['sample_rate_hz'] for row in rows} == {'20000'} and rows[-1]['speed_rpm'] == '2400'


def test_training_prints_what_it_chose(ran):
    out = _of(ran, 'train', 'recordings/adi').out
    assert 'protocol by_domain: it answers whether the network works at a speed that it has not seen' in out
    assert re.search(r'settings: --model=band_linear .*--protocol=by_domain .*--fold=all', out)


def test_the_report_begins_in_words(ran):
    page = (ran[0] / 'runs' / 'adi' / 'evaluation' / 'report.html').read_text(encoding='utf-8')
    assert re.search(r'\d of 9 recordings were diagnosed rightly', page)
    for title in ('What would help most', 'What the data cannot show', 'The worst recordings'):
        assert title in page


def test_new_files_are_diagnosed_once(ran):
    out = _of(ran, 'predict', '1800_').out
    # A narrow terminal shortens the names.
    assert len([line for line in out.splitlines() if line.startswith('1800_')]) == 3
    assert '3 files: ' in out and (ran[0] / 'new.html').is_file()
    rows = [json.loads(line) for line in (ran[0] / 'runs' / 'watch' / 'predictions.jsonl').read_text().splitlines()]
    assert {row['file'] for row in rows} == {f'incoming/{ADI[5]}'}


def test_the_level_of_hit_is_found_and_then_taken_away(ran):
    assert re.search(r'level +SHORTCUT +normal +100 %', _of(ran, 'inspect hit').out)
    after = _of(ran, 'inspect --dataset').out
    assert re.search(r'level +no ', after) and 'before preparation: The level (RMS)' in after
