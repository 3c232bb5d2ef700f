"""Tables of scored windows that are written down."""

import numpy as np

from fdx.evaluate.predictions import Predictions

PROBABILITIES = [[0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [0.5, 0.4, 0.1]]


def make(**changes):
    fields = {
        'probabilities': np.array(PROBABILITIES),
        'labels': np.array([0, 0, 2, 1]),
        'recordings': ['r1', 'r1', 'r2', 'r3'],
        'window_starts': np.array([0, 100, 0, 0]),
        'class_names': ['normal', 'inner_race', 'ball'],
        'folds': np.array([0, 0, 1, 1]),
        'domains': ['0hp', '0hp', '1hp', '1hp'],
    }
    return Predictions(**{**fields, **changes})


TWO_CLASSES = [[0.9, 0.1], [0.7, 0.3], [0.4, 0.6], [0.2, 0.8]]


def two(**changes):
    """Windows of two classes, of one recording each but the first two."""
    fields = {'probabilities': np.array(TWO_CLASSES), 'labels': np.array([0, 0, 1, 1])}
    return make(**{**fields, 'class_names': ['normal', 'failure'], **changes})
