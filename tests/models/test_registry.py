"""The table of networks: what create_model builds, and what it refuses."""

from __future__ import annotations

import dataclasses

import pytest

from fdx.models import MODELS, create_model, model_names
from fdx.models.registry import check_input_shape, model_spec, options_for
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
    module = model_spec(name).module
    assert module.STAGES[-1] == 'head'
    assert len(set(module.STAGES)) == len(module.STAGES)
    assert isinstance(module.HAS_STATISTICS, bool)
    assert bool(module.NORMS) == module.HAS_STATISTICS
    assert ('frozen_norms' in {f.name for f in dataclasses.fields(module)}) == module.HAS_STATISTICS
    assert list(MODELS) == sorted(MODELS)
    # An instance has only the stages of its options, in the same order.
    stages = create_model(name, 2).STAGES
    assert stages == tuple(s for s in module.STAGES if s in stages) and stages[-1] == 'head'


@pytest.mark.parametrize(
    ('name', 'channels'), [('vggish', 1), ('resnet50', 3), ('resnet50', 1), ('musicnn_vgg', 1), ('band_mlp', 1)]
)
def test_the_front_end_makes_what_the_model_takes(name, channels):
    if (name, channels) == ('resnet50', 1):
        shape = create_front_end('triaxial_mel', 12000.0).output_shape(channels)
    else:
        shape = create_front_end(model_spec(name).front_end, 12000.0).output_shape(channels)
    check_input_shape(name, shape)
    assert shape[-1] == channels


def test_efficientnets_front_end_makes_an_image_of_three_resolutions():
    shape = create_front_end(model_spec('efficientnet_lite0').front_end, 12000.0).output_shape(1)
    check_input_shape('efficientnet_lite0', shape)
    assert shape == (128, 96, 3)


@pytest.mark.parametrize('shape', [(128, 2, 3), (1, 1, 1), (224, 224, 3)])
@pytest.mark.parametrize('name', ['band_mlp', 'cnn_small', 'efficientnet_lite0', 'resnet50'])
def test_image_networks_take_any_size(name, shape):
    check_input_shape(name, shape)


@pytest.mark.parametrize(
    ('name', 'shape', 'text'),
    [
        ('vggish', (128, 2, 1), "'vggish' .* 96 x 64 x 1, not 128 x 2 x 1: .*front end .*'vggish'"),
        ('vggish', (96, 64, 3), 'examples of 96 x 64 x 1, not 96 x 64 x 3'),
        ('musicnn_vgg', (61, 64, 1), "any x 96 x 1, not 61 x 64 x 1: .*front end .*'musicnn'"),
        ('resnet50', (128, 2), "'resnet50' .* any x any x any, not 128 x 2:"),
        ('resnet50', (0, 2, 3), 'not 0 x 2 x 3'),
        ('efficientnet_lite0', (128, 96, 2), r"'efficientnet_lite0' .* 1 or 3 channels, not 2"),
        ('resnet50', (128, 2, 2), r'1 or 3 channels, not 2 .*128 x 2 x 2'),
        ('cnn1d', (2048, 2, 1), "any x 1 x any, not 2048 x 2 x 1: .*front end .*'waveform'"),
        ('band_mlp', (61, 96), "'band_mlp' .* any x any x any, not 61 x 96: .*front end .*'musicnn'"),
        ('vgg', (96, 64, 1), "unknown model 'vgg'"),
    ],
)
def test_other_shapes_are_refused(name, shape, text):
    with pytest.raises(ConfigError, match=text):
        check_input_shape(name, shape)


def test_the_size_of_the_examples_decides_options_that_nobody_gave():
    assert options_for('musicnn_vgg', (61, 96, 1), {}) == {'depth': 4}
    assert options_for('musicnn_vgg', (187, 96, 1), {'width_multiplier': 0.5}) == {'depth': 5, 'width_multiplier': 0.5}
    assert options_for('musicnn_vgg', (61, 96, 1), {'depth': 2}) == {'depth': 2}
    # Nothing reaches even the first stage: the model itself says so.
    assert options_for('musicnn_vgg', (2, 96, 1), {}) == {}
    assert options_for('vggish', (96, 64, 1), {'width_multiplier': 2.0}) == {'width_multiplier': 2.0}
