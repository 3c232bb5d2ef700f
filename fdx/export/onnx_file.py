"""ONNX files made by jax2onnx, which lives in an environment of its own (requirements-onnx.txt)."""

from __future__ import annotations

import collections
import json
from collections.abc import Callable, Sequence

import jax

from fdx.models.conv import textbook_forms
from fdx.predict.backends.onnx import INPUT, METADATA_NAME, OUTPUT, package_of_onnx


def to_onnx(function: Callable[[jax.Array], jax.Array], example_shape: Sequence[int]) -> bytes:
    """An ONNX model that computes `function` for batches of any size.

    Args:
      function: of one array [B, ...]; what it closes over becomes constants of the model.
      example_shape: of one example.

    Returns:
      The file's content; its input is `input` [B, ...], its output `probabilities` [B, K].

    Raises:
      ConfigError: jax2onnx is not installed.
    """
    jax2onnx = package_of_onnx('jax2onnx')
    with textbook_forms():
        model = jax2onnx.to_onnx(
            function, [('B', *example_shape)], model_name='fdx', input_names=[INPUT], output_names=[OUTPUT]
        )
    return model.SerializeToString()


def with_description(model: bytes, description: dict) -> bytes:
    """The model with fdx's description among its metadata; one that is there already is replaced."""
    tree = package_of_onnx('onnx').load_model_from_string(model)
    kept = [(p.key, p.value) for p in tree.metadata_props if p.key != METADATA_NAME]
    del tree.metadata_props[:]
    for key, value in (*kept, (METADATA_NAME, json.dumps(description, allow_nan=False))):
        entry = tree.metadata_props.add()
        entry.key, entry.value = key, value
    return tree.SerializeToString()


def operators_of(model: bytes) -> dict[str, int]:
    """Operator -> number of them, the most frequent first."""
    graph = package_of_onnx('onnx').load_model_from_string(model).graph
    return dict(collections.Counter(node.op_type for node in graph.node).most_common())
