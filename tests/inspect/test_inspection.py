"""All of it together: findings, advice, commands, and what a program or a report takes from them."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import scipy.io.wavfile

import fdx
from fdx.data.collection.entry import Shared
from fdx.data.collection.spec import CollectionSpec
from fdx.data.raw.binary import BinaryFormat
from fdx.data.raw.format import TextFormat
from fdx.datasets.bearing_rig.simulator import recordings
from fdx.inspect.commands import Advice, commands_of, dataset_name
from fdx.inspect.inspection import inspect_looks
from fdx.inspect.look import Look
from fdx.inspect.page import inspection_page
from fdx.inspect.text import inspection_text
from fdx.types import DataError
from tests.inspect.recordings import some_facts, write_wav

RNG = np.random.default_rng(0)


def look(facts) -> Look:
    return Look(facts, np.zeros(0, np.int64), 1, np.zeros((0, 32), np.int64))


def inspect(facts, **kwargs):
    return inspect_looks([look(f) for f in facts], 'bench', CollectionSpec('bench'), **kwargs)


def grid(labels=('normal', 'inner_race'), count: int = 4, **fields):
    return [some_facts(c, i, rng=RNG, **fields) for c in labels for i in range(count)]


def test_the_front_door_inspects_a_folder(tmp_path):
    for k, label in enumerate(('good', 'inner')):
        for i in range(3):
            write_wav(tmp_path / label / f'{i}.wav', np.random.default_rng([k, i]).standard_normal(16000))
    seen = []
    found = fdx.inspect(tmp_path, progress=lambda entries: seen.append(len(entries)) or entries)
    assert seen == [6] and len(found.recordings) == 6 and found.findings == []
    assert (found.advice.front_end, found.advice.protocol) == ('band_mel', 'by_recording')
    assert f'recordings={tmp_path}' in found.commands[0]
    assert 'nothing' in repr(found)
    assert 'Nothing was found' in inspection_page(found) and 'Nothing.' in inspection_text(found)
    with pytest.raises(DataError, match='does not exist'):
        fdx.inspect(tmp_path / 'nowhere')


def test_everything_is_json_even_where_nothing_is_known():
    broken = dataclasses.replace(some_facts('normal', 9, rng=RNG), channels=(), samples=0, error='it is broken')
    found = inspect([*grid(), broken])
    text = json.dumps(found.to_dict(), allow_nan=False)
    assert json.loads(text)['findings'][0]['kind'] == 'unreadable'
    only = inspect([broken])
    assert only.protocols is None and only.commands == () and [f['kind'] for f in only.findings] == ['unreadable']
    assert 'it is broken' in inspection_text(only) and 'it is broken' in inspection_page(only)
    with pytest.raises(DataError):
        inspect([])


def test_findings_begin_with_the_worst_and_have_remedies():
    facts = [*grid(count=2), *grid(('outer_race',), 12), dataclasses.replace(some_facts('x', 0, rng=RNG), label='')]
    found = inspect(facts).findings
    order = ['error', 'warning', 'note']
    assert [f['severity'] for f in found] == sorted((f['severity'] for f in found), key=order.index)
    kinds = {f['kind']: f for f in found}
    assert {'labels', 'classes', 'balance'} <= set(kinds)
    assert all(f['remedy'] for f in found) and 'outer_race has 12 recordings' in kinds['balance']['text']


def test_classes_that_were_recorded_at_different_speeds_are_confounded():
    facts = [
        dataclasses.replace(f, speed_rpm=r, domain=f'{r:g} rpm')
        for f in grid(count=6)
        for r in ((900.0,) if f.label == 'normal' else (1800.0,))
    ]
    kinds = {f['kind']: f['text'] for f in inspect(facts).findings}
    assert 'normal (1 of 2)' in kinds['confounded'] and 'normal 900 rpm' in kinds['shortcut']


def test_fault_types_that_can_be_tested_by_bearing_are_offered():
    labels = ('normal_a', 'normal_b', 'normal_c', 'inner_07', 'inner_14', 'inner_21')
    facts = [dataclasses.replace(f, fault_type=f.label.split('_')[0]) for f in grid(labels, 3)]
    found = {f['kind']: f for f in inspect(facts).findings}
    assert 'inner, normal' in found['label_key']['text'] and '`label_key=fault_type`' in found['label_key']['remedy']


def test_commands_repeat_what_the_user_said():
    shared = Shared(
        sample_rate_hz=25600.0,
        speed_rpm=1480.0,
        bearing='skf_6205',
        channel='x,y',
        text_format=TextFormat(time_unit='ms'),
        binary_format=BinaryFormat('int16', 2),
    )
    spec = CollectionSpec('/data/My Bench', '{label}_{load}.csv', (('IR*', 'inner race'),), shared)
    train, evaluate, predict = commands_of(spec, Advice('musicnn', 1.0, 'by_domain', match_level=True), 'vggish')
    assert train.startswith("fdx train --dataset=recordings/my_bench-musicnn --recordings='/data/My Bench' ")
    for flag in (
        "--pattern='{label}_{load}.csv'",
        "--label_map='IR*=inner race'",
        '--sample_rate=25600',
        '--speed_rpm=1480',
        '--bearing=skf_6205',
        '--channel=x,y',
        '--time_unit=ms',
        '--dtype=int16 --channels=2',
        '--match_level',
        '--protocol=by_domain',
    ):
        assert flag in train
    assert evaluate == 'fdx evaluate --checkpoint=runs/my_bench'
    assert predict.endswith('--sample_rate=25600 --speed_rpm=1480 --bearing=skf_6205 --channel=x,y NEW_FILES')
    assert dataset_name('a/b/Pump #3/') == 'pump_3' and dataset_name('m.csv') == 'm' and dataset_name('/') == 'mine'


def test_long_tables_are_cut_on_the_terminal_and_counted():
    text = inspection_text(inspect(grid(count=30)), rows=5)
    assert '... and 55 more rows' in text
    assert text.count('normal_') < 20  # some front ends name a recording that is too short for them


def test_the_page_escapes_names():
    found = inspect(grid(('<b>normal</b>', 'inner_race')))
    page = inspection_page(found)
    assert '<b>normal' not in page and '&lt;b&gt;normal' in page


@pytest.mark.parametrize(('seed', 'how'), [(1, 'npy'), (2, 'wav'), (3, 'normalised')])
def test_a_simulated_machine_on_disk_has_no_shortcut(tmp_path, seed, how):
    """As floats, as counts of one gain, and as WAV files of which each was scaled to its own peak."""
    for r in recordings(['rig_c'], speeds=(497.0, 997.0, 1797.0), load_cases=(0, 2), duration_s=1.2, seed=seed):
        x, name = r.samples[:, 0], r.recording
        if how == 'npy':
            np.save(tmp_path / f'{name}.npy', x)
        else:
            gain = 32000 / (np.abs(x).max() if how == 'normalised' else 40.0)
            scipy.io.wavfile.write(tmp_path / f'{name}.wav', 20480, np.round(gain * x).astype(np.int16))
    suffix = 'npy' if how == 'npy' else 'wav'
    shared = Shared(sample_rate_hz=20480.0)
    found = fdx.inspect(
        CollectionSpec(str(tmp_path), f'{{_}}-{{label}}-{{speed_rpm}}-load{{load}}.{suffix}', (), shared)
    )
    assert len(found.usable) == 18 and found.audit.left_out == 'domains'
    assert not found.audit.shortcuts() and not found.audit.in_order()
    assert [f for f in found.findings if f['severity'] != 'note'] == []
    assert found.advice.protocol == 'by_domain'
