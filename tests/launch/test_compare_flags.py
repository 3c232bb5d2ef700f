"""launch.compare: flags that it refuses before anything is trained, and where compiled programs go."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ('flags', 'words'),
    [
        (['--freeze=head'], '--freeze ... --strategies=head'),
        (['--protocol=time_blocks'], '--protocol ... --protocols'),
        (['--init=random'], '--init=imagenet'),
        (['--strategies=full,full'], 'full ... twice'),
        (['--strategies=half'], "'half' ... full, first_last, head, scratch"),
        (['--seeds=0'], '--seeds=0'),
        (['--protocols=time_blocks,time_blocks'], 'each once'),
        (['--protocols=by_magic'], "protocol 'by_magic'"),
        (['--smoothing=1'], '--smoothing=1.0'),
        (['--fold=3'], 'random_windows ... 0 to 0'),
        (['--pretrain_epochs=2'], 'needs --pretrain_dataset'),
        (['--pretrain_dataset=bearing_rig/rig_a_small', '--init=x'], '--init and --weights_version out'),
        (['--pretrain_dataset=bearing_rig/rig_b_small'], '--pretrain_dataset ... --dataset ... test windows'),
        (
            ['--pretrain_dataset=bearing_rig/rig_a_small', '--strategies=scratch'],
            '--pretrain_dataset ... strategy',
        ),
        (['--front_ends=vggish,vggish'], '--front_ends=vggish,vggish: ... each once'),
        (['--front_ends='], 'each once'),
        (['--front_ends=vggish,triaxial_mel'], 'triaxial_mel ... --dataset=bearing_rig/rig_b_small'),
        (['--front_ends=wavelet'], 'front ends vggish, vggish_train, vggish_none, multi_resolution_mel'),
        (['--front_ends=vggish', '--dataset=bearing_rig/rig_z'], '--dataset=bearing_rig/rig_z: ... rig_b_small'),
        (['--front_ends=vggish', '--dataset=no_rig/small'], '--dataset=no_rig/small: ... datasets/no_rig'),
        (['--front_ends=vggish', '--pretrain_dataset=cwru/x'], '--pretrain_dataset=cwru/x: ... faults_12k'),
        (['--strategies=scratch', '--train_norms'], '--strategies names none of them'),
    ],
)
def test_what_is_refused(says, call, data_dir, tmp_path, flags, words):
    common = ['--model=vggish', '--dataset=bearing_rig/rig_b_small', f'--data_dir={data_dir}']
    done = call('compare', *common, *flags, f'--workdir={tmp_path / "new"}')
    assert done.code == 1
    assert says(done.error, words)
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
