"""A dataset that the package bearing-datasets itself has built, from files that are simulated here.

Run with bearing-datasets 0.3.0 in an environment of its own (fdx reads its files with pyarrow and does not need it):

    python tests/golden/make_bearing_datasets.py            # rewrites tests/golden/bearing_datasets/tiny_rig

Six bearings of three states, 2 s each, two accelerometers at 4 kHz and a current at 500 Hz, which the healthy
recordings lack. Values are rounded, so that the files stay small. definition/ holds the YAML and the builder of the
package's private datasets. Nothing is downloaded.
"""

from __future__ import annotations

import json
import pathlib
import shutil
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent / 'bearing_datasets'
STATES = {'normal': 0.0, 'inner': 5.4152, 'outer': 3.5848}
RATE_HZ, SECONDS, STEP = 4000, 2.0, 1 / 16


def write_files(folder: pathlib.Path) -> None:
    """Writes the six .npz files, the same ones every time."""
    folder.mkdir(parents=True)
    for s, (fault, order) in enumerate(STATES.items()):
        for bearing in (1, 2):
            rng = np.random.default_rng([s, bearing])
            speed_rpm = 1500.0 if bearing == 1 else 1800.0
            t = np.arange(round(SECONDS * RATE_HZ)) / RATE_HZ
            x = 0.1 * rng.standard_normal((2, len(t)))
            if order:
                x += np.array([[0.8], [0.3]]) * np.exp(-200 * np.mod(t, 60 / speed_rpm / order)) * np.sin(6000 * t)
            arrays = dict(zip(('DE', 'FE'), (np.round(x / STEP) * STEP).astype(np.float32)))
            if order:
                arrays['current'] = np.round(200 * np.sin(2 * np.pi * 50 * t[::8])).astype(np.int16)
            facts = {'fault': fault, 'speed_rpm': speed_rpm, 'load': float(bearing)}
            np.savez(folder / f'{fault}_{bearing}.npz', **arrays, **facts)


def build(root: pathlib.Path) -> pathlib.Path:
    """Builds the dataset into `root`; returns its folder."""
    import bearing_datasets

    write_files(root / 'tiny_rig_files')
    # The package writes its lock file beside the definition, so that a copy is built.
    definition = shutil.copytree(HERE / 'definition', root / 'definition')
    return bearing_datasets.build(str(definition), root=str(root))


def main() -> None:
    """Replaces the golden files."""
    with tempfile.TemporaryDirectory() as folder:
        built = build(pathlib.Path(folder))
        manifest = json.loads((built / 'manifest.json').read_text())
        # The folder of the definition and the time would change with every run.
        for name in ('spec_dir', 'built_at'):
            manifest.pop(name)
        shutil.rmtree(HERE / 'tiny_rig', ignore_errors=True)
        shutil.copytree(built, HERE / 'tiny_rig')
        (HERE / 'tiny_rig' / 'manifest.json').write_text(json.dumps(manifest, indent=1) + '\n')


if __name__ == '__main__':
    main()
