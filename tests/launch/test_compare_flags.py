"""launch.compare: flags that it refuses before anything is trained, and where compiled programs go."""

from __future__ import annotations

import runpy

import jax
import pytest


@pytest.mark.parametrize(
    ('flags', 'words'),
    [
        (['--freeze=head'], '--freeze is decided by --strategies: give --strategies=head'),
        (['--protocol=time_blocks'], '--protocol is decided by --protocols'),
        (['--init=random'], '--init=imagenet (as in the study)'),
        (['--strategies=full,full'], 'full is there twice'),
        (['--strategies=half'], "'half' is none of full, first_last, head, scratch"),
        (['--seeds=0'], '--seeds=0'),
        (['--protocols=time_blocks,time_blocks'], 'at least one, each once'),
        (['--protocols=by_magic'], "unknown protocol 'by_magic'"),
        (['--smoothing=1'], '--smoothing=1.0'),
        (['--fold=3'], 'random_windows has folds 0 to 0'),
        (['--pretrain_epochs=2'], 'needs --pretrain_dataset'),
        (['--pretrain_dataset=bearing_rig/rig_a_small', '--init=x'], 'leave --init and --weights_version out'),
        (['--pretrain_dataset=bearing_rig/rig_b_small'], 'whose test windows the weights must not see'),
        (['--pretrain_dataset=bearing_rig/rig_a_small', '--strategies=scratch'], 'no strategy starts from its weights'),
        (['--front_ends=vggish,vggish'], '--front_ends=vggish,vggish: at least one, each once'),
        (['--front_ends='], 'at least one, each once'),
        (['--front_ends=vggish,triaxial_mel'], 'no triaxial_mel for --dataset=bearing_rig/rig_b_small'),
        (['--front_ends=wavelet'], 'with the front ends vggish, vggish_train, vggish_none, multi_resolution_mel'),
        (['--front_ends=vggish', '--dataset=bearing_rig/rig_z'], '--dataset=bearing_rig/rig_z: bearing_rig has'),
        (['--front_ends=vggish', '--dataset=no_rig/small'], '--dataset=no_rig/small: there is no builder datasets/'),
        (['--front_ends=vggish', '--pretrain_dataset=cwru/x'], '--pretrain_dataset=cwru/x: cwru has the configs'),
        (['--strategies=scratch', '--train_norms'], '--strategies names neither'),
    ],
)
def test_what_is_refused(call, data_dir, tmp_path, flags, words):
    common = ['--model=vggish', '--dataset=bearing_rig/rig_b_small', f'--data_dir={data_dir}']
    done = call('compare', *common, *flags, f'--workdir={tmp_path / "new"}')
    assert done.code == 1
    assert words in done.error
    assert not (tmp_path / 'new').exists()


def test_help_teaches_by_example_and_shows_the_defaults_of_the_study(call):
    text = call('compare', '--help').out
    assert 'python -m launch.compare --dataset=soon/all --front_ends=triaxial_mel,triaxial_mel_paper' in text
    assert "(default: 'resnet50')" in text
    assert "(default: 'imagenet')" in text
    for flag in (
        '--strategies',
        '--seeds',
        '--protocols',
        '--pretrain_dataset',
        '--keep_checkpoints',
        '--smoothing',
        '--front_ends',
    ):
        assert flag in text


def test_compiled_programs_go_to_the_workdir_unless_the_user_says_where(tmp_path):
    keep = runpy.run_module('launch.compare', run_name='compare')['_keep_compiled']
    before = jax.config.jax_compilation_cache_dir
    try:
        jax.config.update('jax_compilation_cache_dir', '/elsewhere')
        keep(tmp_path)
        assert jax.config.jax_compilation_cache_dir == '/elsewhere'
        jax.config.update('jax_compilation_cache_dir', None)
        keep(tmp_path)
        assert jax.config.jax_compilation_cache_dir == str(tmp_path / '.jax_cache')
    finally:
        jax.config.update('jax_compilation_cache_dir', before)
