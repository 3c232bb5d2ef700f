"""Front ends by name.

A name is a base, optionally followed by its scaling: `vggish` (the study's peak scaling), `vggish_train`,
`vggish_none`. To add one, write its parameters into BASES (or a new class with the methods of LogMel into KINDS).
"""

from __future__ import annotations

from fdx.signal.log_mel import LogMel
from fdx.signal.scaling import SCALINGS
from fdx.types import ConfigError

# 25 ms windows every 10 ms in a 512 FFT: the AudioSet release of VGGish.
VGGISH = {
    'rate_hz': 16000.0,
    'window_length': 400,
    'hop_length': 160,
    'fft_length': 512,
    'n_mels': 64,
    'f_min_hz': 125.0,
    'f_max_hz': 7500.0,
    'log_offset': 0.01,
    'patch_frames': 96,
}
BASES = {'vggish': (LogMel, VGGISH)}
KINDS = {'log_mel': LogMel}
DEFAULT_SCALING = 'peak'
DEFAULT_FRONT_END = 'vggish'


def front_end_names() -> list[str]:
    """Every name that `create_front_end` accepts."""
    return [base if s == DEFAULT_SCALING else f'{base}_{s}' for base in BASES for s in SCALINGS]


def create_front_end(name: str) -> LogMel:
    """The front end of that name; ConfigError lists the known ones."""
    base, scaling = name, DEFAULT_SCALING
    for s in SCALINGS:
        if name.endswith(f'_{s}') and s != DEFAULT_SCALING:
            base, scaling = name[: -len(s) - 1], s
    if base not in BASES:
        raise ConfigError(f'unknown front end {name!r}; fdx has: {", ".join(front_end_names())}')
    kind, parameters = BASES[base]
    return kind(name=name, scaling=scaling, **parameters)


def front_end_from_config(config: dict) -> LogMel:
    """Rebuilds a front end from `config()`, as a dataset's metadata or a checkpoint stores it."""
    fields = dict(config)
    kind = fields.pop('kind', None)
    if kind not in KINDS:
        raise ConfigError(f'unknown kind of front end {kind!r}; fdx has: {", ".join(KINDS)}')
    return KINDS[kind](**fields)
