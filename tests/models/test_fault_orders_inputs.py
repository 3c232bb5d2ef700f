"""The pictures of fault orders go into the networks that the issue of transfer names."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from fdx.models.registry import check_input_shape, create_model
from fdx.signal.front_ends import create_front_end


@pytest.mark.parametrize(
    ('front_end', 'model', 'options'),
    [
        ('fault_orders', 'resnet50', {'width_multiplier': 0.125}),
        ('fault_orders', 'cnn_small', {}),
        ('fault_orders_shaft', 'cnn_small', {}),
        ('fault_orders_stacked', 'vggish', {'width_multiplier': 0.0625}),
        ('envelope_spectrum', 'cnn1d', {}),
        ('waveform', 'cnn1d', {}),
    ],
)
def test_a_network_takes_the_front_ends_pictures(front_end, model, options):
    shape = create_front_end(front_end, 12000.0).output_shape(1)
    check_input_shape(model, shape)
    network = create_model(model, 3, **options)
    x = jnp.zeros((2, *shape), jnp.float32)
    variables = jax.eval_shape(network.init, jax.random.key(0), x)
    logits, features = jax.eval_shape(lambda v, x: network.apply(v, x, train=False), variables, x)
    assert logits.shape == (2, 3)
    assert features['embedding'].shape[0] == 2
