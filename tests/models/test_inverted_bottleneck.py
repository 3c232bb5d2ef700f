"""The parts of EfficientNet-Lite against the plain operations written out: ReLU6, the block with and without a skip."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.models.inverted_bottleneck import Block, relu6

DIMENSIONS = ('NHWC', 'HWIO', 'NHWC')


def test_relu6_and_its_gradient():
    x = np.float32([-1.0, 0.0, 2.5, 6.0, 7.0, np.nan])
    np.testing.assert_array_equal(jax.jit(lambda x: relu6(x))(x), [0, 0, 2.5, 6, 6, np.nan])
    np.testing.assert_array_equal(jax.jit(jax.grad(lambda x: relu6(x).sum()))(x[:5]), [0, 0, 1, 0, 0])


def written_out(x, params, stats, size, stride, expansion):
    """The block in evaluation by the formulas."""

    def norm(z, name):
        p, s = params[name], stats[name]
        return (z - s['mean']) / jnp.sqrt(s['var'] + 1e-3) * p['scale'] + p['bias']

    y = x
    if expansion != 1:
        y = jnp.clip(norm(jnp.einsum('bftc,cd->bftd', y, params['expand_conv']['kernel'][0, 0]), 'expand_bn'), 0, 6)
    kernel = params['depthwise_conv']['kernel']
    assert kernel.shape == (size, size, 1, expansion * x.shape[-1])
    # One channel after the other.
    parts = [
        jax.lax.conv_general_dilated(
            y[..., c : c + 1], kernel[..., c : c + 1], (stride, stride), 'SAME', dimension_numbers=DIMENSIONS
        )
        for c in range(y.shape[-1])
    ]
    y = jnp.clip(norm(jnp.concatenate(parts, -1), 'depthwise_bn'), 0, 6)
    return norm(jnp.einsum('bftc,cd->bftd', y, params['project_conv']['kernel'][0, 0]), 'project_bn')


@pytest.mark.parametrize(
    ('out', 'size', 'stride', 'expansion', 'skip'),
    [(3, 3, 1, 1, False), (4, 5, 2, 2, False), (3, 3, 1, 2, True), (3, 3, 1, 2, False)],
)
def test_a_block_is_its_formulas(out, size, stride, expansion, skip):
    block = Block(out, size, stride, expansion, skip, None, ())
    rng = np.random.default_rng(size + stride)
    x = jnp.asarray(3 * rng.standard_normal((2, 6, 5, 3)), jnp.float32)
    shapes = jax.eval_shape(lambda x: block.init(jax.random.key(0), x, train=False, mask=None), x)
    variables = jax.tree.map(lambda s: rng.uniform(0.2, 1.5, s.shape).astype(s.dtype) - 0.1, shapes)
    # Kernels of both signs, so that values lie below 0, between and above 6.
    variables['params'] = {
        name: {'kernel': 2 * branch['kernel'] - 1.5} if 'kernel' in branch else branch
        for name, branch in variables['params'].items()
    }

    @jax.jit
    def both(variables, x):
        found = block.apply(variables, x, train=False, mask=None)
        return found, written_out(x, variables['params'], variables['batch_stats'], size, stride, expansion)

    found, expected = map(np.asarray, both(variables, x))
    assert float(expected.std()) > 0.1
    np.testing.assert_allclose(found, x + expected if skip else expected, rtol=1e-4, atol=1e-4)
