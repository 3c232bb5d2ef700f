"""Every file is looked at once: what cannot be read is said, copies and wrong speeds are found."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fdx.data.collection.collect import open_collection
from fdx.data.collection.entry import Shared
from fdx.data.collection.spec import CollectionSpec
from fdx.datasets.bearing_rig.simulator import recordings
from fdx.inspect.copies import find_copies
from fdx.inspect.look import look_at_all
from fdx.inspect.quality import quality_findings
from tests.inspect.recordings import some_facts, write_wav

RATE_HZ = 8000


@pytest.fixture(scope='module')
def noise():
    rng = np.random.default_rng(0)
    return lambda seconds=2.0: rng.standard_normal(round(seconds * RATE_HZ))


@pytest.fixture(scope='module')
def mess(tmp_path_factory, noise):
    """A folder as users have it."""
    root = tmp_path_factory.mktemp('mess')
    first = noise()
    write_wav(root / 'healthy' / '0.wav', first)
    write_wav(root / 'inner' / 'copy.wav', first)
    write_wav(root / 'inner' / 'cut.wav', 0.3 * first[3000:] + 0.1)
    write_wav(root / 'inner' / 'own.wav', noise())
    write_wav(root / 'inner' / 'clipped.wav', np.clip(noise(), -1, 1))
    write_wav(root / 'inner' / 'short.wav', noise(0.01))
    dead, wild = noise(), noise()
    dead[4000:9000], wild[500] = 0, 500
    write_wav(root / 'healthy' / 'dead.wav', dead)
    write_wav(root / 'healthy' / 'wild.wav', wild)
    write_wav(root / 'healthy' / 'constant.wav', np.ones(8000))
    (root / 'inner' / 'empty.wav').write_bytes(b'')
    (root / 'inner' / 'broken.mat').write_bytes(b'MATLAB 5.0 ' * 50)
    (root / 'inner' / 'words.csv').write_text('hello,world\nfoo,bar\n')
    table = np.c_[np.arange(16000) / RATE_HZ, noise()]
    np.savetxt(root / 'inner' / 'table.csv', table, delimiter=',', header='time_s,acc', comments='')
    np.save(root / 'inner' / 'no_rate.npy', noise().astype(np.float32))
    return root


@pytest.fixture(scope='module')
def looks(mess):
    return {look.facts.recording: look for look in look_at_all(open_collection(mess))}


def test_what_cannot_be_used_has_its_error_and_the_others_go_on(looks):
    errors = {name: look.facts.error for name, look in looks.items() if look.facts.error}
    unusable = {'broken.mat', 'empty.wav', 'words.csv', 'no_rate.npy'}
    assert set(errors) == {f'inner/{n}' for n in unusable} | {'healthy/constant.wav'}
    assert 'empty' in errors['inner/empty.wav'] and '`sample_rate_hz`' in errors['inner/no_rate.npy']
    assert 'constant' in errors['healthy/constant.wav']


def test_facts_are_those_of_the_file(looks):
    own, table = looks['inner/own.wav'].facts, looks['inner/table.csv'].facts
    assert (own.format, own.sample_rate_hz, own.rate_from, own.duration_s) == ('wav', 8000.0, 'header', 2.0)
    assert (table.rate_from, table.channels[0].name, table.sample_rate_hz) == ('clock', 'acc', 8000.0)
    (channel,) = own.channels
    assert channel.rms == pytest.approx(1, rel=0.05) and channel.kurtosis == pytest.approx(3, rel=0.1)
    assert channel.crest == pytest.approx(channel.peak / channel.rms) and abs(channel.bias) < 0.05
    assert looks['inner/clipped.wav'].facts.clipped > 300
    assert looks['healthy/dead.wav'].facts.dead_share == pytest.approx(5000 / 16000, abs=0.01)
    assert looks['healthy/wild.wav'].facts.wild == 1


def test_copies_are_found_under_other_names_gains_and_starts(looks):
    found = {(c.first, c.second): (c.exact, c.labels) for c in find_copies(list(looks.values()))}
    both = ('healthy', 'inner')
    assert found == {
        ('healthy/0.wav', 'inner/copy.wav'): (True, both),
        ('healthy/0.wav', 'inner/cut.wav'): (False, both),
        ('inner/copy.wav', 'inner/cut.wav'): (False, ('inner', 'inner')),
    }


def test_findings_name_the_files(looks):
    facts = [look.facts for look in looks.values()]
    found = quality_findings(facts, find_copies(list(looks.values())))
    texts = {f.kind: f.text for f in found}
    assert '5 recordings of 14' in texts['unreadable']
    assert 'inner/clipped.wav' in texts['clipped']
    assert 'healthy/dead.wav' in texts['dead'] and 'healthy/wild.wav' in texts['wild']
    copies = [f for f in found if f.kind == 'copies']
    assert all('two different labels' in f.text and f.severity == 'error' for f in copies) and len(copies) == 2


def test_a_stated_speed_is_held_against_the_vibration(tmp_path):
    """The same recordings, once with the right speed and once with that of a slower machine."""
    rows = ['file,label,speed_rpm']
    for r in recordings(['rig_b'], speeds=(1497.0,), load_cases=(0,), duration_s=4.0, seed=1):
        write_wav(tmp_path / f'{r.recording}.wav', r.samples[:, 0], round(r.sample_rate_hz))
        rows += [f'{r.recording}.wav,{r.label},{{}}']
    kinds = {}
    for stated in (1497, 1100):
        (tmp_path / 'm.csv').write_text('\n'.join(rows).replace('{}', str(stated)))
        facts = [look.facts for look in look_at_all(open_collection(tmp_path / 'm.csv'))]
        assert any(f.estimate_rpm == pytest.approx(1497, rel=0.02) for f in facts)
        kinds[stated] = {f.kind: f.text for f in quality_findings(facts, [])}
    assert 'speed' not in kinds[1497]
    assert 'states 1100 rpm' in kinds[1100]['speed']


def test_speeds_that_are_all_off_by_one_factor_point_to_the_rate():
    """HIT's files at 48000 Hz instead of 51200 Hz: every speed seems 0.94 times as fast."""
    rng = np.random.default_rng(0)
    facts = [
        some_facts('a', i, rng=rng, sample_rate_hz=48000.0, speed_rpm=rpm, estimate_rpm=rpm * 0.94 * (1 + 0.002 * i))
        for i, rpm in enumerate((600.0, 900.0, 1200.0, 1200.0))
    ]
    (finding,) = quality_findings(facts, [])
    assert finding.kind == 'speed' and 'one factor, 0.94' in finding.text
    assert 'about 50900 Hz instead of 48000 Hz' in finding.text
    one = [*facts[:1], *[dataclasses.replace(f, estimate_rpm=f.speed_rpm) for f in facts[1:]]]
    (finding,) = quality_findings(one, [])
    assert '1 of 4 recordings' in finding.text and 'factor,' not in finding.text


def test_a_rate_that_is_given_says_who_gave_it(tmp_path, noise):
    np.save(tmp_path / 'a.npy', noise())
    np.save(tmp_path / 'b.npy', noise())
    (tmp_path / 'm.csv').write_text('file,label,sample_rate_hz\na.npy,x,4 kHz\nb.npy,y,\n')
    spec = CollectionSpec(str(tmp_path / 'm.csv'), shared=Shared(sample_rate_hz=8000.0))
    facts = [look.facts for look in look_at_all(open_collection(spec))]
    assert [(f.sample_rate_hz, f.rate_from) for f in facts] == [(4000.0, 'manifest'), (8000.0, 'given for all')]


def test_an_unexpected_error_ends_one_file_only(mess, monkeypatch):
    from fdx.inspect import look

    def broken(entry, shared):
        raise RuntimeError(f'no idea {entry.label}')

    monkeypatch.setattr(look, 'read_entry', broken)
    errors = [found.facts.error for found in look.look_at_all(open_collection(mess))]
    assert len(errors) == 14 and all('RuntimeError: no idea' in e for e in errors)


def test_a_long_recording_is_measured_in_parts(tmp_path, monkeypatch):
    """Its level rises from part to part; only eight parts are read."""
    from fdx.inspect import look

    monkeypatch.setattr(look, 'LARGE_BYTES', 1000)
    monkeypatch.setattr(look, 'LONG_VALUES', 10_000)
    monkeypatch.setattr(look, 'PART_S', 0.5)
    rng = np.random.default_rng(0)
    x = rng.standard_normal(RATE_HZ * 40) * np.linspace(0.5, 1.5, RATE_HZ * 40)
    write_wav(tmp_path / 'day.wav', x)
    (found,) = look.look_at_all(open_collection(tmp_path))
    assert (found.facts.duration_s, found.facts.breaks) == (40.0, 0)
    assert found.facts.channels[0].rms == pytest.approx(x.std(), rel=0.05)
    assert '8 parts of 0.5 s' in found.facts.notes[-1]
    assert found.starts[-1] + found.length <= 8 * 4000 + found.length // 2


def test_a_group_of_snippets_is_one_recording_without_lost_time(tmp_path):
    rng = np.random.default_rng(0)
    rows = ['file,label,group']
    for i in range(6):
        write_wav(tmp_path / f'{i}.wav', rng.standard_normal(800))
        rows.append(f'{i}.wav,{"ab"[i // 3]},{"ab"[i // 3]}')
    (tmp_path / 'm.csv').write_text('\n'.join(rows))
    facts = [found.facts for found in look_at_all(open_collection(tmp_path / 'm.csv'))]
    assert [(f.recording, f.samples, f.breaks) for f in facts] == [('a', 2400, 0), ('b', 2400, 0)]
