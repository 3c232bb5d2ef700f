"""Fixtures of this room: a tiny prepared dataset of tones, and a generator trained on it for a few updates."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow_datasets as tfds

from fdx.data.builder import VibrationBuilder, VibrationConfig
from fdx.data.source import open_dataset
from fdx.synth.config import SynthConfig
from fdx.synth.run import synthesise
from fdx.types import Recording

RATE_HZ = 16000.0
TONES_HZ = {'normal': 500.0, 'inner_race': 1200.0, 'outer_race': 2500.0}


class SynthRoomTones(VibrationBuilder, skip_registration=True):
    """A tone in noise for each class; 9 training, 3 validation and 3 test windows of each."""

    VERSION = tfds.core.Version('1.0.0')
    BUILDER_CONFIGS = [VibrationConfig(name='three-vggish', subset='three', with_waveform=False)]

    def class_names(self):
        return list(TONES_HZ)

    def fault_types(self):
        return list(TONES_HZ)

    def common_rate_hz(self):
        return RATE_HZ

    def recordings(self, dl_manager):
        del dl_manager
        time_s, found = np.arange(round(15.5 * RATE_HZ)) / RATE_HZ, []
        for i, (name, tone_hz) in enumerate(TONES_HZ.items()):
            noise = np.random.default_rng(i).standard_normal(len(time_s))
            samples = (np.sin(2 * np.pi * tone_hz * time_s) + 0.5 * noise).astype(np.float32)
            found.append(Recording(samples[:, None], RATE_HZ, f'rec-{name}', name, name, f'bearing-{name}', 'lab'))
        return found


@pytest.fixture(scope='session')
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp('tfds')
    SynthRoomTones(data_dir=folder, config='three-vggish').download_and_prepare()
    return folder


@pytest.fixture(scope='session')
def dataset(data_dir):
    return open_dataset('synth_room_tones/three', data_dir)


@pytest.fixture(scope='session')
def make_config(data_dir):
    """SynthConfig of a tiny generator: four rows of the log, a checkpoint after every second one."""

    def make(**changes) -> SynthConfig:
        base = SynthConfig(
            dataset='synth_room_tones/three',
            data_dir=str(data_dir),
            imbalance='1:3',
            steps=8,
            log_every=2,
            save_every=2,
            batch_size=6,
            latent_size=4,
            width=2,
            seed=3,
        )
        return dataclasses.replace(base, **changes)

    return make


@pytest.fixture(scope='session')
def synthesis(make_config, tmp_path_factory):
    """The generator that stopped and resumed ones are compared with, and its dataset synthetic/tones."""
    return synthesise(make_config(), tmp_path_factory.mktemp('generator'), name='tones')
