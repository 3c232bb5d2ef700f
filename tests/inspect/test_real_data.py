"""Real collections: the shortcuts that are known of them are found, and nothing else."""

from __future__ import annotations

import json

import pytest

from fdx.data.collection.entry import Shared
from fdx.data.collection.manifest import write_manifest
from fdx.data.collection.spec import CollectionSpec
from fdx.datasets.cwru.files import FILES
from fdx.inspect.inspection import inspect_source

pytestmark = pytest.mark.real_data


def test_hit_mixes_volts_and_g(raw_data):
    """Normal is 50 times quieter than the quietest fault at the same speed."""
    spec = CollectionSpec(str(raw_data / 'hit_mfs'), '{label}_{speed_rpm}.mat', shared=Shared(sample_rate_hz=51200.0))
    found = inspect_source(spec)
    (shortcut,) = found.audit.shortcuts()
    assert shortcut.nuisance == 'level' and shortcut.gap == pytest.approx(50, rel=0.05)
    (best, *_) = shortcut.told()
    assert (best.target, best.accuracy) == ('healthy', 1.0)
    (warning,) = [f for f in found.findings if f['severity'] == 'warning']
    assert warning['kind'] == 'shortcut' and 'Normal' in warning['text'] and '`match_level`' in warning['remedy']
    assert found.advice.match_level and found.advice.protocol == 'by_domain'
    assert '--match_level' in found.commands[0] and "--pattern='{label}_{speed_rpm}.mat'" in found.commands[0]
    assert not [f for f in found.findings if f['kind'] == 'speed']


def test_healthy_cwru_was_recorded_at_another_rate(raw_data, tmp_path):
    """The files carry no rate; files.csv states what they were taken at. Only one healthy file is here."""
    rows = [
        {
            'file': str(raw_data / 'cwru' / f.name),
            'label': f.fault,
            'sample_rate_hz': str(f.rate_hz),
            'speed_rpm': str(f.nominal_rpm),
        }
        for f in FILES.values()
        if f.group in ('normal', 'drive_end_12k')
        and f.size_in in (None, 0.007)
        and (raw_data / 'cwru' / f.name).exists()
    ]
    write_manifest(tmp_path / 'm.csv', rows)
    found = inspect_source(str(tmp_path / 'm.csv'))
    shortcuts = [f['text'] for f in found.findings if f['kind'] == 'shortcut']
    assert shortcuts == [
        'The sampling rate tells normal (1 recording) from all other recordings: 48000 Hz against 12000 Hz'
    ]
    assert not [f for f in found.findings if f['kind'] in ('speed', 'unreadable', 'copies')]


def test_mfpt_drifts_from_class_to_class(raw_data):
    """The offset rises from -0.23 V to -0.16 V over the 14 recordings, inner race first; the level does not overlap."""
    found = inspect_source(CollectionSpec(str(raw_data / 'mfpt'), '{label}_vload_{_}.mat'))
    verdicts = {a.nuisance: a.verdict for a in found.audit.nuisances}
    assert verdicts['bias'] == 'shortcut' and verdicts['level'] == 'explained by faults'
    (shortcut,) = [f for f in found.findings if f['kind'] == 'shortcut']
    assert shortcut['severity'] == 'note' and 'fdx removes it' in shortcut['remedy']
    json.dumps(found.to_dict(), allow_nan=False)


def test_adi_has_no_shortcut_and_its_files_are_read_as_they_are(raw_data, tmp_path):
    """Three axes, seven classes of which five are here, three of five speeds; the levels of faults are explained."""
    kinds = {'GoB_GS_BaLo_WA': 'normal', 'HIR*': 'inner_race', 'HOR*': 'outer_race', 'HBF*': 'ball', '*_BS_*': 'bent'}
    for speed in ('1200', '1800', '2400'):
        for name in ('GoB_GS_BaLo_WA', 'HIR_GS_BaLo_WA', 'HOR_GS_BaLo_WA', 'HBF_GS_BaLo_WA', 'GoB_BS_BaLo_WA'):
            file = f'{speed}_{name}_00lb.Wfm.csv'
            (tmp_path / file).symlink_to(raw_data / 'adi_cbm' / file)
    spec = CollectionSpec(
        str(tmp_path), '{speed_rpm}_{label}_{load}.Wfm.csv', tuple(kinds.items()), Shared(sample_rate_hz=20000.0)
    )
    found = inspect_source(spec)
    assert not found.audit.shortcuts() and found.audit.left_out == 'domains'
    assert {f['kind'] for f in found.findings} == {'note'}
    facts = found.recordings[0]
    assert (len(facts.channels), facts.duration_s, facts.speed_rpm, facts.load) == (3, 2.0, 1200.0, 0.0)
    assert facts.channels[0].bias == pytest.approx(0.89, abs=0.01)
    assert found.advice.front_end == 'band_mel'
