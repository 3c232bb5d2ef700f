"""launch.prepare on throw-away builders: what is built, what is said, what a failure leaves behind."""

from __future__ import annotations

import itertools
import logging
import os
import pathlib
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import tensorflow_datasets as tfds

from launch import prepare

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILDER = """
    import numpy as np
    import tensorflow_datasets as tfds
    from fdx.types import DataError
    {imports}

    class Builder(tfds.core.GeneratorBasedBuilder):
        '''Ten numbers.'''

        VERSION = tfds.core.Version('1.0.0')
        BUILDER_CONFIGS = [tfds.core.BuilderConfig(name=n, description=n) for n in {configs}]

        def _info(self):
            features = tfds.features.FeaturesDict({{'x': tfds.features.Tensor(shape=(4,), dtype=np.float32)}})
            return tfds.core.DatasetInfo(builder=self, features=features, disable_shuffling=True)

        def _split_generators(self, dl_manager):
            self.manual_dir = dl_manager._manual_dir
            return {{'train': self._generate_examples()}}

        def _generate_examples(self):
            for i in range(10):
                {check}
                yield i, {{'x': np.full(4, i, np.float32)}}
"""
_numbers = itertools.count()


@pytest.fixture
def make_builder(tmp_path):
    """Writes a builder folder of a name that no other test has imported, and returns the folder."""

    def make(*, configs=('a', 'b'), imports='', check='pass', script='{name}_dataset_builder.py'):
        folder = tmp_path / 'sets' / f'tiny_set{next(_numbers)}'
        folder.mkdir(parents=True)
        (folder / '__init__.py').touch()
        text = textwrap.dedent(BUILDER).format(configs=list(configs), imports=imports, check=check)
        (folder / script.format(name=folder.name)).write_text(text)
        return folder

    return make


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """Runs the program in tmp_path; returns (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(prepare.RAW_DATA_VARIABLE, raising=False)
    level = logging.getLogger('absl').level

    def call(*argv):
        code = prepare.main(prepare.parse_flags(['prepare', *map(str, argv)]))
        return code, *capsys.readouterr()

    yield call
    logging.getLogger('absl').setLevel(level)


def error_line(err):
    """The one line of the program itself among TFDS's progress bars."""
    lines = [line for line in err.replace('\r', '\n').split('\n') if 'error:' in line]
    assert len(lines) == 1
    assert 'Traceback' not in err
    return lines[0][lines[0].index('error:') :]


def test_builds_array_records_that_can_be_read_without_tensorflow(run, make_builder, tmp_path):
    folder = make_builder()
    code, out, _ = run(folder, '--config=b')
    assert code == 0
    assert 'No --config' not in out
    name = folder.name
    assert [p.name for p in (tmp_path / 'data' / name).glob('[a-z]*')] == ['b']
    source = tfds.builder_from_directory(tmp_path / 'data' / name / 'b' / '1.0.0').as_data_source(split='train')
    assert len(source) == 10
    np.testing.assert_array_equal([example['x'][0] for example in source], np.arange(10.0))
    assert 'tensorflow' not in sys.modules


def test_without_config_all_are_built_and_prepared_ones_are_kept_or_overwritten(run, make_builder, tmp_path):
    folder = make_builder()
    root = tmp_path / 'here' / folder.name
    version = root / 'a' / '1.0.0'
    code, out, _ = run(folder, '--data_dir=here', '--config_idx=0')
    assert (code, (version / 'dataset_info.json').is_file()) == (0, True)
    assert 'Prepared already' not in out
    first = (version / 'dataset_info.json').stat().st_mtime_ns

    code, out, _ = run(folder, '--data_dir=here')
    assert code == 0
    assert f'building all 2 configs of {folder.name}: a, b' in out
    assert out.count('Prepared already, kept as it is (--overwrite builds it again)') == 1
    assert (root / 'b' / '1.0.0' / 'dataset_info.json').is_file()
    assert (version / 'dataset_info.json').stat().st_mtime_ns == first

    code, out, _ = run(folder, '--data_dir=here', '--config=a', '--overwrite')
    assert code == 0
    assert 'deleted and built again' in out
    assert (version / 'dataset_info.json').stat().st_mtime_ns > first

    code, _, err = run(folder, '--data_dir=here', '--config=a', '--fail_if_exists')
    assert code == 1
    assert 'prepared already' in error_line(err)
    code, _, err = run(folder, '--data_dir=here', '--config=a', '--file_format=tfrecord')
    assert code == 1
    assert 'another format' in error_line(err)
    assert (version / 'dataset_info.json').is_file()


def test_a_script_and_a_dataset_without_configs(run, make_builder, tmp_path):
    folder = make_builder(configs=(), script='{name}.py')
    code, _, err = run(folder / f'{folder.name}.py', '--config=a')
    assert code == 1
    assert 'no configs' in error_line(err)
    assert run(folder / f'{folder.name}.py')[0] == 0
    assert (tmp_path / 'data' / folder.name / '1.0.0' / 'dataset_info.json').is_file()


def test_unknown_config_and_unknown_folder_list_the_existing_ones(run, make_builder, tmp_path):
    folder, other = make_builder(), make_builder()
    for flag in ('--config=c', '--config_idx=2', '--config_idx=-1'):
        code, _, err = run(folder, flag)
        assert code == 1
        assert error_line(err).endswith('existing ones: a, b')
    code, _, err = run(folder, '--config={"name": 1')
    assert (code, 'does not describe a config' in error_line(err)) == (1, True)
    code, _, err = run(folder, '--config=a', '--config_idx=0')
    assert (code, 'give one of them' in error_line(err)) == (1, True)
    code, _, err = run('sets/tiny_sett')
    assert code == 1
    line = error_line(err)
    assert 'sets/tiny_sett has no dataset builder' in line
    assert line.endswith(f'existing ones: sets/{folder.name}, sets/{other.name}')
    code, _, err = run('tiny_sett')
    assert 'none here or in ./datasets' in error_line(err)
    assert not (tmp_path / 'data').exists()


def test_a_config_without_its_front_end_means_the_default_one(run, make_builder, tmp_path):
    folder = make_builder(configs=('a-vggish', 'b', 'b-vggish'))
    root = tmp_path / 'data' / folder.name
    assert run(folder, '--config=a')[0] == 0
    assert [p.name for p in root.glob('[a-z]*')] == ['a-vggish']
    assert 'Prepared already' in run(folder, '--config=a')[1]
    assert run(folder, '--config=b')[0] == 0
    assert sorted(p.name for p in root.glob('[a-z]*')) == ['a-vggish', 'b']
    other = make_builder(configs=('a',))
    assert 'build one dataset at a time' in error_line(run(folder, other, '--config=a')[2])


def test_the_text_of_an_import_error_is_shown(run, make_builder, tmp_path):
    code, _, err = run(make_builder(imports='import a_package_that_is_not_there'))
    assert code == 1
    assert "ModuleNotFoundError: No module named 'a_package_that_is_not_there'" in error_line(err)
    code, _, err = run(make_builder(imports='from . import a_neighbour'))
    assert "cannot import name 'a_neighbour'" in error_line(err)
    # A room that exists would do as well, unless another test has imported it before.
    code, _, err = run(make_builder(imports='from datasets.a_room_that_is_not_there import files'))
    assert 'import neighbours relatively' in error_line(err)
    assert not (tmp_path / 'data').exists()


def test_a_users_error_inside_the_builder_is_one_line_and_leaves_nothing(run, make_builder, tmp_path):
    folder = make_builder(check="if i == 5: raise DataError('7.mat is cut off;\\n fetch it again')")
    code, _, err = run(folder, '--config=a')
    assert code == 1
    assert error_line(err) == 'error: 7.mat is cut off; fetch it again'
    assert not (tmp_path / 'data').exists()

    good = make_builder()
    assert run(good, '--config=a')[0] == 0
    (tmp_path / 'data' / 'mine').mkdir()
    before = sorted(tmp_path.joinpath('data').rglob('*'))
    assert run(folder)[0] == 1
    assert sorted(tmp_path.joinpath('data').rglob('*')) == before


def test_a_defect_keeps_its_traceback(run, make_builder, tmp_path):
    with pytest.raises(ZeroDivisionError):
        run(make_builder(check='1 / 0'), '--config=a')
    assert not (tmp_path / 'data').exists()


def test_raw_data_variable_is_the_default_of_manual_dir(run, make_builder, tmp_path, monkeypatch):
    check = "raise DataError(f'manual_dir is {self.manual_dir}')"
    folder = make_builder(check=check)
    (tmp_path / 'raw').mkdir()
    (tmp_path / 'other').mkdir()
    monkeypatch.setenv(prepare.RAW_DATA_VARIABLE, str(tmp_path / 'raw'))
    assert error_line(run(folder)[2]) == f'error: manual_dir is {tmp_path / "raw"}'
    assert (
        error_line(run(folder, f'--manual_dir={tmp_path / "other"}')[2]) == f'error: manual_dir is {tmp_path / "other"}'
    )
    line = error_line(run(folder, '--manual_dir=absent')[2])
    assert 'absent, which is not a folder' in line


def test_help_starts_with_examples_and_names_overwrite():
    command = [sys.executable, '-m', 'launch.prepare', '--help']
    env = {**os.environ, 'COLUMNS': '120'}
    out = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout
    head, _, flags = out.partition('options:')
    assert head.count('python -m launch.prepare datasets/') == 4
    assert '--overwrite' in head
    assert 'FDX_RAW_DATA' in head
    for flag, default in (('--data_dir', 'data'), ('--file_format', 'array_record')):
        text = ' '.join(flags[flags.index(flag) :].split())
        assert text.index(f'(default: {default})') == text.index('(default: ')


@pytest.mark.parametrize(
    'raised', ["OSError(28, 'No space left on device')", "ValueError('deep in C++: No space left on device')"]
)
def test_a_full_disk_is_one_line_and_leaves_nothing(run, make_builder, tmp_path, raised):
    code, _, err = run(make_builder(check=f'raise {raised}'), '--config=a')
    assert code == 1
    assert 'in data: No space left on device; check that the folder is writable' in error_line(err)
    assert not (tmp_path / 'data').exists()


def start(folder, tmp_path):
    """The program on a builder folder, in a process of its own."""
    command = [sys.executable, '-m', 'launch.prepare', str(folder), '--config=a', f'--data_dir={tmp_path / "data"}']
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    return subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


SLOWLY = "__import__('time').sleep(0.3)"


def until_building(folder, tmp_path):
    """Waits for the half-written folder of a program that builds config `a`."""
    for _ in range(1200):
        if list((tmp_path / 'data' / folder.name / 'a').glob('incomplete.*')):
            return
        time.sleep(0.1)


def test_two_equal_preparations_at_once_both_end_well(make_builder, tmp_path):
    """The first one builds until the second one waits for it."""
    go = tmp_path / 'go'
    folder = make_builder(check=f"while not __import__('os').path.exists({str(go)!r}): __import__('time').sleep(0.05)")
    first = start(folder, tmp_path)
    until_building(folder, tmp_path)
    second = start(folder, tmp_path)
    lines = iter(second.stdout.readline, b'')
    before = list(itertools.takewhile(lambda line: b'waiting for process' not in line, lines))
    go.touch()
    outputs = [p.communicate(timeout=240)[0].decode() for p in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], (before, outputs)
    assert 'Prepared already, kept as it is' in outputs[1] and 'Prepared already' not in outputs[0]
    version = tmp_path / 'data' / folder.name / 'a' / '1.0.0'
    assert len(tfds.builder_from_directory(version).as_data_source(split='train')) == 10
    assert [p.name for p in version.parent.iterdir()] == ['1.0.0']
    assert not list((tmp_path / 'data').glob('.*lock*'))


def test_what_a_killed_preparation_left_is_removed_by_the_next(run, make_builder, tmp_path):
    folder = make_builder(check=SLOWLY)
    config = tmp_path / 'data' / folder.name / 'a'
    process = start(folder, tmp_path)
    until_building(folder, tmp_path)
    process.kill()
    process.communicate()
    assert list(config.glob('incomplete.*'))
    code, _, err = run(folder, '--config=a')
    assert code == 0, err
    assert [p.name for p in config.iterdir()] == ['1.0.0']
    assert not list((tmp_path / 'data').glob('.*lock*'))


def test_a_folder_that_is_no_whole_dataset_is_named(run, make_builder, tmp_path):
    folder = make_builder()
    version = tmp_path / 'data' / folder.name / 'a' / '1.0.0'
    version.mkdir(parents=True)
    (version / 'mine.txt').write_text('mine')
    code, _, err = run(folder, '--config=a')
    assert code == 1
    assert f'{version.relative_to(tmp_path)} has no dataset_info.json' in error_line(err)
    assert (version / 'mine.txt').read_text() == 'mine'
