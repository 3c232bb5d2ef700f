"""Several front ends: their configs, what may be compared, the differences and the page."""

import json
import re
import types

import numpy as np
import pytest

from fdx.benchmarks.compare_front_ends import (
    check_comparable,
    compare_front_ends,
    configs_of_front_ends,
    describe_images,
)
from fdx.benchmarks.compare_outcome import compare
from fdx.benchmarks.compare_report import write_front_ends
from fdx.evaluate.html import image_words, points
from fdx.types import ConfigError, DataError
from tests.benchmarks.compare_outcomes import outcomes

WITHOUT_SUFFIX = {'small': 'a', 'small-b': 'b', 'small-a_train': 'a_train', 'small-b_x': 'b_x', 'other': 'a'}
WITH_SUFFIX = {'all-triaxial_mel': 'triaxial_mel', 'all-paper': 'paper', 'm1-triaxial_mel': 'triaxial_mel'}


def part(name, image, samples, dataset, seeds=(0, 1), worse=0):
    """What one front end leaves; `worse` is how many seeds later the runs are, each with one more mistake."""
    found = compare(outcomes(seeds=[s + worse for s in seeds]), 0.5)
    front_end = {**found['front_end'], 'name': name}
    return {
        **{**found, 'front_end': front_end, 'dataset': dataset},
        **{'seen_recordings': [], 'image': image, 'window_samples': samples, 'window_s': samples / 512},
    }


@pytest.fixture(scope='module')
def results():
    """The paper's front end is wrong in one window of eight more."""
    return compare_front_ends(
        [
            part('triaxial_mel', [128, 24, 3], 959, 'soon/all-triaxial_mel:1.0.0'),
            part('paper', [128, 2, 3], 1000, 'soon/all-paper:1.0.0', worse=1),
        ]
    )


@pytest.mark.parametrize('base', ['small', 'small-b', 'small-a_train'])
def test_siblings_where_the_default_front_end_has_no_suffix(base):
    found = configs_of_front_ends(f'rig/{base}', ['b', 'a', 'a_train'], WITHOUT_SUFFIX, 'dataset')
    assert found == ['rig/small-b', 'rig/small', 'rig/small-a_train']


def test_siblings_where_every_config_names_its_front_end():
    found = configs_of_front_ends('soon/all:1.0.0', ['triaxial_mel', 'paper'], WITH_SUFFIX, 'dataset')
    assert found == ['soon/all-triaxial_mel:1.0.0', 'soon/all-paper:1.0.0']


def test_what_a_builder_does_not_have():
    with pytest.raises(ConfigError, match='no c for `dataset`=rig/small; .* front ends a, b, a_train, b_x$'):
        configs_of_front_ends('rig/small', ['a', 'c'], WITHOUT_SUFFIX, 'dataset')
    # The other config has no second front end.
    with pytest.raises(ConfigError, match=r'no b for `pretrain_dataset`=rig/other; .* front ends a$'):
        configs_of_front_ends('rig/other', ['a', 'b'], WITHOUT_SUFFIX, 'pretrain_dataset')
    with pytest.raises(ConfigError, match='`dataset`=rig/none.*small, small-b'):
        configs_of_front_ends('rig/none', ['a'], WITHOUT_SUFFIX, 'dataset')


def fake_dataset(name, recordings, classes=('x', 'y')):
    return types.SimpleNamespace(
        name=name,
        data_dir=f'data/{name}',
        table={'recording': np.array(recordings)},
        class_names=lambda label_key: [f'{label_key} {c}' for c in classes],
    )


def test_only_the_front_end_may_differ():
    first = fake_dataset('one', ['r1', 'r1', 'r2'])
    check_comparable([first, fake_dataset('two', ['r2', 'r1'])], 'label')
    with pytest.raises(DataError, match=r'one and three .*recordings \(r2, r3\.\.\.\).*remove data/one'):
        check_comparable([first, fake_dataset('three', ['r1', 'r3'])], 'label')
    with pytest.raises(DataError, match='one and four .*classes'):
        check_comparable([first, fake_dataset('four', ['r1', 'r2'], ('y', 'x'))], 'label')


def test_images_are_described_from_the_dataset():
    table, metadata = types.SimpleNamespace(window_length=959), {'common_rate_hz': 512.0}
    dataset = types.SimpleNamespace(input_shape=(128, 24, 3), table=table, metadata=metadata)
    assert describe_images(dataset) == {'image': [128, 24, 3], 'window_samples': 959, 'window_s': 959 / 512}
    assert image_words([128, 24, 3]) == '128 x 24 x 3'


def test_differences_are_those_of_means_and_variances_add(results):
    assert results['dataset'] == 'soon/all:1.0.0'
    assert [p['front_end']['name'] for p in results['front_ends']] == ['triaxial_mel', 'paper']
    assert [(p['protocol'], p['leaks']) for p in results['summary']] == [
        ('time_blocks', False),
        ('random_windows', True),
    ]
    rows = results['summary'][0]['rows']
    names = [(row['strategy'], row['front_end']) for row in rows]
    assert names == [(s, f) for s in ('full', 'first_last', 'scratch') for f in ('triaxial_mel', 'paper')]
    first, second = rows[2:4]
    # Of eight windows 5 and 4 are right, with the other front end 4 and 3.
    assert (first['accuracy']['mean'], second['accuracy']['mean']) == (4.5 / 8, 3.5 / 8)
    assert first['difference'] is None
    assert second['difference']['mean'] == pytest.approx(-1 / 8)
    # Each has a variance of (1/8)^2 / 2.
    assert second['difference']['standard_deviation'] == pytest.approx(1 / 8)
    assert [row['image'] for row in rows[:2]] == [[128, 24, 3], [128, 2, 3]]
    assert (first['seconds']['mean'], first['seconds_an_epoch']['mean'], first['windows']) == (13.0, 2.0, 8)


def test_one_seed_has_no_spread():
    parts = [part(name, [2, 2, 1], 9, 'd/c', seeds=[0], worse=i) for i, name in enumerate('ab')]
    row = compare_front_ends(parts)['summary'][0]['rows'][1]
    assert row['difference'] == {'mean': -1 / 8, 'standard_deviation': None}
    assert [points(row['difference']), points(None)] == ['-12.5', 'reference']
    assert points({'mean': 0.031, 'standard_deviation': 0.02}) == '+3.1 ± 2.0'


def test_the_page_has_the_summary_in_front_and_a_section_each(results, tmp_path):
    page = write_front_ends(tmp_path, results).read_text()
    assert json.loads((tmp_path / 'comparison.json').read_text())['summary'] == results['summary']
    figures = [f'{kind}_{p}.png' for kind in ('confusion', 'loss') for p in ('random_windows', 'time_blocks')]
    for name in ('triaxial_mel', 'paper'):
        assert sorted(p.name for p in (tmp_path / name).iterdir()) == figures
    assert page.count('src="data:image/png;base64,') == 8
    text = re.sub(r'\s+', ' ', re.sub(r'<[^>]+>', ' ', page[page.index('<body') :]))
    assert 'triaxial_mel 128 x 24 x 3 959 1.873 train 8 8 imagenet v2' in text
    assert 'paper 128 x 2 x 3 1,000 1.953 train 8 8 imagenet v2' in text
    row = 'first_last triaxial_mel 128 x 24 x 3 56.2 ± 8.8 reference 50.0 ± 0.0 13.0 2.00 '
    assert row + 'paper 128 x 2 x 3 43.8 ± 8.8 -12.5 ± 12.5' in text
    ids = re.findall(r' id="([^"]+)"', page)
    assert ids == [f'{n}{p}' for n in ('triaxial_mel', 'paper') for p in ('', '-time_blocks', '-random_windows')]
    # The tables of each front end follow, in order.
    starts = [text.index(f'front end {name} (scaling train)') for name in ('triaxial_mel', 'paper')]
    assert text.index('What each front end costs against triaxial_mel') < starts[0] < starts[1]
    assert 'first_last 56.2 ± 8.8 0.518 ± 0.379' in text[starts[0] : starts[1]]
    assert 'first_last 43.8 ± 8.8' in text[starts[1] :]
