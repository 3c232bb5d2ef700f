"""Source and target must not hold the same samples, whatever their names, nor two channels of one run."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow_datasets as tfds

from fdx.data.builder import VibrationBuilder, VibrationConfig
from fdx.data.protocols.domain_names import DomainName
from fdx.data.protocols.two_domains import open_two_domains
from fdx.data.source import open_dataset
from fdx.types import ConfigError


@pytest.fixture(scope='module')
def folder(tiny_dir, recording_of):
    """tiny_dir with a rig whose ball's recording is TinyRig's, louder, trimmed and rounded, and with two sensors."""

    class CopyRig(VibrationBuilder, skip_registration=True):
        name = 'copy_rig'
        VERSION = tfds.core.Version('1.0.0')
        BUILDER_CONFIGS = [VibrationConfig(name='six_s-vggish', front_end='vggish', with_waveform=False)]

        def class_names(self):
            return ('normal', 'ball')

        def fault_types(self):
            return ('normal', 'fault')

        def common_rate_hz(self):
            return 8000.0

        def recordings(self, dl_manager):
            del dl_manager
            found = []
            for label in self.class_names():
                for sensor in ('de', 'fe'):
                    number = 30 if sensor == 'de' else 31
                    one = recording_of(label, 1 if (label, sensor) == ('ball', 'fe') else number, 7.0)
                    x = one.samples[1001:]
                    x = np.rint(x / np.abs(x).max() * 32767).astype(np.float32)
                    found.append(
                        dataclasses.replace(
                            one,
                            samples=x,
                            recording=f'copy_{label}_{sensor}',
                            acquisition=f'run_{label}',
                            domain=sensor,
                        )
                    )
            return found

    CopyRig(config='six_s-vggish', data_dir=tiny_dir).download_and_prepare()
    return str(tiny_dir)


def pair(folder, source, target, **changes):
    options = {'label_key': 'label', 'protocols': ('time_blocks', 'time_blocks'), 'folds': (0, 0), 'seed': 3, **changes}
    return open_two_domains(
        DomainName.parse(source, 'source'), DomainName.parse(target, 'target'), folder, **options
    )  # fmt: skip


def test_records_keep_fingerprint_and_acquisition(folder):
    table = open_dataset('copy_rig/six_s', folder).table
    assert set(table.acquisitions()) == {'run_normal', 'run_ball'}
    assert table.fingerprints().shape == (len(table), 32)
    assert (table.fingerprints() > 0).sum(axis=1).min() > 10
    tiny = open_dataset('tiny_rig/six_s', folder).table
    np.testing.assert_array_equal(tiny.acquisitions(), tiny['recording'])


def test_a_copy_in_the_target_is_refused_by_both_names(folder):
    with pytest.raises(
        ConfigError,
        match=r'ball_1 of the source .*copy_ball_fe of the target .*samples.*exclude_recordings.*copy_ball_fe',
    ):
        pair(folder, 'tiny_rig/six_s', 'copy_rig/six_s:fe')
    with pytest.raises(
        ConfigError,
        match=r'copy_ball_fe of the source .*ball_1 of the target .*samples.*exclude_recordings.*ball_1',
    ):
        pair(folder, 'copy_rig/six_s:fe', 'tiny_rig/six_s')


@pytest.mark.parametrize(
    ('source', 'target'),
    [('tiny_rig/six_s', 'copy_rig/six_s:de'), ('tiny_rig/six_s:load0+load2', 'copy_rig/six_s:fe')],
)
def test_what_is_apart_is_not(folder, source, target):
    assert pair(folder, source, target).classes == ('normal', 'ball')


def test_a_copy_can_be_left_out(folder):
    assert len(pair(folder, 'tiny_rig/six_s', 'copy_rig/six_s:fe', exclude_recordings=('ball_1',)).target_test)


def test_two_channels_of_a_run_are_refused_by_name(folder):
    with pytest.raises(
        ConfigError,
        match=r'copy_ball_de of the source .*copy_ball_fe of the target .* run, run_ball: .*exclude_recordings',
    ):
        pair(folder, 'copy_rig/six_s:de', 'copy_rig/six_s:fe')
