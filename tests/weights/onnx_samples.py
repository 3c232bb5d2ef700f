"""Run by tests/weights/test_onnx_file.py with a python that has onnx: files as its helpers write them, in argv[1]."""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def main() -> None:
    """Writes inside.onnx, typed.onnx and outside.onnx with its data, and the arrays of each as .npz."""
    folder, rng = pathlib.Path(sys.argv[1]), np.random.default_rng(0)
    dtypes = ('f4', 'f8', 'f2', 'i1', 'u1', 'i2', 'u2', 'i4', 'u4', 'i8', 'u8')
    arrays = {f'a::{d}': rng.normal(0, 50, (3, 1, 4)).astype('f4').astype(d) for d in dtypes}
    arrays |= {'scalar': np.float32(2.5).reshape(()), 'empty': np.zeros((0, 3), np.float32)}
    large = {f'w/{i}': rng.standard_normal((64, 8 * i), dtype=np.float32) for i in (1, 2, 3)}
    typed = {'f': arrays['a::f4'], 'd': arrays['a::f8'], 'i': arrays['a::i4'], 'l': arrays['a::i8']}
    kinds = {'f': TensorProto.FLOAT, 'd': TensorProto.DOUBLE, 'i': TensorProto.INT32, 'l': TensorProto.INT64}
    given = helper.make_tensor_value_info('x', TensorProto.FLOAT, [1])
    made = helper.make_tensor_value_info('y', TensorProto.FLOAT, [1])

    def save(name: str, values: dict[str, np.ndarray], tensors: list, **how) -> None:
        graph = helper.make_graph([helper.make_node('Relu', ['x'], ['y'])], name, [given], [made], tensors)
        onnx.save(helper.make_model(graph), str(folder / f'{name}.onnx'), **how)
        np.savez(folder / f'{name}.npz', **{key.replace('/', '|'): value for key, value in values.items()})

    save('inside', arrays, [numpy_helper.from_array(a, name) for name, a in arrays.items()])
    save('typed', typed, [helper.make_tensor(n, kinds[n], a.shape, a.ravel().tolist()) for n, a in typed.items()])
    tensors = [numpy_helper.from_array(a, name) for name, a in large.items()]
    save('outside', large, tensors, save_as_external_data=True, location='outside.data', size_threshold=0)


if __name__ == '__main__':
    main()
