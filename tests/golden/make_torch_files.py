"""State dicts as real torch writes them, in its zip archive and in its older stream of pickles.

Run with torch 2.13.0 and numpy 2.4.6, in an environment of its own (fdx does not depend on torch):

    python tests/golden/make_torch_files.py       # rewrites tests/golden/torch_*.pth (torch_zip, torch_legacy, ...)

`expected_arrays` says in NumPy what the files hold.
"""

from __future__ import annotations

import collections
import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parent


def expected_arrays() -> dict[str, np.ndarray]:
    """What a reader must find: values, shapes and dtypes (bfloat16 as float32)."""
    base = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    return {
        'whole': base,
        'view': base.transpose(2, 0, 1)[1:],
        'slice': base[1, 1:, ::2],
        'half': np.array([0.5, -1.5, 65504.0], np.float16),
        'bfloat16': np.array([1.0, -2.5, 3.140625], np.float32),
        'double': np.array([[1e300, -1e-300]], np.float64),
        'long': np.array(-(2**40), np.int64),
        'int': np.array([1, -(2**31)], np.int32),
        'short': np.array([-7, 300], np.int16),
        'char': np.array([-128, 127], np.int8),
        'byte': np.array([0, 255], np.uint8),
        'bool': np.array([True, False, True]),
        'empty': np.zeros((0, 3), np.float32),
        'expanded': np.broadcast_to(np.array([[2.5]], np.float32), (3, 4)),
        'parameter': np.array([[0.25], [0.75]], np.float32),
    }


def main() -> None:
    """Writes the files."""
    import torch

    arrays = expected_arrays()
    base = torch.from_numpy(arrays['whole'].copy())
    state = collections.OrderedDict({k: torch.from_numpy(np.array(v)) for k, v in arrays.items()})
    state['whole'], state['view'], state['slice'] = base, base.permute(2, 0, 1)[1:], base[1, 1:, ::2]
    state['bfloat16'] = state['bfloat16'].to(torch.bfloat16)
    state['expanded'] = torch.tensor([[2.5]]).expand(3, 4)
    state['parameter'] = torch.nn.Parameter(state['parameter'])
    torch.save(state, FOLDER / 'torch_zip.pth')
    torch.save(state, FOLDER / 'torch_legacy.pth', _use_new_zipfile_serialization=False)
    # A checkpoint of a training program; its module state dict carries torch's `_metadata`.
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    with torch.no_grad():
        module[0].weight.copy_(torch.arange(6.0).reshape(3, 2))
    checkpoint = {'epoch': 3, 'state_dict': module.state_dict(), 'note': 'nested', 'size': torch.Size([1, 2])}
    torch.save(checkpoint, FOLDER / 'torch_nested.pth')
    torch.save(module, FOLDER / 'torch_module.pth')  # a pickled program object: a reader must refuse it


if __name__ == '__main__':
    main()
