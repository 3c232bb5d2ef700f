"""Reports about recordings: they stand alone, say what is known and no more, and never fail on odd recordings."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fdx.datasets.bearing_rig.machines import MACHINES
from fdx.datasets.bearing_rig.simulator import recordings as simulated
from fdx.evaluate import canvas, machine_report
from fdx.evaluate.machine_report import MOST_CHANNELS, recording_page, with_estimated_speed
from fdx.evaluate.machine_report_against import against_fault
from fdx.evaluate.machine_report_channel import Machine, look_at
from fdx.evaluate.machine_report_words import BAD, GOOD, OPEN, next_steps, quality_of, verdict_of
from fdx.predict.evidence_of import Knowledge
from fdx.types import ConfigError, DataError
from tests.evaluate.standalone_page import PIXEL, check_standalone

PLANT = Machine('g', 2, 'rigid')


@pytest.fixture(scope='module', autouse=True)
def coarse_pictures():
    """What the pictures show is looked at by eye; here they are coarse and not laid out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canvas, 'DPI', 40)
        patch.setattr(canvas, 'LAYOUT', None)
        yield


@pytest.fixture
def undrawn(monkeypatch):
    """Pictures are made and not drawn, which takes most of the time: the words are what is tested."""
    monkeypatch.setattr(machine_report, 'figure_to_data_uri', lambda figure: PIXEL)


@pytest.fixture(scope='module')
def made() -> dict:
    """State -> a recording of a simulated rig of 4 s, of one channel."""
    options = {'speeds': (997.0,), 'load_cases': (1,), 'duration_s': 4.0, 'sample_rate_hz': 16000, 'seed': 3}
    geometry = MACHINES['rig_a'].geometry
    return {
        r.label: dataclasses.replace(
            r, samples=r.samples[:, :1], channel_names=(), geometry=geometry, unit='', recording=r.label, source=''
        )
        for r in simulated(['rig_a'], **options)
    }


@pytest.fixture(scope='module')
def outer(made):
    """The outer race, looked at once."""
    return look_at(made['outer_race'], PLANT, name='x')


def test_a_fault_is_told_with_its_probability_zone_and_pictures(made):
    page = check_standalone(recording_page(made['outer_race'], PLANT, [made['normal']]))
    assert 'A fault of the outer race' in page.text and 'zone' in page.text and 'BPFO' in page.text
    assert len(page.attributes('img', 'src')) == 5
    assert 'stands out 1 healthy' in page.text
    for words in (
        'What to do next',
        'Envelope spectrum',
        'Over time',
        'Probabilities',
        '1 healthy',
        'Third',
        'kurtosis',
    ):
        assert words in page.text
    assert '–' not in page.text.split('harmonics (nepers)')[0]


def test_a_sound_machine_is_no_alarm(made, undrawn):
    page = check_standalone(recording_page(made['normal'], PLANT))
    assert 'No bearing fault is seen' in page.text
    assert 'Keep this recording' in page.text and 'Imbalance, misalignment' in page.text


def test_without_a_bearing_or_a_speed_the_page_shows_what_can_be_known(made, undrawn):
    bare = dataclasses.replace(made['outer_race'], geometry=None, speed_rpm=np.nan)
    page = check_standalone(recording_page(bare))
    assert 'No verdict on the bearing' in page.text and '`bearing` and `speed_rpm`' in page.text
    assert len(page.attributes('img', 'src')) == 4 and 'kurtosis' in page.text
    with_speed = check_standalone(recording_page(dataclasses.replace(bare, speed_rpm=997.0)))
    assert '997 rpm' in with_speed.text and 'give `bearing`' in with_speed.text


@pytest.mark.parametrize(
    ('machine', 'missing'),
    [
        (Machine(), '`unit`, `machine_group`, `mounting`'),
        (Machine('g'), '`machine_group`, `mounting`'),
        (Machine('', 2, 'rigid'), '`unit`'),
        (Machine('V', 2, 'rigid'), 'V is no unit'),
    ],
)
def test_there_is_no_zone_without_unit_group_and_mounting(made, machine, missing):
    channel = look_at(dataclasses.replace(made['normal'], geometry=None), machine)
    assert channel.severity is None and missing in channel.no_zone


def test_the_unit_of_the_file_is_used_and_that_of_the_user_wins(made):
    own = dataclasses.replace(made['normal'], unit='m/s2', geometry=None)
    zones = [look_at(own, Machine(unit, 2, 'rigid')).severity for unit in ('', 'g')]
    assert zones[1].velocity_mm_s == pytest.approx(9.80665 * zones[0].velocity_mm_s, rel=1e-4)


def test_what_speaks_against_a_verdict_is_told(outer):
    found = outer.diagnosis
    assert verdict_of(outer).mood == BAD and found.label == 'outer_race'
    clear = against_fault(found)
    assert not any('harmonics' in text or 'more than chance' in text for text in clear)
    searched = found.searched
    weak = dataclasses.replace(searched.targets[0], profile=searched.targets[0].profile - 3)
    swapped = (searched.targets[0], weak, *searched.targets[2:])
    doubtful = dataclasses.replace(
        found,
        distance=0.95,
        searched=dataclasses.replace(searched, targets=swapped, turns=40.0),
        named_probabilities={'outer_race': 0.55, 'normal': 0.3, 'ball': 0.15, 'inner_race': 0.0, 'combined': 0.0},
    )
    said = ' '.join(against_fault(doubtful))
    for words in ('a sound bearing: that is 30%', 'a fault of the ball: that is 15%', 'chance', '40 turns', '0.95'):
        assert words in said
    assert not any('inner race: that' in text for text in against_fault(doubtful))


def test_the_steps_follow_from_the_verdict_and_the_zone(outer):
    assert 'another load' in ' '.join(next_steps(outer))
    severe = dataclasses.replace(outer, severity=dataclasses.replace(outer.severity, zone='D'))
    assert 'stop the machine' in next_steps(severe)[0]
    abstained = dataclasses.replace(outer.diagnosis, state=None, why='cannot tell: x 0.5, y 0.5')
    channel = dataclasses.replace(outer, diagnosis=abstained, no_verdict='cannot tell: x 0.5, y 0.5')
    assert verdict_of(channel).mood == OPEN and 'Cannot tell' in verdict_of(channel).text
    assert any('longer' in step for step in next_steps(channel))


def test_a_sensor_that_is_in_doubt_silences_the_verdict(made):
    x = made['outer_race'].samples.copy()
    x[20000:30000] = 0.0
    channel = look_at(dataclasses.replace(made['outer_race'], samples=x), PLANT)
    verdict = verdict_of(channel)
    assert verdict.mood == BAD and 'sensor' in verdict.title and 'Nothing is said about the machine' in verdict.text
    assert any('longest good stretch' in text for text in quality_of(channel))
    assert next_steps(channel)[0] == channel.sensor.remedy


def test_a_sensor_that_drifts_leaves_the_verdict_and_is_told(made):
    x = made['outer_race'].samples + 200 * np.linspace(0, 1, len(made['outer_race'].samples))[:, None] ** 2
    channel = look_at(dataclasses.replace(made['outer_race'], samples=x.astype(np.float32)), PLANT)
    verdict = verdict_of(channel)
    assert channel.sensor.kind == 'drifted' and 'outer race' in verdict.title
    assert verdict.against[0].startswith('The sensor has drifted') and next_steps(channel)[0] == channel.sensor.remedy


def noise(n: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(n)


UGLY = {
    'constant': np.ones(20000),
    'zeros': np.zeros(20000),
    'not numbers': np.full(20000, np.nan),
    'some not numbers': np.where(np.arange(20000) == 77, np.nan, noise(20000)),
    'short': noise(600),
    'very short': noise(20),
    'speech': np.cumsum(noise(20000)) * (np.sin(np.arange(20000) / 4000) > 0),
    'clipped': np.clip(noise(20000), -1, 1),
    'huge': 1e12 * noise(20000),
    'integers': np.round(1000 * noise(20000)).astype(np.int16),
}


# Of numbers as others are, drawing tells nothing new.
ORDINARY = ('speech', 'clipped', 'integers')


@pytest.mark.parametrize('case', UGLY)
def test_ugly_recordings_have_a_page_too(made, case, request):
    if case in ORDINARY:
        request.getfixturevalue('undrawn')
    speed = {'clipped': 1e5, 'short': np.nan, 'huge': np.nan}.get(case, 997.0)
    ugly = dataclasses.replace(made['normal'], samples=UGLY[case].reshape(-1, 1), speed_rpm=speed)
    page = check_standalone(recording_page(ugly, PLANT))
    assert 'Waveform' in page.text
    if case in ('constant', 'zeros', 'not numbers'):
        assert 'The sensor is in doubt' in page.text
    if case == 'clipped':
        assert 'limits of the recorder' in page.text


def test_strangers_are_no_faults(made):
    for seed in range(2):
        x = np.random.default_rng(seed).standard_normal((32000, 1)).astype(np.float32)
        assert verdict_of(look_at(dataclasses.replace(made['normal'], samples=x), PLANT)).mood in (GOOD, OPEN)


def test_each_channel_has_a_section_and_the_rest_is_named(made, undrawn):
    x = np.repeat(made['normal'].samples[:16000], MOST_CHANNELS + 2, axis=1)
    names = tuple(f'acc <{c}> & $x$' for c in range(x.shape[1]))
    many = dataclasses.replace(made['normal'], samples=x, channel_names=names, speed_rpm=np.nan)
    page = check_standalone(recording_page(many))
    assert page.text.count('Waveform') == MOST_CHANNELS and '2 more channels are not shown' in page.text
    assert 'acc <1> & $x$' in page.text


def test_a_page_is_small_in_full_resolution(made):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canvas, 'DPI', 130)
        x = noise(3 * 16000).reshape(-1, 3)
        loud = dataclasses.replace(made['normal'], samples=x, channel_names=(), speed_rpm=997.0, geometry=None)
        check_standalone(recording_page(loud, PLANT, [loud]))


def test_parameters_become_flags(made, undrawn):
    nothing = dataclasses.replace(made['normal'], samples=noise(900)[:, None], geometry=None)
    assert 'give --bearing' in recording_page(nothing, worded=lambda text: text.replace('`bearing`', '--bearing'))


def test_a_speed_that_does_not_stand_out_is_a_note(made):
    x = np.random.default_rng(5).standard_normal((48000, 1)).astype(np.float32)
    found = with_estimated_speed(dataclasses.replace(made['normal'], samples=x, speed_rpm=np.nan))
    assert np.isnan(found.speed_rpm) and 'stands out' in found.notes[-1]
    channel = look_at(found, PLANT)
    assert 'give `speed_rpm`' in verdict_of(channel).text
    assert any(text.startswith('No speed between') for text in quality_of(channel))


def test_what_is_refused(made, says):
    normal = made['normal']
    with pytest.raises(ConfigError, match='`machine_group`'):
        recording_page(normal, Machine('g', 7, 'rigid'))
    with pytest.raises(ConfigError, match='`mounting`'):
        recording_page(normal, Machine('g', 2, 'soft'))
    two = dataclasses.replace(normal, samples=np.repeat(normal.samples, 2, axis=1))
    with pytest.raises(ConfigError) as e:
        recording_page(normal, PLANT, [two])
    assert says(str(e.value), '`healthy` ... 2 channels ... `channel`')
    with pytest.raises(DataError, match='shape'):
        recording_page(dataclasses.replace(normal, samples=np.zeros((0, 1))))
    assert Machine().knowledge == Knowledge()
