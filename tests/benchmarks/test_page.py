"""Pages of studies: files, what may be published, and that published pages are what their files say."""

from __future__ import annotations

import dataclasses
import json
import pathlib

import pytest
from matplotlib.figure import Figure

from fdx.benchmarks import adaptation_page, imbalance_page, pretraining_page
from fdx.benchmarks.adaptation_suite import SUITES
from fdx.benchmarks.page import Kind, json_text, publish, read_page, seed_means, write_page
from fdx.benchmarks.pretraining_suite import TASKS
from fdx.types import ConfigError, DataError

PUBLISHED = pathlib.Path(__file__).parents[2] / 'docs' / 'benchmarks'
# Suites without a published page; take a name out when its page is published.
NOT_YET = {'generalise'}
KINDS = {
    **dict.fromkeys([name for name in SUITES if name not in NOT_YET], adaptation_page.KIND),
    'imbalance': imbalance_page.KIND,
    'pretraining': pretraining_page.KIND,
}


def published(name: str) -> dict:
    return json.loads((PUBLISHED / f'{name}.json').read_text(encoding='utf-8'))


@pytest.mark.parametrize('name', KINDS)
def test_a_published_page_is_what_its_file_says(name):
    assert (PUBLISHED / f'{name}.md').read_text(encoding='utf-8') == KINDS[name].markdown(published(name))
    assert (PUBLISHED / f'{name}.json').read_text(encoding='utf-8') == json_text(published(name))


def test_suites_without_a_page_have_none():
    assert [name for name in NOT_YET if (PUBLISHED / f'{name}.md').exists()] == []


def test_all_tasks_of_pretraining_are_published():
    assert [task['name'] for task in published('pretraining')['tasks']] == [task.name for task in TASKS]


def without_picture(kind: Kind) -> Kind:
    """Its texts alone: drawing is what takes the time of a page."""
    return dataclasses.replace(kind, plot=lambda data: Figure((1, 1)))


def less(data: dict, what: str) -> dict:
    """A page of one seed, or without one method."""
    if what == 'method':
        return {**data, 'rows': [row for row in data['rows'] if row['method'] != 'none']}
    first = [{k: v[:1] if isinstance(v, list) else v for k, v in row.items()} for row in data['rows']]
    of_class = [{name: values[:1] for name, values in row['recall'].items()} for row in data['rows']]
    return {**data, 'rows': [{**row, 'recall': recall} for row, recall in zip(first, of_class)]}


@pytest.mark.parametrize(('what', 'lost'), [('method', 24), ('seed', 112)])
def test_less_than_what_is_published_is_refused(tmp_path, what, lost):
    kind, data = KINDS['imbalance'], published('imbalance')
    new, out = tmp_path / 'pages', tmp_path / 'docs'
    write_page(out, 'imbalance', data, kind)
    kind = without_picture(kind)
    before = (out / 'imbalance.md').read_text()
    write_page(new, 'imbalance', less(data, what), kind)
    with pytest.raises(ConfigError, match=f'{lost} figures .*remove .*imbalance.json'):
        publish(new, 'imbalance', kind, out)
    assert (out / 'imbalance.md').read_text() == before
    # The whole page may be published over the smaller one, and over itself.
    assert publish(out, 'imbalance', kind, new) == new / 'imbalance.md'
    assert (new / 'imbalance.md').read_text() == before
    assert publish(new, 'imbalance', kind, out).read_text() == before
    # Without a published page there is nothing to lose.
    write_page(new, 'imbalance', less(data, what), kind)
    (out / 'imbalance.json').unlink()
    publish(new, 'imbalance', kind, out)
    assert read_page(out, 'imbalance', kind) == less(data, what)


def test_a_task_that_was_measured_alone_leaves_the_others_of_the_published_page(tmp_path):
    kind, data = KINDS['pretraining'], published('pretraining')
    new, out = tmp_path / 'pages', tmp_path / 'docs'
    write_page(out, 'pretraining', data, kind)
    kind = without_picture(kind)
    one = {**data['tasks'][2], 'words': 'measured anew'}
    write_page(new, 'pretraining', {'suite': 'pretraining', 'tasks': [one]}, kind)
    publish(new, 'pretraining', kind, out)
    assert read_page(out, 'pretraining', kind)['tasks'] == [*data['tasks'][:2], one, *data['tasks'][3:]]
    # Fewer networks of that task: the rows of the others stay as well.
    write_page(new, 'pretraining', {'suite': 'pretraining', 'tasks': [{**one, 'rows': one['rows'][:4]}]}, kind)
    publish(new, 'pretraining', kind, out)
    assert read_page(out, 'pretraining', kind)['tasks'] == [*data['tasks'][:2], one, *data['tasks'][3:]]
    # Fewer draws are less than what is published.
    row = next(row for row in one['rows'] if row['network'] == 'imagenet_lite0')
    cells = [{**c, 'accuracy': {**c['accuracy'], 'values': c['accuracy']['values'][:-1]}} for c in row['cells']]
    less_draws = {**one, 'rows': [{**row, 'cells': cells}]}
    write_page(new, 'pretraining', {'suite': 'pretraining', 'tasks': [less_draws]}, kind)
    with pytest.raises(ConfigError, match='cwru_load0, imagenet_lite0, 1 a class'):
        publish(new, 'pretraining', kind, out)


@pytest.mark.parametrize('text', ['{', '[]', '{"rows": 3}', '{"suite": "imbalance", "rows": []}'])
def test_a_file_of_another_program_is_an_error(tmp_path, text):
    assert read_page(tmp_path, 'imbalance', KINDS['imbalance']) is None
    (tmp_path / 'imbalance.json').write_text(text)
    with pytest.raises(DataError, match=r'imbalance\.json.*remove it'):
        read_page(tmp_path, 'imbalance', KINDS['imbalance'])
    with pytest.raises(DataError, match='no page to publish'):
        publish(tmp_path / 'empty', 'imbalance', KINDS['imbalance'], tmp_path / 'out')


def test_json_keeps_short_things_and_plain_lists_on_one_line():
    data = {'rows': [{'a': [0.5] * 60, 'b': {'c': 1}}], 'é': None}
    text = json_text(data)
    assert json.loads(text) == data
    assert max(map(len, text.splitlines())) > 250
    assert '   "b": {"c": 1}\n' in text
    assert json_text({'x': float('nan')}) == '{"x": null}\n'


def test_means_of_seeds():
    rows = [{'seeds': [0, 1], 'accuracy': [0.5, 0.7]}, {'seeds': [0, 1], 'accuracy': [0.7, 1.0]}]
    assert seed_means(rows, lambda row: row['accuracy']) == pytest.approx([0.6, 0.85])
    with pytest.raises(DataError, match='same seeds'):
        seed_means([rows[0], {'seeds': [0], 'accuracy': [1.0]}], lambda row: row['accuracy'])
