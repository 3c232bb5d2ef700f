"""A network by name, with its variables, in one call."""

from __future__ import annotations

import os
from typing import Any

import flax.linen as nn

from fdx.models.registry import model_spec
from fdx.train.config import TrainConfig
from fdx.train.model_setup import set_up_model
from fdx.types import ConfigError
from fdx.weights.structure import FREE_SHAPE


def create_model(
    name: str,
    num_classes: int,
    *,
    init: str | os.PathLike = 'random',
    input_shape: tuple[int, ...] | None = None,
    dropout_rate: float = 0.0,
    weights_version: str = '',
    compute_dtype: str = 'float32',
    seed: int = 0,
    **options: Any,
) -> tuple[nn.Module, dict[str, Any]]:
    """A network and its variables: random ones, or a pretrained body under a fresh classifier.

        model, variables = fdx.create_model('resnet50', 5, init='imagenet', input_shape=(128, 64, 3))
        logits, features = model.apply(variables, images, train=False)       # images float32 [B, 128, 64, 3]

    Args:
      name: of the network: band_linear, band_mlp, cnn1d, cnn_small, efficientnet_lite0, evidence_judge, mlp,
        musicnn_vgg, resnet50, vgg16, vggish or yamnet.
      num_classes: size of the classifier, K.
      init: random; published weights, fetched on first use (audioset for vggish, imagenet for resnet50, musicnn_mtt or
        musicnn_msd for musicnn_vgg, imagenet_lite0 for efficientnet_lite0, audioset_yamnet for yamnet, imagenet or
        vgg16_hed for vgg16); a file of weights; or the workdir of an fdx run whose body is taken.
      input_shape: of one example, without the batch axis; None: the network's own, with 187 x 64 x 3 for what it leaves
        open.
      dropout_rate: dropout in front of the classifier.
      weights_version: with init='imagenet', v1 or v2 of torchvision's weights.
      compute_dtype: of matrix products and convolutions, float32 or bfloat16 (fdx.models.precision).
      seed: of the random values.
      **options: of the network, e.g. width_multiplier=0.25.

    Returns:
      (module, variables). The module is called as `model.apply(variables, x, train=False)` and gives logits [B, K]
      and a dict of named features; `variables` has 'params', and 'batch_stats' for networks with batch norms.

    Raises:
      ConfigError: an unknown network, option or init, or an input shape that the network cannot take.
      WeightsError: weights that cannot be had or do not fit.
      CheckpointError: an `init` run that is damaged.
    """
    shape = input_shape or tuple(n or free for n, free in zip(model_spec(name).input_shape, FREE_SHAPE))
    if num_classes < 1:
        raise ConfigError(f'`num_classes`={num_classes}: at least one class is needed')
    config = TrainConfig(
        dataset='',
        model=name,
        model_options=options,
        dropout_rate=dropout_rate,
        init=os.fspath(init),
        weights_version=weights_version,
        compute_dtype=compute_dtype,
        seed=seed,
    )
    setup = set_up_model(config, num_classes, tuple(shape))
    variables = {'params': setup.params, **({'batch_stats': setup.stats} if setup.stats else {})}
    # In training the module stands inside a map over devices; outside of it there is no axis of that name.
    return setup.model.clone(axis_name=None), variables
