"""Names of torchvggish, the port of the published VGGish weights to torch, and their places in `fdx.models.vggish`.

torchvggish transposes its feature map to [B, T, F, C] before it flattens it, like the original and fdx. So the kernel
of the first fully connected layer needs no reordering except the transposition.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fdx.models import create_model
from fdx.weights.names import NameTable, convert_state_dict, module_entries
from fdx.weights.structure import file_template

TABLE = NameTable(
    origin='torchvggish',
    entries=(
        *module_entries('features.0', 'stage1/conv1', 'conv'),
        *module_entries('features.3', 'stage2/conv1', 'conv'),
        *module_entries('features.6', 'stage3/conv1', 'conv'),
        *module_entries('features.8', 'stage3/conv2', 'conv'),
        *module_entries('features.11', 'stage4/conv1', 'conv'),
        *module_entries('features.13', 'stage4/conv2', 'conv'),
        *module_entries('embeddings.0', 'fc1', 'linear'),
        *module_entries('embeddings.2', 'fc2', 'linear'),
        *module_entries('embeddings.4', 'embedding', 'linear'),
    ),
    # The PCA that turns embeddings into the 8-bit features of AudioSet is not part of the network.
    dropped=r'pproc\..*',
)


def convert_vggish(state: Mapping[str, np.ndarray], *, width_multiplier: float = 1.0) -> dict[str, Any]:
    """Converts torchvggish's state dict to the parameters of `fdx.models.vggish.VGGish` without its head.

    Args:
      state: float arrays by torchvggish's names; convolutions [out, in, T, F], fully connected layers [out, in].
      width_multiplier: as in the model, 1 for the published network.

    Raises:
      WeightsError: see `fdx.weights.names.convert_state_dict`.
    """
    model = create_model('vggish', 1, width_multiplier=width_multiplier)
    return convert_state_dict(state, TABLE, file_template(model))
