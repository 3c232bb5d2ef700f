"""Whatever the bytes of a text file are, reading ends in samples or in one line of DataError."""

from __future__ import annotations

import random

import numpy as np
import pytest

from fdx.data.raw.text import TextFormat, read_text
from fdx.types import DataError

TOKENS = (
    b'3e38', b'1e999', b'-1e400', b'nan', b'inf', b'"', b'""', b';', b',', b'\t', b'\n', b'\r', b'\n\n', b'#', b'\0',
    b'\xff\xfe', b'9' * 400, b'-', b'+', b'1,234', b'1.234.567', b'sep=;\n', b'\xe2\x88\x92', b' ', b'e', b'0x1F',
    b'\x1f', b'a' * 5000, b'\xc3', b'1e308', b'-1e308', b'99999999999999999999', b'00:00:00', b'01.02.2024',
)  # fmt: skip
FORMATS = (
    *({} for _ in range(8)), {'delimiter': ';'}, {'delimiter': ','}, {'decimal': ','}, {'decimal': '.'},
    {'header': 'yes'}, {'header': 'no'}, {'header': 2}, {'time_column': 'none'}, {'time_column': '1'},
    {'time_unit': 'us'}, {'columns': ('2',)}, {'delimiter': 'space'},
)  # fmt: skip


def sound_file(rng: random.Random) -> bytes:
    count = rng.choice((3, 30, 200))
    x = [(rng.gauss(0, 1), rng.gauss(0, 1)) for _ in range(count)]
    t = [i / 12000 for i in range(count)]
    lines = rng.choice((
        ['time,x,y', *(f'{s:.6f},{a:.5f},{b:.5f}' for s, (a, b) in zip(t, x))],
        ['Zeit;x;y', *(f'{s:.6f};{a:.5f};{b:.5f}'.replace('.', ',') for s, (a, b) in zip(t, x))],
        [f'{a:.3f}\t{b:.3f}' for a, b in x],
        [f'  {a:.3f}   {b:.3f}' for a, b in x],
        ['timestamp,AccX', *(f'{1709287200000 + i},{a * 1000:.0f}' for i, (a, _) in enumerate(x))],
        ['# a', 'date,acc', *(f'2024-03-01 10:00:00.{i * 83:06d},{a:.4f}' for i, (a, _) in enumerate(x))],
        ['Logger', 'Rate;12000', 'acc;flag', '(g);', *(f'"{a * 9000:,.1f}";1' for a, _ in x)],
        [','.join(f'{a:.4f}' for a, _ in x)],
        [f'12,0,1,{100000 + 39 * i},{a:.3f},{b:.3f}' for i, (a, b) in enumerate(x)],
        ['packet;acc', *(f'{i // 10};{a:.3f};' for i, (a, _) in enumerate(x))],
    ))  # fmt: skip
    return '\n'.join([*lines, '']).encode(rng.choice(('utf-8', 'utf-8-sig', 'utf-16', 'latin-1')))


def damaged(content: bytes, rng: random.Random) -> bytes:
    data, how = bytearray(content), rng.randrange(5)
    for _ in range(rng.choice((1, 1, 2, 5, 30))):
        at = rng.randrange(len(data) + 1)
        if how == 0:
            del data[at:]
        elif how == 1 and at < len(data):
            data[at] = rng.randrange(256)
        elif how == 2:
            data[at:at] = rng.choice(TOKENS)
        elif how == 3:
            del data[at : at + rng.randrange(1, 30)]
        else:
            data[at:at] = data[at : at + rng.randrange(1, 200)]
        data = data or bytearray(b' ')
    return bytes(data)


@pytest.mark.filterwarnings('error')
@pytest.mark.parametrize('seed', range(4))
def test_samples_or_one_line(tmp_path, seed):
    rng, path, read = random.Random(seed), tmp_path / 'a.csv', 0
    for i in range(100):
        path.write_bytes(damaged(sound_file(rng), rng))
        try:
            signal = read_text(path, TextFormat(**rng.choice(FORMATS)), need_rate=rng.random() < 0.5)
        except DataError as e:
            assert str(path) in str(e) and '\n' not in str(e) and len(str(e)) < 1500, i
            continue
        read += 1
        assert signal.samples.ndim == 2 and signal.samples.shape[1] >= 1
        assert all(0 < b < len(signal.samples) for b in signal.time_breaks)
        finite = signal.samples[np.isfinite(signal.samples)]
        assert not finite.size or np.abs(finite).max() <= np.finfo(np.float32).max
    assert read
