"""Collections by folder, by pattern and by manifest: what becomes of names, cells and ugly folders."""

from __future__ import annotations

import dataclasses
import math
import os

import h5py
import numpy as np
import pytest

from fdx.data.collection.collect import open_collection
from fdx.data.collection.entry import Shared
from fdx.data.collection.fault_words import fault_type_of
from fdx.data.collection.manifest import read_manifest, write_manifest
from fdx.data.collection.read import read_entry
from fdx.data.collection.spec import CollectionSpec
from fdx.data.raw.binary import BinaryFormat
from fdx.data.raw.format import TextFormat
from fdx.types import ConfigError, DataError


@pytest.fixture
def put(tmp_path):
    """put('a/b.npy', ...) -> the folder; every file holds 100 samples of two channels that tell files apart."""

    def make(*names):
        for i, name in enumerate(names):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, np.arange(200.0).reshape(100, 2) + 1000 * i) if name.endswith('.npy') else path.write_text(
                'x'
            )
        return tmp_path

    return make


def test_a_folder_per_class_may_be_nested_and_hold_other_things(put):
    root = put('inner/1.npy', 'inner/monday/2.npy', 'Good/3.npy', 'inner/notes.md', '.cache/4.npy', 'Good/._3.npy')
    collection = open_collection(root)
    assert [(e.recording, e.label, e.fault_type) for e in collection.entries] == [
        ('Good/3.npy', 'Good', 'normal'),
        ('inner/1.npy', 'inner', 'inner_race'),
        ('inner/monday/2.npy', 'inner', 'inner_race'),
    ]
    assert collection.labels() == ['Good', 'inner']
    assert dict(collection.ignored) == {'inner/notes.md': 'another suffix', 'Good/._3.npy': 'hidden'}
    assert {e.domain for e in collection.entries} == {'all'}


def test_links_in_a_circle_end(put):
    root = put('inner/1.npy', 'good/2.npy')
    os.symlink(root, root / 'good' / 'again')
    assert len(open_collection(root).entries) == 2


def test_loose_files_beside_folders_are_refused(put):
    with pytest.raises(DataError, match=r'1 files lie beside .*5\.npy; move'):
        open_collection(put('inner/1.npy', '5.npy'))


def test_a_folder_without_classes_can_be_looked_at(put):
    assert {e.label for e in open_collection(put('1.npy', '2.npy')).entries} == {''}


@pytest.mark.parametrize(('names', 'words'), [((), 'no recordings'), (('a.md',), 'no recordings')])
def test_an_empty_folder_is_refused(put, names, words):
    with pytest.raises(DataError, match=words):
        open_collection(put(*names))


def test_what_does_not_exist_is_refused_with_the_kinds(tmp_path):
    for name in ('nowhere', 'nowhere.csv', 'm.docx'):
        with pytest.raises(DataError, match=r'nowhere|m\.docx'):
            open_collection(tmp_path / name)


def test_a_pattern_reads_numbers_with_units_and_labels_with_separators(put):
    root = put('0600_GoB_GS_WA_00lb.npy', '1200_HIR_GS_WA_11lb.npy')
    spec = CollectionSpec(str(root), '{speed_rpm}_{label}_{load}.npy', (('GoB*', 'normal'), ('?IR*', 'inner_race')))
    entries = open_collection(spec).entries
    assert [(e.label, e.speed_rpm, e.load, e.domain) for e in entries] == [
        ('normal', 600.0, 0.0, '600 rpm, load 0'),
        ('inner_race', 1200.0, 11.0, '1200 rpm, load 11'),
    ]


def test_a_pattern_with_folders_and_parts_that_do_not_count(put):
    root = put('pump1/IR_30Hz_a7.npy', 'pump2/N_30Hz_a9.npy')
    entries = open_collection(CollectionSpec(str(root), '{machine}/{label}_{speed_rpm}_{_}.npy')).entries
    assert [(e.machine, e.label, e.speed_rpm, e.domain) for e in entries] == [
        ('pump1', 'IR', 1800.0, 'pump1'),
        ('pump2', 'N', 1800.0, 'pump2'),
    ]


@pytest.mark.parametrize(
    ('pattern', 'words'),
    [
        ('{label', 'at least one field|braces'),
        ('{label}_{label}.npy', 'stands twice'),
        ('*.npy', 'at least one field'),
        ('{label}_{load}}.npy', 'braces'),
    ],
)
def test_impossible_patterns_are_refused(put, pattern, words):
    with pytest.raises(ConfigError, match=words):
        open_collection(CollectionSpec(str(put('a_1.npy')), pattern))


def test_names_that_do_not_follow_the_pattern_are_named(put):
    with pytest.raises(DataError, match=r'2 of 3 files .*b\.npy, c\.npy; change the pattern'):
        open_collection(CollectionSpec(str(put('a_1.npy', 'b.npy', 'c.npy')), '{label}_{load}.npy'))


def test_a_manifest_says_everything(put):
    root = put('x/1.npy', 'x/2.npy', 'x/3.npy')
    (root / 'm.csv').write_text(
        'Filename;Class;RPM;Machine;bearing;bearing_id;Channel;start_s;stop_s;split;operator\n'
        'x/1.npy;IR;1797;A;skf_6205;b1;0;0,5;2;train;Ann\n'
        '# x/9.npy;left out\n'
        '\n'
        'x\\2.npy;ok;30 Hz;B;;;1;;;Test;\n'
    )
    collection = open_collection(root / 'm.csv')
    first, second = collection.entries
    assert (first.recording, first.start_s, first.stop_s, first.split) == ('x/1.npy#0@0.5s', 0.5, 2.0, 'train')
    assert (first.geometry.num_balls, first.bearing_id, first.channel, first.domain) == (9, 'b1', '0', 'A')
    assert (second.speed_rpm, second.fault_type, second.split, second.geometry) == (1800.0, 'normal', 'test', None)
    assert math.isnan(second.load)
    assert collection.extra == ('operator',)


def test_values_that_all_share_give_way_to_those_of_a_row(put):
    root = put('1.npy', '2.npy')
    (root / 'm.csv').write_text('file,label,speed_rpm\n1.npy,a,900\n2.npy,b,\n')
    shared = Shared(speed_rpm=1500.0, bearing='skf_6203', machine='M', load=2.0, channel='1', sample_rate_hz=100.0)
    first, second = open_collection(CollectionSpec(str(root / 'm.csv'), shared=shared)).entries
    assert (first.speed_rpm, second.speed_rpm) == (900.0, 1500.0)
    assert {e.geometry.num_balls for e in (first, second)} == {8}
    assert (first.machine, first.load, first.channel, first.sample_rate_hz) == ('M', 2.0, '1', 100.0)
    assert [e.domain for e in (first, second)] == ['900 rpm', '1500 rpm']


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('', 'is empty'),
        ('label,rpm\na,1\n', 'no column file'),
        ('file,path,label\n1.npy,1.npy,a\n', 'file and path both mean file'),
        ('file,label\n', 'no row below'),
        ('file,label\n,a\n', 'row 2 names no file'),
        ('file,label\n9.npy,a\n', r'row 2.*9\.npy'),
        ('file,label\n1.npy,a\n1.npy,b\n', r'row 3.*named already.*row 2'),
        ('file,label,speed_rpm\n1.npy,a,fast\n', "row 2: speed_rpm is 'fast'"),
        ('file,label,fs\n1.npy,a,0\n', "sample_rate_hz is '0'"),
        ('file,label,fs\n1.npy,a,12 mm\n', 'hz, khz'),
        ('file,label,split\n1.npy,a,maybe\n', 'train, validation, test'),
        ('file,label,bearing\n1.npy,a,pump bearing 3\n', 'bearing_id'),
        ('file,label,start_s,stop_s\n1.npy,a,3,2\n', 'not above start_s'),
        ('file,label\n1.npy,a,b,c\n', '4 cells under 2 columns'),
        ('\0\1\2', 'not a text file'),
    ],
)
def test_ugly_manifests_are_refused_with_the_row(put, text, words):
    root = put('1.npy')
    (root / 'm.csv').write_text(text)
    with pytest.raises(DataError, match=words):
        open_collection(root / 'm.csv')


def test_encodings_of_spreadsheets_are_read(put):
    root = put('1.npy')
    for encoding, separator in (('utf-8-sig', ','), ('utf-16', '\t'), ('cp1252', ';')):
        text = separator.join(('file', 'label')) + '\n' + separator.join(('1.npy', 'Fräser')) + '\n'
        (root / 'm.csv').write_bytes(text.encode(encoding))
        assert open_collection(root / 'm.csv').labels() == ['Fräser'], encoding


def test_an_excel_workbook_is_a_manifest_where_openpyxl_is_installed(put):
    openpyxl = pytest.importorskip('openpyxl', reason='openpyxl is optional: pip install openpyxl')
    root, book = put('1.npy'), openpyxl.Workbook()
    for row in (('file', 'label', 'rpm'), ('1.npy', 'IR', 1797.0)):
        book.active.append(row)
    book.save(root / 'm.xlsx')
    entry = open_collection(root / 'm.xlsx').entries[0]
    assert (entry.label, entry.speed_rpm) == ('IR', 1797.0)


def test_a_written_manifest_is_read_again(put):
    root = put('1.npy', '2.npy')
    rows = [{'file': '1.npy', 'label': 'a, b', 'speed_rpm': '900'}, {'file': '2.npy', 'label': 'c', 'load': ''}]
    write_manifest(root / 'm.csv', rows)
    found, extra = read_manifest(root / 'm.csv')
    assert [cells for _, cells in found] == [rows[0], {'file': '2.npy', 'label': 'c'}]
    assert extra == []


def test_a_pattern_beside_a_manifest_is_refused(put):
    root = put('1.npy')
    (root / 'm.csv').write_text('file,label\n1.npy,a\n')
    with pytest.raises(ConfigError, match='`pattern`'):
        open_collection(CollectionSpec(str(root / 'm.csv'), '{label}.npy'))


def test_files_of_a_group_are_one_recording_with_time_missing_between(put):
    root = put('1.npy', '2.npy', '3.npy')
    (root / 'm.csv').write_text('file,label,group,fs\n2.npy,a,g,100\n1.npy,a,g,100\n3.npy,b,,100\n')
    single, group = open_collection(root / 'm.csv').entries
    recording = read_entry(group)
    assert (group.recording, len(group.files), single.recording) == ('g', 2, '3.npy')
    assert recording.time_breaks == (100,)
    np.testing.assert_array_equal(recording.samples[[0, 100], 0], [0, 1000])
    (root / 'm.csv').write_text('file,label,group\n2.npy,a,g\n1.npy,b,g\n')
    with pytest.raises(DataError, match=r"row 3: group g has label 'b' here and 'a' at .*row 2"):
        open_collection(root / 'm.csv')


def test_a_piece_of_a_file_and_a_channel_are_read(put):
    root = put('1.npy')
    (root / 'm.csv').write_text('file,label,channel,start_s,stop_s,fs\n1.npy,a,1,0.2,0.5,100\n1.npy,b,0,0.5,,100\n')
    second, first = (read_entry(e) for e in open_collection(root / 'm.csv').entries)
    np.testing.assert_array_equal(first.samples[:, 0], np.arange(41, 101, 2))
    np.testing.assert_array_equal(second.samples[:, 0], np.arange(100, 200, 2))
    assert first.acquisition == second.acquisition
    (root / 'm.csv').write_text('file,label,start_s,fs\n1.npy,a,7,100\n')
    with pytest.raises(DataError, match=r'1\.npy'):
        read_entry(open_collection(root / 'm.csv').entries[0])


def test_signals_of_a_file_are_recordings_and_those_of_a_group_one_run(tmp_path):
    names = [f'run{i}/{axis}' for i in range(2) for axis in ('x', 'y')]
    with h5py.File(tmp_path / 'all.h5', 'w') as opened:
        for i, name in enumerate(names):
            opened[name] = i + 0.5 * np.arange(300)
    (tmp_path / 'm.csv').write_text('\n'.join(['file,variable,fs', *(f'all.h5,{name},1000' for name in names)]))
    found = open_collection(tmp_path / 'm.csv')
    assert found.values('recording') == [f'all.h5:{name}' for name in names]
    assert found.values('run') == ['all.h5:run0'] * 2 + ['all.h5:run1'] * 2
    read = read_entry(found.entries[3])
    assert read.samples[0, 0] == 3.0 and read.source.endswith('m.csv, row 5')
    # Without groups nobody knows whether X105_DE_time and X105_FE_time are of one run: they are taken for one.
    (tmp_path / 'm.csv').write_text('file,variable\nall.h5,x1\nall.h5,x2\n')
    assert open_collection(tmp_path / 'm.csv').values('run') == ['all.h5'] * 2


def test_a_description_of_recordings_survives_json(tmp_path):
    shared = Shared(
        speed_rpm=900.0, text_format=TextFormat(columns=('a', 'b')), binary_format=BinaryFormat('int16', num_channels=2)
    )
    spec = CollectionSpec(str(tmp_path), '{label}.bin', (('a*', 'x'),), shared)
    assert CollectionSpec.from_json(spec.to_json()) == spec
    plain = CollectionSpec(str(tmp_path))
    assert CollectionSpec.from_json(plain.to_json()) == plain
    assert os.path.isabs(CollectionSpec.from_json(dataclasses.replace(plain, source='here').to_json()).source)
    with pytest.raises(ConfigError, match='`recordings`'):
        CollectionSpec.from_json('{"source": 3}')


@pytest.mark.parametrize(
    ('label', 'kind'),
    [
        ('IR007_1', 'inner_race'),
        ('OR021@6', 'outer_race'),
        ('ball_014', 'ball'),
        ('InnerRace', 'inner_race'),
        ('Healthy pump', 'normal'),
        ('no fault', 'normal'),
        ('light inner race', 'inner_race'),
        ('unbalance_6g', 'imbalance'),
        # What must not be taken for something else.
        ('not ok', 'not ok'),
        ('unhealthy', 'unhealthy'),
        ('abnormal', 'abnormal'),
        ('inner_and_outer', 'inner_and_outer'),
        ('horizontal', 'horizontal'),
        ('belt', 'belt'),
        ('gear_chipped', 'gear_chipped'),
    ],
)
def test_fault_types_are_read_from_names_and_not_guessed(label, kind):
    assert fault_type_of(label) == kind
