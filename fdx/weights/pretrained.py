"""Pretrained weights for a model, with a new classifier if the file's does not fit."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from fdx.models.staged import Staged
from fdx.types import WeightsError
from fdx.weights.convert import convert_arrays, is_foreign, read_arrays
from fdx.weights.files import load_manifest
from fdx.weights.merge import merge_variables
from fdx.weights.stem import adapt_stem, stem_change
from fdx.weights.structure import HEAD, example_input, init_last, model_name, tree_variables, variable_shapes
from fdx.weights.tables import PUBLISHED_HEADS, name_table
from fdx.weights.trees import unflatten_tree

logger = logging.getLogger(__name__)


class Pretrained(NamedTuple):
    """The result of `read_pretrained`.

    Attributes:
      variables: {'params': ...}, with 'batch_stats' for a model that has them; NumPy and JAX arrays.
      notes: changes beyond copying, in words for a manifest: whether the classifier was kept, how the stem was changed,
        which stages were left out.
      learned_from: training data of the weights according to the manifest (fdx.train.learned_from); () for most.
      fresh: stages in front of the classifier that the file does not have and that start at random; () for most.
    """

    variables: dict[str, Any]
    notes: tuple[str, ...]
    learned_from: tuple[Mapping[str, Any], ...] = ()
    fresh: tuple[str, ...] = ()


def load_pretrained(
    path: str | os.PathLike,
    model: Staged,
    *,
    seed: int = 0,
    input_shape: tuple[int, ...] | None = None,
) -> dict[str, Any]:
    """Only the variables of `read_pretrained`."""
    return read_pretrained(path, model, seed=seed, input_shape=input_shape).variables


def read_pretrained(
    path: str | os.PathLike,
    model: Staged,
    *,
    seed: int = 0,
    input_shape: tuple[int, ...] | None = None,
) -> Pretrained:
    """Reads the variables of a model from a file, including the classifier if it has as many classes as the model.

    The classifier is new if the file's has another number of classes, was made for another input, or is missing; the
    log and the notes say which. If the stem's channels differ, `fdx.weights.stem.adapt_stem` applies. Stages that the
    options of the model (`depth`) leave out are not read, and the notes say so. Stages that the origin does not have,
    according to its name table or to the manifest, start at random.

    Args:
      path: .safetensors file of fdx (checked against its manifest if that lies beside it), a .pth, .pt or .safetensors
        file with the torch names of the model's published checkpoint, an .h5 file of Keras, or an .onnx file.
      model: the network, of the widths that the file has; its number of classes is free.
      seed: seed of a new classifier, whose values are those of `model.init(jax.random.key(seed), x)`.
      input_shape: shape of one example, by default that of the model in `fdx.models.registry`, with the sizes of
        `fdx.weights.structure.FREE_SHAPE` on free axes.

    Raises:
      WeightsError: the file cannot be read, or its arrays are not exactly those of the model (law 9).
    """
    init = variable_shapes(model, input_shape)
    channels = example_input(model, input_shape).shape[-1]
    manifest = load_manifest(path)
    arrays = read_arrays(path)
    try:
        if is_foreign(path, arrays):
            tree, absent = convert_arrays(arrays, model, input_shape), name_table(model, arrays).without
        else:
            tree, absent = unflatten_tree(arrays), tuple(manifest.get('without', ()))
        keep, note = _classifier(tree, model, seed, manifest)
        tree, stages_note = _wanted_stages(tree, model)
        fresh = tuple(s for s in model.STAGES[:-1] if s in absent and s not in tree)
        fresh_note = f'{", ".join(fresh)} are not in the file and start at random (seed {seed})' if fresh else None
        notes = (note, *filter(None, [stem_change(tree, channels), stages_note, fresh_note]))
        replace = (*fresh, *(() if keep else (HEAD,)))
        if replace:
            drawn = init_last(model, seed, input_shape, first=replace[0])
            init = {**init, 'params': {**init['params'], **{stage: drawn[stage] for stage in replace}}}
        loaded = tree_variables(adapt_stem(tree, channels))
        variables = merge_variables(init, loaded, replace=replace)
    except WeightsError as e:
        raise WeightsError(f'{path}: {e}') from e
    count = sum(len(jax.tree.leaves(v)) for k, v in variables['params'].items() if k not in replace)
    count += len(jax.tree.leaves(variables.get('batch_stats', {})))
    said = '; '.join(filter(None, [note, stages_note, fresh_note]))
    logger.info('%s: %d arrays loaded (origin: %s); %s', path, count, manifest.get('origin', 'unknown'), said)
    return Pretrained(variables, notes, tuple(manifest.get('learned_from', ())), fresh)


def _wanted_stages(tree: Mapping[str, Any], model: Staged) -> tuple[dict[str, Any], str | None]:
    """The tree without the stages of the class that `model` leaves out, and a note about them or None.

    Arrays that belong to no stage of the class stay, so that the strict merge reports them.
    """
    others = [stage for stage in type(model).STAGES if stage not in model.STAGES and stage in tree]
    if not others:
        return dict(tree), None
    kept = {name: branch for name, branch in tree.items() if name not in others}
    if isinstance(kept.get('batch_stats'), Mapping):
        kept['batch_stats'] = {name: branch for name, branch in kept['batch_stats'].items() if name not in others}
    return kept, f'{", ".join(others)} of the file are left out, the model ends before them'


def _other_input(model: Staged, manifest: Mapping[str, Any]) -> str | None:
    """How the input of the file's classifier differs from that of the model's, in words; None if it does not.

    If the manifest does not state the options, the file counts as the published one.
    """
    options = manifest.get('options')
    made_for = PUBLISHED_HEADS.get(model_name(model), {})
    made_for = {field: (options or {}).get(field, value) for field, value in made_for.items()}
    differing = [field for field, value in made_for.items() if getattr(model, field) != value]
    if not differing:
        return None
    theirs, ours = (', '.join(f'{f}={of(f)}' for f in differing) for of in (made_for.get, lambda f: getattr(model, f)))
    return f'it was made for {theirs}, the model has {ours}'


def _classifier(tree: Mapping[str, Any], model: Staged, seed: int, manifest: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether the file's classifier is kept, and a note that says so.

    A classifier of unknown size counts as kept, so that the strict merge lists what is wrong with it.
    """
    if HEAD not in tree:
        return False, f'the file has no classifier, a new one of {model.num_classes} classes is drawn (seed {seed})'
    bias = tree[HEAD].get('bias') if isinstance(tree[HEAD], Mapping) else None
    classes = np.size(bias) if bias is not None else model.num_classes
    reason = _other_input(model, manifest)
    if classes == model.num_classes and not reason:
        return True, f"the file's classifier of {classes} classes is kept"
    return False, (
        f"the file's classifier of {classes} classes is replaced by a new one of {model.num_classes} classes "
        f'(seed {seed})' + (f': {reason}' if reason else '')
    )
