"""Generated records among the training examples: how many, from which rows, and never mistaken for real ones."""

from __future__ import annotations

import dataclasses
import itertools
import types

import flax.linen as nn
import numpy as np
import pytest
import tensorflow_datasets as tfds

from fdx.data.blocks import NO_BLOCK
from fdx.data.joined import JoinedExamples
from fdx.data.pipeline import ArrayExamples, RecordExamples, eval_batches, train_batches
from fdx.data.records import NO_GEOMETRY
from fdx.data.source import open_dataset
from fdx.data.table import SYNTHETIC
from fdx.train import feature_cache
from fdx.train.feature_cache import FeatureCache
from fdx.train.generated import DECIDES_ROWS, rows_key, with_generated
from fdx.train.run_data import balanced, load_data, select_rows, with_cached_features
from fdx.types import UNKNOWN, ConfigError, DataError, SplitError

# Of six training rows of each class these keep 6, 1 and 2.
RARE = {'imbalance': 'inner_race=1:6,outer_race=1:3', 'seed': 3}
CLASSES = ('normal', 'inner_race', 'outer_race')


class Generated(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Records with the fields of fdx.synth.dataset; image i is 100 + i everywhere."""

    VERSION = tfds.core.Version('1.0.0')
    name = 'synthetic'

    def __init__(self, *, like, origin, labels, class_names=CLASSES, front_end=None, **kwargs):
        self._labels, self._names = labels, list(class_names)
        self._metadata = {**like.metadata, 'front_end': front_end or like.front_end.config(), 'generated_from': origin}
        super().__init__(file_format='array_record', **kwargs)

    def _info(self):
        image = tfds.features.Tensor(shape=(96, 64, 1), dtype=np.float32, encoding=tfds.features.Encoding.ZLIB)
        numbers = dict.fromkeys(('speed_rpm', 'load', 'peak'), np.float32)
        numbers |= {'window_start': np.int64, 'block': np.int32, 'sample_rate_hz': np.float64, 'synthetic': np.bool_}
        features = {
            'spectrogram': image,
            **{key: tfds.features.ClassLabel(names=self._names) for key in ('label', 'fault_type')},
            **{text: tfds.features.Text() for text in ('recording', 'domain', 'bearing', 'checkpoint')},
            **{name: tfds.features.Scalar(dtype) for name, dtype in numbers.items()},
            'geometry': tfds.features.Tensor(shape=(len(NO_GEOMETRY),), dtype=np.float32),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(features),
            metadata=tfds.core.MetadataDict(self._metadata),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        del dl_manager
        return {'train': self._generate_examples()}

    def _generate_examples(self):
        unknown = dict.fromkeys(('speed_rpm', 'load'), np.float32(UNKNOWN))
        texts = {'domain': 'synthetic', 'bearing': 'none', 'checkpoint': 'generator@2:abc'}
        numbers = {'window_start': 0, 'block': NO_BLOCK, 'sample_rate_hz': 16000.0, 'peak': np.float32(1)}
        for i, label in enumerate(self._labels):
            own = {'label': int(label), 'fault_type': int(label), 'recording': f'synthetic-{i:06d}', 'synthetic': True}
            image = np.full((96, 64, 1), 100 + i, np.float32)
            geometry = np.array(NO_GEOMETRY, np.float32)
            yield f'{i:08d}', {'spectrogram': image, 'geometry': geometry, **unknown, **texts, **numbers, **own}


@pytest.fixture(scope='module')
def rare_config(make_config):
    """Of a run with balance=gan; `synthetic` and what differs are given."""
    return lambda name='many', **changes: make_config(
        **{'balance': 'gan', 'synthetic': f'synthetic/{name}' if name else '', **RARE, **changes}
    )


@pytest.fixture(scope='module', autouse=True)
def synthetic(data_dir, dataset, rare_config):
    """Generated datasets by name: eight records of each class, two, none of one class, and ones that do not fit."""
    origin = rows_key(rare_config(), dataset.name)
    shown = np.tile([2, 0, 1], 8)  # Row 0 is of another class than row 0 of the recordings.
    front_end = {**dataset.front_end.config(), 'scaling': 'train'}
    made = {
        'many': {'labels': shown},
        'few': {'labels': shown[:6]},
        'one_class': {'labels': np.full(9, 2)},
        'other_classes': {'labels': shown, 'class_names': ('normal', 'outer_race', 'inner_race')},
        'other_front_end': {'labels': shown, 'front_end': front_end},
    }
    for name, options in made.items():
        config = tfds.core.BuilderConfig(name=name)
        Generated(like=dataset, origin=origin, config=config, data_dir=data_dir, **options).download_and_prepare()
    return open_dataset('synthetic/many', data_dir)


def images(examples):
    """The value of each image that is one value everywhere, else None."""
    inputs = [examples[i]['inputs'] for i in range(len(examples))]
    return [float(x.flat[0]) if (x == x.flat[0]).all() else None for x in inputs]


def test_as_many_as_make_the_classes_equal_and_no_more(rare_config, dataset, synthetic):
    data = load_data(rare_config(), dataset)
    real, generated = data.train.parts
    assert np.bincount(real.labels()).tolist() == [6, 1, 2]
    assert np.bincount(generated.labels(), minlength=3).tolist() == [0, 5, 4]
    assert np.bincount(data.train.labels()).tolist() == [6, 6, 6]
    # The first ones of each class, each once, behind the real ones.
    wanted = [*np.flatnonzero(synthetic.table['label'] == 1)[:5], *np.flatnonzero(synthetic.table['label'] == 2)[:4]]
    assert images(data.train) == [None] * 9 + [100 + i for i in wanted]
    assert [int(data.train[i]['labels']) for i in range(18)] == data.train.labels().tolist()
    np.testing.assert_array_equal(real.rows, data.splits.train)


def test_validation_and_test_rows_and_the_gain_are_those_of_recordings(rare_config, dataset):
    data = load_data(rare_config(), dataset)
    plain = load_data(rare_config('', balance='none'), dataset)
    for part in (data, plain):
        assert part.validation.dataset is dataset
    np.testing.assert_array_equal(data.validation.rows, plain.validation.rows)
    np.testing.assert_array_equal(data.splits.test, plain.splits.test)
    np.testing.assert_array_equal(data.splits.train, plain.train.rows)
    assert data.gain == plain.gain
    loud = with_generated(rare_config(), plain.train, 0.25)
    assert loud.parts[1].gain == 0.25


@pytest.mark.parametrize(('name', 'counts'), [('few', [6, 3, 4]), ('one_class', [6, 1, 6])])
def test_fewer_where_there_are_fewer(rare_config, dataset, name, counts):
    assert np.bincount(load_data(rare_config(name), dataset).train.labels()).tolist() == counts


@pytest.mark.parametrize('protocol', ['by_recording', 'random_windows'])
def test_a_generated_dataset_says_so_in_its_table_and_is_nobodys_dataset(make_config, dataset, synthetic, protocol):
    assert synthetic.table[SYNTHETIC].tolist() == [True] * 24
    assert SYNTHETIC not in dataset.table.columns
    with pytest.raises(SplitError, match='records are synthetic'):
        load_data(make_config(dataset='synthetic/many', protocol=protocol), synthetic)


def test_the_key_holds_all_that_decides_the_rows(make_config, dataset):
    """What select_rows reads of a config is what generated records are compared by."""
    asked = set()

    class Watched:
        def __getattr__(self, name):
            asked.add(name)
            return getattr(make_config(), name)

    select_rows(Watched(), dataset)
    assert asked == set(DECIDES_ROWS)


OTHER_ROWS = {
    'label_key': ('fault_type', "'label' there, 'fault_type' here"),
    'protocol': ('random_windows', "'time_blocks' there, 'random_windows' here"),
    'fold': (1, '0 there, 1 here'),
    'exclude_recordings': (('rec-normal',), "[] there, ['rec-normal'] here"),
    'labels_per_class': (5, '0 there, 5 here'),
    'imbalance': ('1:3', "'inner_race=1:6,outer_race=1:3' there, '1:3' here"),
    'seed': (4, '3 there, 4 here'),
}


def test_every_setting_that_decides_the_rows_is_tried():
    assert set(OTHER_ROWS) == set(DECIDES_ROWS)


@pytest.mark.parametrize('setting', OTHER_ROWS)
def test_records_generated_from_other_rows_are_refused(says, rare_config, dataset, setting):
    value, words = OTHER_ROWS[setting]
    real = load_data(rare_config('', balance='none'), dataset).train
    with pytest.raises(ConfigError) as error:
        with_generated(rare_config(**{setting: value}), real, 1.0)
    assert says(str(error.value), f'`synthetic`=synthetic/many ... ({setting}: {words}), ... launch.synthesize')


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'name': 'other_classes'}, '`synthetic` ... classes or another front end ... three-vggish:'),
        (
            {'name': 'other_front_end'},
            '`synthetic` ... classes or another front end ... three-vggish:',
        ),
        (
            {'synthetic': 'train_room_tones/three'},
            '`synthetic`=train_room_tones/three ... launch.synthesize',
        ),
        ({'name': ''}, '`balance`=gan ... `synthetic`=synthetic/NAME'),
    ],
)
def test_what_was_not_generated_for_this_run_is_refused(says, rare_config, dataset, changes, words):
    with pytest.raises(ConfigError) as error:
        load_data(rare_config(**changes), dataset)
    assert says(str(error.value), words)


def test_another_dataset_is_refused_and_one_that_is_not_there(rare_config, dataset, data_dir):
    two = open_dataset('train_room_tones/two', data_dir)
    config = rare_config(dataset='train_room_tones/two')
    with pytest.raises(ConfigError, match="dataset: 'train_room_tones/three-.*' there, 'train_room_tones/two-.*' here"):
        with_generated(config, RecordExamples(two, np.arange(4), 'label'), 1.0)
    with pytest.raises(DataError, match='`synthetic`=synthetic/absent .*: few, many.*launch.synthesize'):
        load_data(rare_config('absent'), dataset)


class Mean(nn.Module):
    """A network whose first stage is the mean of the image and, beside it, 1."""

    @nn.compact
    def __call__(self, x, *, train=False, start=0, stop=None):
        mean = x.mean((1, 2, 3))
        return nn.Dense(2, kernel_init=nn.initializers.ones, name='first')(mean[:, None]), {}


PREFIX = {'params': {'first': {'kernel': np.ones((1, 2), np.float32), 'bias': np.float32([0, 1])}}}


def test_cached_features_of_the_two_datasets_are_not_mixed_up(dataset, synthetic, monkeypatch):
    """Row 0 of the recordings and row 0 of the generated ones."""
    counts, original = [], feature_cache.forward_all

    def counting(forward, variables, examples, **options):
        counts.append(len(examples))
        return original(forward, variables, examples, **options)

    monkeypatch.setattr(feature_cache, 'forward_all', counting)
    cache = FeatureCache(Mean(), PREFIX, 1)
    real, made = RecordExamples(dataset, np.arange(4), 'label'), RecordExamples(synthetic, np.arange(3), 'label')
    cache.examples(real, 'train')
    for parts in ((real, made), (made, real), (real, RecordExamples(synthetic, np.arange(0), 'label'))):
        joined = JoinedExamples(parts)
        features = cache.examples(joined, 'train')
        means = np.array([joined[i]['inputs'].mean() for i in range(len(joined))])
        np.testing.assert_allclose(features.inputs, np.stack([means, means + 1], axis=1), rtol=1e-5, atol=1e-5)
        assert features.labels().tolist() == [int(joined[i]['labels']) for i in range(len(joined))]
    assert counts == [4, 3]


def test_joined_examples_at_their_borders():
    numbers = [np.arange(first, last, dtype=np.int32) for first, last in ((0, 2), (10, 11), (15, 15), (20, 23))]
    parts = [ArrayExamples(values[:, None], values) for values in numbers]
    joined = JoinedExamples(tuple(parts))
    assert len(joined) == 6
    assert joined.labels().tolist() == [0, 1, 10, 20, 21, 22]
    assert joined.labels().dtype == np.int32
    for i, value in enumerate(joined.labels()):
        assert (joined[i]['inputs'].tolist(), joined[i]['labels']) == ([value], value)
    for i in (6, 7, 100):
        with pytest.raises(IndexError):
            joined[i]
    epoch = list(itertools.islice(train_batches(joined, 4, seed=1), 2))
    assert sorted(np.concatenate([batch['labels'] for batch in epoch]).tolist()) == joined.labels().tolist()
    for batch in (*epoch, *eval_batches(joined, 4)):
        assert batch['inputs'][:, 0].tolist() == batch['labels'].tolist()


@pytest.mark.parametrize('cached', [False, True])
@pytest.mark.parametrize(('name', 'synthetic_count'), [('many', 9), ('few', 4)])
def test_the_checkpoint_counts_real_and_generated_records_apart(rare_config, dataset, cached, name, synthetic_count):
    config = rare_config(name, freeze='head') if cached else rare_config(name)
    before = load_data(config, dataset)
    setup = types.SimpleNamespace(model=Mean(), prefix=PREFIX, start=int(cached), origin='random')
    data, start = with_cached_features(config, setup, before, {}, feature_cache.no_progress)
    assert (start, isinstance(data.train, ArrayExamples)) == (cached, cached)
    after, weights, meta = balanced(config, data, CLASSES)
    assert after is data
    assert weights is None
    assert meta == {
        'real': {'normal': 6, 'inner_race': 1, 'outer_race': 2},
        'synthetic': synthetic_count,
        'weights': None,
        'remedy': 'gan',
        'examples': 9 + synthetic_count,
    }
    assert len(data.splits.train) == 9
    plain = dataclasses.replace(config, balance='none', synthetic='')
    assert balanced(plain, load_data(plain, dataset), CLASSES)[2]['synthetic'] == 0


def test_joined_examples_count_from_the_end_too(rare_config, dataset):
    train = load_data(rare_config(), dataset).train
    np.testing.assert_array_equal(train[-1]['inputs'], train[len(train) - 1]['inputs'])
    np.testing.assert_array_equal(train[-len(train)]['inputs'], train[0]['inputs'])
    for i in (len(train), -len(train) - 1):
        with pytest.raises(IndexError):
            train[i]
