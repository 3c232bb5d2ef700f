"""The table against its own counts, the public naming of the data center, and every real file at hand."""

import collections

import numpy as np
import pytest
import scipy.io
import scipy.signal

from fdx.datasets.cwru.files import FAULTS, FILES, GROUPS, get_file, select_files
from fdx.types import DataError


def test_table_has_161_files_with_unique_numbers_in_four_groups():
    assert len(FILES) == 161
    counts = collections.Counter(file.group for file in FILES.values())
    assert counts == {'normal': 4, 'drive_end_12k': 60, 'drive_end_48k': 52, 'fan_end_12k': 45}
    assert tuple(counts) == GROUPS
    assert {file.fault for file in FILES.values()} == set(FAULTS)
    assert all(number == file.number for number, file in FILES.items())


def test_csv_has_no_row_that_a_dict_would_swallow():
    import datasets.cwru.files as module

    lines = module._TABLE.read_text(encoding='utf-8').splitlines()
    assert len(lines) == 162
    assert len({line.split(',')[0] for line in lines}) == 162


def test_numbers_that_do_not_exist_are_absent():
    assert not set(FILES) & {157, 173, 303, 304, 308, 314}


def test_no_two_files_are_the_same_experiment():
    experiments = {(f.group, f.fault, f.size_in, f.position, f.load_hp) for f in FILES.values()}
    assert len(experiments) == 161


def test_rates_and_lengths_belong_together():
    assert {n for n, f in FILES.items() if f.group == 'normal'} == {97, 98, 99, 100}
    for file in FILES.values():
        slow = file.group in ('drive_end_12k', 'fan_end_12k')
        assert file.rate_hz == (12000 if slow else 48000), file
        # Every 12 kHz recording lasts about 10 s; those at 48 kHz between 1.3 s (174) and 10.3 s.
        duration_s = file.length / file.rate_hz
        assert (10.0 < duration_s < 10.3) if slow else (1.3 < duration_s < 10.3), file


def test_nominal_speed_follows_the_load():
    assert {(f.load_hp, f.nominal_rpm) for f in FILES.values()} == {(0, 1797), (1, 1772), (2, 1750), (3, 1730)}


def test_channels_by_group():
    assert {f.channels for f in FILES.values() if f.rate_hz == 48000} == {('DE', 'FE')}
    assert {n for n, f in FILES.items() if f.channels == ('DE',)} == set(range(3001, 3009))
    assert {f.channels for f in FILES.values() if f.group == 'fan_end_12k'} == {('DE', 'FE', 'BA')}


def test_positions_and_sizes_are_those_of_the_faults():
    for file in FILES.values():
        assert (file.position in ('@3', '@6', '@12')) == (file.fault == 'outer_race'), file
        assert (file.size_in is None) == (file.fault == 'normal'), file
    assert {f.number for f in FILES.values() if f.size_in == 0.028} == set(range(3001, 3009))


def test_swapped_pair_309_310_has_its_true_loads():
    assert (get_file(310).load_hp, get_file(310).nominal_rpm) == (0, 1797)
    assert (get_file(309).load_hp, get_file(309).nominal_rpm) == (1, 1772)
    assert get_file(309).bearing == get_file(310).bearing == 'fe_outer_race_014@3'


@pytest.mark.parametrize(
    ('number', 'variable', 'rpm'),
    [
        (97, 'X097_DE_time', 'X097RPM'),
        (100, 'X100_DE_time', 'X100RPM'),
        (174, 'X173_DE_time', 'X173RPM'),
        (175, 'X175_DE_time', 'X175RPM'),
        (217, 'X217_DE_time', 'X217RPM'),
        (3001, 'X056_DE_time', 'X056RPM'),
        (3004, 'X059_DE_time', 'X059RPM'),
        (3005, 'X048_DE_time', 'X048RPM'),
        (3008, 'X051_DE_time', 'X051RPM'),
    ],
)
def test_names_of_variables(number, variable, rpm):
    assert get_file(number).variable('DE') == variable
    assert get_file(number).rpm_variable == rpm


@pytest.mark.parametrize(
    ('number', 'label', 'bearing'),
    [
        (99, 'normal', 'normal'),
        (105, 'inner_race_007', 'de_inner_race_007'),
        (109, 'inner_race_007', 'de_inner_race_007'),
        (185, 'ball_014', 'de_ball_014'),
        (234, 'outer_race_021', 'de_outer_race_021@6'),
        (238, 'outer_race_021', 'de_outer_race_021@6'),
        (144, 'outer_race_007@3', 'de_outer_race_007@3'),
        (3005, 'ball_028', 'de_ball_028'),
        (278, 'inner_race_007', 'fe_inner_race_007'),
        (294, 'outer_race_007@6', 'fe_outer_race_007@6'),
        (302, 'outer_race_007@12', 'fe_outer_race_007@12'),
    ],
)
def test_labels_and_bearings(number, label, bearing):
    assert get_file(number).label == label
    assert get_file(number).bearing == bearing


def test_url_is_the_data_centers():
    assert get_file(3001).url == 'https://engineering.case.edu/sites/default/files/3001.mat'


def test_unknown_number_is_an_error_that_names_it():
    with pytest.raises(DataError, match=r'no file 173\.mat'):
        get_file(173)


def test_select_files_filters_positions_of_outer_race_faults_only():
    found = {file.number for file in select_files('drive_end_12k', positions=('@6',), max_size_in=0.007)}
    assert found == {105, 106, 107, 108, 118, 119, 120, 121, 130, 131, 132, 133}
    assert len(select_files('drive_end_12k')) == 60
    assert select_files('base_plate') == ()


def test_real_files_hold_exactly_the_variables_and_lengths_of_the_table(raw_data):
    checked = 0
    for file in FILES.values():
        path = raw_data / 'cwru' / file.name
        if not path.is_file():
            continue
        held = {name: shape for name, shape, _ in scipy.io.whosmat(path)}
        expected = {file.variable(channel): (file.length, 1) for channel in file.channels}
        assert {name: shape for name, shape in held.items() if '_time' in name} == expected, file
        assert (file.rpm_variable in held) == (file.number < 3000), file
        checked += 1
    assert checked >= 10


def _share_of_lines_at_whole_orders(samples, rate_hz, shaft_hz):
    """Of the 12 strongest lines in a fixed band of the samples, the share that lie within 0.1 of a shaft harmonic."""
    frequency, power = scipy.signal.welch(samples, fs=rate_hz, nperseg=1 << 17)
    relative = frequency / rate_hz
    band = (relative > 5 * shaft_hz / 48000) & (relative < 25 * shaft_hz / 48000)
    frequency, power = frequency[band], power[band]
    peaks, _ = scipy.signal.find_peaks(power, distance=40)
    orders = frequency[peaks[np.argsort(power[peaks])[-12:]]] / shaft_hz
    return np.mean(np.abs(orders - np.round(orders)) < 0.1)


def test_healthy_recording_was_taken_at_48_khz(raw_data):
    # A healthy machine hums at multiples of its shaft speed: that happens at 48 kHz and not at 12 kHz.
    content = scipy.io.loadmat(raw_data / 'cwru' / '97.mat')
    samples, shaft_hz = content['X097_DE_time'][:, 0], content['X097RPM'].item() / 60
    assert _share_of_lines_at_whole_orders(samples, get_file(97).rate_hz, shaft_hz) >= 0.75
    assert _share_of_lines_at_whole_orders(samples, 12000, shaft_hz) <= 0.5


@pytest.mark.parametrize('number', [189, 201, 213, 226, 238])
def test_files_whose_two_channels_are_one_signal(raw_data, number):
    path = raw_data / 'cwru' / f'{number}.mat'
    if not path.is_file():
        pytest.skip(f'{number}.mat is not at hand')
    content = scipy.io.loadmat(path)
    drive_end, fan_end = (content[get_file(number).variable(channel)] for channel in ('DE', 'FE'))
    np.testing.assert_allclose(drive_end, fan_end * 1.0153846, rtol=1e-6)
