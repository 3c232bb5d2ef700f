"""Prepared datasets, read without TensorFlow: names, records, errors."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds

from fdx.data.source import open_dataset
from fdx.signal.front_ends import create_front_end
from fdx.types import DataError

ROOT = pathlib.Path(__file__).resolve().parents[2]
READ = """
import sys
from fdx.data.pipeline import RecordExamples, train_batches
from fdx.data.protocols.splits import split_rows
from fdx.data.source import open_dataset

dataset = open_dataset('tiny_rig/six_s', sys.argv[1])
rows = split_rows(dataset.table, 'time_blocks').train
batch = next(train_batches(RecordExamples(dataset, rows, 'label'), 4, seed=0))
assert batch['inputs'].shape == (4, 96, 64, 1), batch['inputs'].shape
print('loaded:', sorted({'tensorflow', 'torch'} & set(sys.modules)))
"""


def test_reading_and_batching_load_neither_tensorflow_nor_torch(tiny_dir):
    command = [sys.executable, '-c', READ, str(tiny_dir)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == 'loaded: []'


def test_name_length_classes_and_metadata(tiny):
    assert tiny.name == 'tiny_rig/six_s-vggish:1.0.0'
    assert tiny.class_names() == ['normal', 'ball', 'inner_race']
    assert tiny.class_names('fault_type') == ['normal', 'fault']
    assert tiny.front_end == create_front_end('vggish')
    wanted = {'common_rate_hz': 8000.0, 'window_length': 7800, 'hop_length': 800, 'guard_length': 800}
    assert {k: tiny.metadata[k] for k in wanted} == wanted
    assert tiny.table.window_length == 7800
    assert len(tiny) == len(tiny.table) == 90
    assert tiny.has_waveform


def test_the_table_has_one_row_a_record_over_all_splits(tiny):
    for row in (0, 53, 54, 71, 72, 89):
        names = list(tiny.table.columns)
        record = tiny.record(row, names)
        for name in names:
            assert np.array_equal(record[name], tiny.table[name][row]), (row, name)
        assert isinstance(record['recording'], str)
    assert tiny.table['block'].tolist() == [0, 0, 1, 1, 2, 2] * 9 + [3, 3] * 9 + [4, 4] * 9


def test_a_record_gives_just_the_fields_asked_for(tiny):
    record = tiny.record(5, ('spectrogram', 'label', 'domain'))
    assert list(record) == ['spectrogram', 'label', 'domain']
    assert (record['spectrogram'].shape, record['spectrogram'].dtype) == ((96, 64, 1), np.float32)
    stacked = tiny.read([5, 80, 5], 'spectrogram')
    np.testing.assert_array_equal(stacked[0], record['spectrogram'])
    np.testing.assert_array_equal(stacked[0], stacked[2])
    assert np.abs(stacked[0] - stacked[1]).max() > 0.1


def test_rows_and_fields_that_do_not_exist_are_refused(tiny, tiny_gain):
    for row in (-1, 90):
        with pytest.raises(DataError, match=f'tiny_rig/six_s-vggish:1.0.0: row {row} of 90'):
            tiny.record(row, ('label',))
    with pytest.raises(DataError, match='six_s-vggish:1.0.0 .* field colour, taste; .*spectrogram'):
        tiny.record(0, ('label', 'taste', 'colour'))
    assert not tiny_gain.has_waveform
    with pytest.raises(DataError, match='tiny_rig/gain:1.0.0 .* field waveform; .*spectrogram'):
        tiny_gain.record(0, ('waveform',))


def test_short_names_mean_the_default_front_end_and_full_names_themselves(tiny_dir):
    for name in ('tiny_rig/six_s', 'tiny_rig/six_s-vggish', 'tiny_rig/six_s:1.0.0', 'tiny_rig/six_s-vggish:1.0.0'):
        assert open_dataset(name, tiny_dir).name == 'tiny_rig/six_s-vggish:1.0.0'
    assert open_dataset('tiny_rig/gain', str(tiny_dir)).name == 'tiny_rig/gain:1.0.0'


@pytest.mark.parametrize('name', ['tiny_rig/none', 'tiny_rig/six_s:2.0.0', 'tiny_rig/six', 'cwru/load0_12k'])
def test_what_is_not_prepared_names_the_command_and_what_is_there(tiny_dir, name):
    with pytest.raises(DataError) as error:
        open_dataset(name, tiny_dir)
    builder, config = name.partition(':')[0].split('/')
    text = str(error.value)
    assert f'dataset {name!r} is not prepared in {tiny_dir}' in text
    assert f'python -m launch.prepare datasets/{builder} --config={config} --data_dir={tiny_dir}' in text
    # Other tests prepare more of them in the same folder.
    assert 'tiny_rig/gain, tiny_rig/short-vggish, tiny_rig/six_s-vggish' in text.partition('there: ')[2]


def test_a_folder_that_is_not_there_or_a_name_without_config(tmp_path, tiny_dir):
    with pytest.raises(DataError, match=r'bearing_rig/small.*: nothing\..*--config=small'):
        open_dataset('bearing_rig/small', tmp_path / 'no')
    with pytest.raises(DataError, match='datasets/tiny_rig --config=CONFIG'):
        open_dataset('tiny_rig', tiny_dir)


def test_the_newest_version_is_taken_and_half_written_ones_are_not(tiny_dir, tmp_path):
    shutil.copytree(tiny_dir, tmp_path, dirs_exist_ok=True)
    config = tmp_path / 'tiny_rig' / 'gain'
    for version in ('1.2.0', '1.10.0'):
        shutil.copytree(config / '1.0.0', config / version)
        info = config / version / 'dataset_info.json'
        info.write_text(info.read_text().replace('"1.0.0"', f'"{version}"'))
    (config / '2.0.0').mkdir()
    (config / '2.0.0' / 'tiny_rig-train.array_record-00000-of-00001').touch()
    assert open_dataset('tiny_rig/gain', tmp_path).name == 'tiny_rig/gain:1.10.0'
    assert open_dataset('tiny_rig/gain:1.0.0', tmp_path).name == 'tiny_rig/gain:1.0.0'


def test_a_dataset_of_another_maker_is_refused(tmp_path):
    class Foreign(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        name = 'foreign'
        VERSION = tfds.core.Version('1.0.0')
        BUILDER_CONFIGS = [tfds.core.BuilderConfig(name='a', description='a')]

        def _info(self):
            features = tfds.features.FeaturesDict({'x': tfds.features.Scalar(np.int32)})
            return tfds.core.DatasetInfo(builder=self, features=features)

        def _split_generators(self, dl_manager):
            return {'train': self._generate_examples()}

        def _generate_examples(self):
            yield 0, {'x': 0}

    Foreign(config='a', data_dir=tmp_path, file_format='array_record').download_and_prepare()
    with pytest.raises(DataError, match='was not built by an fdx builder'):
        open_dataset('foreign/a', tmp_path)
