"""launch.train on a table: what it prepares, and the settings that a table has where no flag is given."""

from __future__ import annotations

import pytest

from fdx.data.source import open_dataset
from fdx.train import run as run_module
from fdx.train.checkpoints import Checkpoints
from fdx.train.config import TrainConfig
from fdx.types import FdxError
from launch.table_defaults import DROPOUT_OF_LARGE, TABLE_DEFAULTS, is_table, settings_text, table_settings

# A user's table may be a log; drawn rows are stratified.
OF_FILE = {**TABLE_DEFAULTS, 'protocol': 'row_blocks'}
# Flag -> (with another value than a table's default, the value in TrainConfig).
GIVEN = {
    'protocol': ('--protocol=random_windows', 'random_windows'),
    'model': ('--model=cnn1d', 'cnn1d'),
    'dropout_rate': ('--dropout_rate=0.125', 0.125),
    'epochs': ('--epochs=3', 3),
    'patience': ('--patience=0', 0),
    'learning_rate': ('--learning_rate=0.25', 0.25),
    'halve_every': ('--halve_every=7', 7),
    'batch_size': ('--batch_size=5', 5),
}


@pytest.fixture
def config_of(call, trained, mine, tmp_path, monkeypatch):
    """config_of(*flags) -> (the TrainConfig that launch.train hands over, what it printed); nothing is trained."""

    def make(*flags):
        configs = []

        def stop(config, *args, **options):
            configs.append(config)
            raise FdxError('enough')

        monkeypatch.setattr(run_module, 'train', stop)
        done = call('train', *mine, *flags, f'--workdir={tmp_path / "none"}')
        assert done.error == 'error: enough'
        return configs[0], done.out

    return make


def stored_config(workdir):
    checkpoints = Checkpoints(workdir)
    return TrainConfig.from_json(checkpoints.meta(checkpoints.best_step())['config'])


def test_train_prepares_the_table_and_says_its_settings(trained, folder):
    workdir, done = trained
    assert done.out.count('preparing motor_maintenance/mine/1.0.0') == 1
    data = open_dataset('motor_maintenance/mine', folder / 'data')
    assert (len(data), data.metadata['source']) == (150, 'log.csv')
    config = stored_config(workdir)
    expected = {**OF_FILE, 'epochs': 3, 'threshold': 'cost:20', 'balance': 'none'}
    assert {name: getattr(config, name) for name in expected} == expected
    line = next(line for line in done.out.splitlines() if line.startswith('a table of readings: '))
    assert line.split()[4:] == [f'--{k}={v}' for k, v in OF_FILE.items() if k != 'epochs']
    assert done.out.count('epoch ') == 3


def test_the_same_command_again_trains_nothing(call, trained, mine):
    workdir, _ = trained
    done = call('train', *mine, '--epochs=3', '--threshold=cost:20', f'--workdir={workdir}')
    assert (done.code, 'epoch ' in done.out, 'preparing' in done.out) == (0, False, False)
    # The table is prepared: neither the file nor its flag is needed any more.
    done = call('train', *mine[:2], '--epochs=3', '--threshold=cost:20', f'--workdir={workdir}')
    assert (done.code, 'epoch ' in done.out) == (0, False)


def test_defaults_are_those_of_tables_where_no_flag_is_given(config_of):
    config, out = config_of()
    assert {name: getattr(config, name) for name in OF_FILE} == OF_FILE
    assert settings_text(OF_FILE) in out
    # What tables have no default of their own for is as for recordings.
    plain = TrainConfig(dataset='x')
    for name in ('label_key', 'balance', 'threshold', 'select_by', 'l2', 'freeze', 'init', 'seed'):
        assert getattr(config, name) == getattr(plain, name)


def test_every_given_flag_wins_over_the_table_s_default(config_of):
    assert set(GIVEN) == set(TABLE_DEFAULTS)
    for name, (flag, value) in GIVEN.items():
        config, out = config_of(flag)
        expected = {**OF_FILE, name: value}
        assert {n: getattr(config, n) for n in TABLE_DEFAULTS} == expected
        assert f'--{name}=' not in out
    config, out = config_of(*(flag for flag, _ in GIVEN.values()))
    assert {n: getattr(config, n) for n in TABLE_DEFAULTS} == {n: value for n, (_, value) in GIVEN.items()}
    assert 'a table of readings' not in out


def test_a_flag_given_with_its_default_is_given_all_the_same(config_of):
    """vggish's defaults differ from a table's: 4 epochs are wished for, if they are written."""
    assert config_of('--epochs=4', '--dropout_rate=0.5')[0].epochs == 4


def test_the_larger_network_has_dropout_where_none_is_given(config_of):
    large = ('--model=mlp', '--model_option=size=large')
    config, _ = config_of(*large)
    assert (config.dropout_rate, config.model_options) == (DROPOUT_OF_LARGE, {'size': 'large'})
    assert config_of(*large, '--dropout_rate=0.1')[0].dropout_rate == 0.1
    assert config_of('--model=mlp', '--model_option=size=small')[0].dropout_rate == 0.0


def test_recordings_keep_their_defaults():
    assert table_settings('cwru/load0_12k') == {} == table_settings('')
    assert is_table('motor_maintenance/mine')
    assert not any(map(is_table, ('cwru/load0_12k', 'nothing/at_all', '')))
