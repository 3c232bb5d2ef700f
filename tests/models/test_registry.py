"""The table of networks: what create_model builds, and what it refuses."""

from __future__ import annotations

import pytest

from fdx.models import MODELS, create_model, model_names
from fdx.models.registry import model_spec
from fdx.signal.front_ends import create_front_end
from fdx.types import ConfigError


def test_unknown_model_names_the_known_ones():
    with pytest.raises(ConfigError, match="unknown model 'vgg'; fdx has: .*vggish"):
        create_model('vgg', 3)


@pytest.mark.parametrize('num_classes', [0, -1])
def test_no_class_is_refused(num_classes):
    with pytest.raises(ConfigError, match=f'num_classes={num_classes} .*at least one class'):
        create_model('vggish', num_classes)


def test_unknown_options_are_named_with_the_known_ones():
    with pytest.raises(ConfigError, match='no option depth, width; it has: .*dropout_rate.*width_multiplier'):
        create_model('vggish', 3, width=2, depth=1, dropout_rate=0.1)


@pytest.mark.parametrize('option', ['name', 'parent', 'num_classes'])
def test_linen_fields_are_no_options(option):
    options = {option: None}
    with pytest.raises((ConfigError, TypeError), match=option):
        create_model('vggish', 3, **options)


def test_options_reach_the_module():
    model = create_model('vggish', 4, dropout_rate=0.25, width_multiplier=0.5)
    assert (model.num_classes, model.dropout_rate, model.width_multiplier) == (4, 0.25, 0.5)


@pytest.mark.parametrize('name', model_names())
def test_every_entry_keeps_the_contract_of_the_table(name):
    spec = model_spec(name)
    assert spec.module.STAGES[-1] == 'head'
    assert len(set(spec.module.STAGES)) == len(spec.module.STAGES)
    assert create_front_end(spec.front_end).output_shape() == spec.input_shape
    assert list(MODELS) == sorted(MODELS)
