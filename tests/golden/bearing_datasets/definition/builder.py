"""Tells bearing-datasets how to read the .npz files of make_bearing_datasets.py (its private-dataset interface)."""

import numpy as np

CHANNELS = {
    'DE': {'sensor_location': 'test_bearing', 'quantity': 'acceleration', 'unit': 'g'},
    'FE': {'sensor_location': 'support_bearing', 'quantity': 'acceleration', 'unit': 'g'},
    'current': {'sensor_location': 'motor_supply', 'quantity': 'current', 'unit': 'A'},
}
# Of an SKF 6205, in orders of the shaft speed.
ORDERS = {'bpfo': 3.5848, 'bpfi': 5.4152, 'bsf': 2.3568, 'ftf': 0.39828}


def recordings(raw_dir):
    """Yields one recording per file, as `bearing_datasets.build` asks for it."""
    for path in sorted(raw_dir.glob('*.npz')):
        with np.load(path) as content:
            arrays = {name: content[name] for name in content.files}
        fault = str(arrays['fault'])
        yield {
            'recording_id': path.stem,
            'native_label': f'{fault}{path.stem[-1]}',
            'fault_type': fault,
            'fault_location': 'none' if fault == 'normal' else 'test_bearing',
            'speed_rpm': float(arrays['speed_rpm']),
            'load': float(arrays['load']),
            'load_unit': 'Nm',
            'bearing_id': f'bearing_{path.stem}',
            'bearing_model': '6205',
            **ORDERS,
            'fs': {'DE': 4000.0, 'FE': 4000.0, 'current': 500.0},
            'signals': {name: arrays[name] for name in CHANNELS if name in arrays},
        }
