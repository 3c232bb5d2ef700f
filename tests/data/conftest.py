"""Tiny datasets built by fdx's own builder, and tables of records that need no recording."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow_datasets as tfds

from fdx.data.blocks import Windowing, cut_windows
from fdx.data.builder import VibrationBuilder, VibrationConfig
from fdx.data.protocols.domain_names import DomainName
from fdx.data.protocols.two_domains import open_two_domains
from fdx.data.source import open_dataset
from fdx.data.table import Table
from fdx.types import Recording

RATE_HZ = 8000.0
CLASSES = ('normal', 'ball', 'inner_race')
OTHER = ('inner_race', 'cage', 'normal', 'outer_race')  # of the other rig


def tiny_recording(label: str, number: int, seconds: float, rate_hz: float = RATE_HZ) -> Recording:
    rng = np.random.default_rng([CLASSES.index(label), number])
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    samples = rng.standard_normal(len(t)) + 3 * np.sin(2 * np.pi * 400 * (1 + CLASSES.index(label)) * t)
    return Recording(
        samples=(0.5 * (number + 1) * samples).astype(np.float32)[:, None],
        sample_rate_hz=rate_hz,
        recording=f'{label}_{number}',
        label=label,
        fault_type='normal' if label == 'normal' else 'fault',
        bearing=f'bearing_{label}',
        domain=f'load{number}',
        speed_rpm=1000.0 + number,
        load=float(number),
        source=f'{label}_{number}.csv',
    )


class TinyRig(VibrationBuilder, skip_registration=True):
    """Nine recordings of three classes; the last of each was taken at twice the rate."""

    name = 'tiny_rig'
    VERSION = tfds.core.Version('1.0.0')
    BUILDER_CONFIGS = [
        VibrationConfig(name='six_s-vggish', front_end='vggish', hop_s=0.1, description='6 s each.'),
        VibrationConfig(name='gain', front_end='vggish_train', with_waveform=False, description='No waveform.'),
        VibrationConfig(name='short-vggish', front_end='vggish', subset='short', description='One lasts 2 s.'),
    ]

    def class_names(self):
        return CLASSES

    def fault_types(self):
        return ('normal', 'fault')

    def common_rate_hz(self):
        return RATE_HZ

    def recordings(self, dl_manager):
        del dl_manager
        numbers = (0, 1, 2)
        short = {('ball', 1): 2.0} if self.builder_config.subset == 'short' else {}
        return [
            tiny_recording(label, n, short.get((label, n), 6.0), RATE_HZ * (2 if n == 2 else 1))
            for label in CLASSES
            for n in numbers
        ]


@pytest.fixture(scope='session')
def recording_of():
    return tiny_recording


@pytest.fixture
def builder_of(tmp_path):
    """Makes a TinyRig in tmp_path of the given recordings."""

    def make(recordings):
        class Changed(TinyRig, skip_registration=True):
            name = 'changed'

            def recordings(self, dl_manager):
                del dl_manager
                return recordings

        return Changed(config='six_s-vggish', data_dir=tmp_path)

    return make


@pytest.fixture(scope='session')
def tiny_dir(tmp_path_factory):
    """data_dir with all configs of TinyRig."""
    folder = tmp_path_factory.mktemp('tiny')
    for config in TinyRig.BUILDER_CONFIGS:
        TinyRig(config=config.name, data_dir=folder).download_and_prepare()
    return folder


@pytest.fixture(scope='session')
def tiny(tiny_dir):
    return open_dataset('tiny_rig/six_s', tiny_dir)


@pytest.fixture(scope='session')
def tiny_short(tiny_dir):
    return open_dataset('tiny_rig/short', tiny_dir)


@pytest.fixture(scope='session')
def tiny_gain(tiny_dir):
    return open_dataset('tiny_rig/gain', tiny_dir)


def make_table(recordings: list[dict], windowing: Windowing) -> Table:
    """A table of recordings given as dicts: samples, recording, label, and what differs from the defaults."""
    rows = []
    for r in recordings:
        for start, block in zip(*cut_windows(r['samples'], windowing, r['recording'])):
            rows.append({'window_start': start, 'block': block, **r})
    defaults = {'fault_type': 0, 'domain': 'd0', 'bearing': 'b0', 'speed_rpm': 1.0, 'load': 0.0, 'peak': 1.0}
    names = {'recording', 'label', 'window_start', 'block', *defaults}
    columns = {n: np.array([row.get(n, defaults.get(n)) for row in rows]) for n in names}
    return Table(columns, windowing.window_length)


@pytest.fixture(scope='session')
def table_of():
    return make_table


@pytest.fixture(scope='session')
def pair_dir(tiny_dir, recording_of):
    """tiny_dir with another rig: of its four classes three have recordings, two of them are TinyRig's, turned round."""

    class OtherRig(VibrationBuilder, skip_registration=True):
        name = 'other_rig'
        VERSION = tfds.core.Version('1.0.0')
        BUILDER_CONFIGS = [
            VibrationConfig(name='six_s-vggish', front_end='vggish', hop_s=0.1, with_waveform=False),
            VibrationConfig(name='gain', front_end='vggish_train', hop_s=0.1, with_waveform=False),
            VibrationConfig(name='cages-vggish', subset='cages', front_end='vggish', hop_s=0.1, with_waveform=False),
        ]

        def class_names(self):
            return OTHER

        def fault_types(self):
            return ('normal', 'fault')

        def common_rate_hz(self):
            return 8000.0

        def recordings(self, dl_manager):
            del dl_manager
            shown = ('cage', 'normal') if self.builder_config.subset == 'cages' else ('normal', 'inner_race', 'cage')
            found = []
            for i, label in enumerate(('normal', 'inner_race', 'cage')):
                if label not in shown:
                    continue
                one = recording_of('normal', 20 + i, 6.0)
                fault_type = 'normal' if label == 'normal' else 'fault'
                names = {'recording': f'other_{label}', 'label': label, 'fault_type': fault_type, 'domain': 'bench'}
                # The cage's recording is the loudest by far: it would show in a gain.
                samples = one.samples / np.abs(one.samples).max() * (800 if label == 'cage' else 1)
                found.append(dataclasses.replace(one, samples=samples, **names))
            return found

    for config in OtherRig.BUILDER_CONFIGS:
        OtherRig(config=config.name, data_dir=tiny_dir).download_and_prepare()
    return tiny_dir


@pytest.fixture
def pair(pair_dir):
    """Function source, target -> TwoDomains."""

    def make(source, target, **changes):
        options = {
            'label_key': 'label',
            'protocols': ('time_blocks', 'time_blocks'),
            'folds': (0, 0),
            'seed': 3,
            **changes,
        }
        names = DomainName.parse(source, 'source'), DomainName.parse(target, 'target')
        return open_two_domains(*names, str(pair_dir), **options)

    return make
