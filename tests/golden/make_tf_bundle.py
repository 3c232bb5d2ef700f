"""Tiny checkpoints as TensorFlow itself writes them, and what TensorFlow reads out of them.

Run with tensorflow-cpu 2.21.0, in an environment of its own (fdx does not depend on TensorFlow):

    python tests/golden/make_tf_bundle.py     # rewrites tests/golden/tf_*.index, tf_*.data-* and tf_bundle.npz

tf_bundle has one data file and more names than stand between two restart points of its index (16), tf_shards the same
tensors in two. fdx refuses tf_partitioned (a variable stored in parts) and tf_text (a tensor of strings): of these the
index alone is kept.
"""

from __future__ import annotations

import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parent


def arrays() -> dict[str, np.ndarray]:
    """Tensors of every dtype that fdx reads, an empty one and scalars among them."""
    rng = np.random.default_rng(8)
    made: dict[str, np.ndarray] = {}
    for block in range(1, 5):
        for name, shape in (('kernel', (2, 2, 1, 2)), ('bias', (2,))):
            made[f'block_{block}/conv/{name}'] = rng.standard_normal(shape).astype(np.float32)
            made[f'block_{block}/conv/{name}/Adam'] = rng.standard_normal(shape).astype(np.float32)
    return made | {
        'doubles': np.array([[np.pi, -0.0], [1e300, 5e-324]]),
        'steps/global': np.array(-(2**40), np.int64),
        'steps/by_class': np.array([2**31 - 1, -(2**31), 0], np.int32),
        'nothing': np.zeros((3, 0, 2), np.float32),
        'not_finite': np.array([np.inf, -np.inf], np.float32),
        'größe': np.array([1.5], np.float32),
    }


def main() -> None:
    """Writes the files."""
    import tensorflow as tf

    def save(name, tensors, slices=None):
        names = list(tensors)
        tf.raw_ops.SaveV2(
            prefix=str(FOLDER / name),
            tensor_names=names,
            shape_and_slices=slices or [''] * len(names),
            tensors=[tf.convert_to_tensor(tensors[n]) for n in names],
        )

    made = arrays()
    save('tf_bundle', made)
    halves = [dict(list(made.items())[i::2]) for i in range(2)]
    for i, half in enumerate(halves):
        save(f'part_{i}', half)
    tf.raw_ops.MergeV2Checkpoints(
        checkpoint_prefixes=[str(FOLDER / f'part_{i}') for i in range(2)],
        destination_prefix=str(FOLDER / 'tf_shards'),
        delete_old_dirs=False,
    )
    save('tf_partitioned', {'embedding': made['block_1/conv/bias'][:, None]}, ['4 1 2,2:0,1'])
    save('tf_text', {'words': np.array([b'a word'])})
    for name in ('tf_partitioned', 'tf_text'):
        (FOLDER / f'{name}.data-00000-of-00001').unlink()
    reader = tf.train.load_checkpoint(str(FOLDER / 'tf_bundle'))
    # Under a number, as an archive member cannot be named like a path.
    names = sorted(reader.get_variable_to_dtype_map())
    np.savez_compressed(
        FOLDER / 'tf_bundle.npz', names=np.array(names), **{f'{i}': reader.get_tensor(n) for i, n in enumerate(names)}
    )
    for path in sorted(FOLDER.glob('tf_*')):
        print(path.name, path.stat().st_size)


if __name__ == '__main__':
    main()
