"""Two tiny domains and what judges them: shared by the tests of this folder."""

from __future__ import annotations

import numpy as np
import tensorflow_datasets as tfds

from fdx.adapt.run import PARTS
from fdx.data.builder import VibrationBuilder, VibrationConfig
from fdx.types import Recording

RATE_HZ = 16000.0
TONES_HZ = {'normal': 500.0, 'inner_race': 1500.0, 'outer_race': 3500.0}
SHIFT = {'slow': 1.0, 'fast': 1.15}
EPOCHS = 4
# 16 source windows (8 of each class) in batches of 6: 3 steps an epoch, the last one of 4.
STEPS = 3


class AdaptTones(VibrationBuilder, skip_registration=True):
    """A tone in noise for each class, at two speeds; `three` has outer_race at the lower one alone."""

    name = 'adapt_tones'
    VERSION = tfds.core.Version('1.0.0')
    BUILDER_CONFIGS = [
        VibrationConfig(name='two-vggish', subset='two', with_waveform=False),
        VibrationConfig(name='three-vggish', subset='three', with_waveform=False),
    ]

    def class_names(self):
        return list(TONES_HZ)[: 3 if self.builder_config.subset == 'three' else 2]

    def fault_types(self):
        return self.class_names()

    def common_rate_hz(self):
        return RATE_HZ

    def recordings(self, dl_manager):
        del dl_manager
        time_s, found = np.arange(round(10.6 * RATE_HZ)) / RATE_HZ, []
        for i, name in enumerate(self.class_names()):
            for domain, factor in SHIFT.items():
                if (name, domain) == ('outer_race', 'fast'):
                    continue
                noise = np.random.default_rng([i, round(100 * factor)]).standard_normal(len(time_s))
                samples = (np.sin(2 * np.pi * factor * TONES_HZ[name] * time_s) + 0.5 * noise).astype(np.float32)
                found.append(Recording(samples[:, None], RATE_HZ, f'{name}-{domain}', name, name, f'b-{name}', domain))
        return found


def judge(parts):
    """Criteria by NumPy, and the target's accuracy."""
    assert set(parts) == set(PARTS)
    validation, target = parts['source_validation'], parts['target_test']
    z = validation.logits.astype(np.float64)
    log_p = z - z.max(1, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(1, keepdims=True))
    return {
        'source_risk': float(-log_p[np.arange(len(z)), validation.labels].mean()),
        'source_accuracy': float((z.argmax(1) == validation.labels).mean()),
        'target_accuracy': float((target.logits.argmax(1) == target.labels).mean()),
        'width': parts['target_train'].features.shape[1],
    }
