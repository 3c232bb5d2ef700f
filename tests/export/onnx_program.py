"""Run by tests/export/test_onnx.py with a python that has jax2onnx and onnxruntime: parity of every network."""

from __future__ import annotations

import json
import sys

import jax
import jax.numpy as jnp
import numpy as np

from fdx.export.graph import identity, inference
from fdx.export.onnx_file import operators_of, to_onnx, with_description
from fdx.models.registry import create_model, model_names, options_for
from fdx.predict.backends.onnx import OnnxModel

# name -> (shape of an example, options that make it slim).
CASES = {
    'band_linear': ((16, 64, 3), {}),
    'band_mlp': ((61, 96, 1), {}),
    'cnn1d': ((1024, 1, 1), {'width_multiplier': 0.5}),
    'cnn_small': ((24, 6, 3), {}),
    'efficientnet_lite0': ((64, 48, 3), {}),
    'evidence_judge': ((5, 4, 5), {'bands': 3}),
    'mlp': ((4,), {'size': 'large'}),
    'musicnn_vgg': ((61, 96, 1), {'width_multiplier': 0.25}),
    'resnet50': ((64, 48, 3), {'width_multiplier': 0.25}),
    'vgg16': ((64, 64, 3), {'width_multiplier': 0.1, 'cells': 2}),
    'vggish': ((96, 64, 1), {'width_multiplier': 0.1}),
    'yamnet': ((96, 64, 1), {'width_multiplier': 0.25}),
}


def random_variables(model, shape, rng):
    """Initial parameters; statistics moved away from those of initialisation, or a wrong norm would not show."""
    with jax.threefry_partitionable(False):
        variables = jax.jit(lambda key: model.init(key, jnp.zeros((1, *shape))))(jax.random.key(0))
    variables = jax.tree.map(np.asarray, variables)
    moved = jax.tree.map(lambda x: (x + rng.uniform(0.1, 1, x.shape)).astype('f4'), variables.get('batch_stats', {}))
    return {**variables, **({'batch_stats': moved} if moved else {})}


def main() -> None:
    """Prints {model: [largest difference of a probability from JAX, number of operators]}."""
    assert sorted(CASES) == model_names(), 'a network without a case'
    found = {}
    for name, (shape, options) in CASES.items():
        model = create_model(name, 4, **options_for(name, shape, options))
        rng = np.random.default_rng(1)
        variables = random_variables(model, shape, rng)
        function = inference(model, variables, identity)
        content = with_description(to_onnx(function, shape), {'model': name})
        loaded = OnnxModel(content)
        assert loaded.description == {'model': name}
        inputs = rng.normal(size=(3, *shape)).astype(np.float32)
        expected = np.asarray(jax.jit(function)(inputs))
        one_by_one, at_once = loaded.probabilities(inputs), loaded.invoke(inputs)
        worst = max(np.abs(one_by_one - expected).max(), np.abs(at_once - expected).max())
        found[name] = [float(worst), sum(operators_of(content).values())]
    json.dump(found, sys.stdout)


if __name__ == '__main__':
    main()
