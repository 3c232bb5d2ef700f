"""The parts that TensorFlow's checkpoints are read with: checksums, numbers and messages."""

from __future__ import annotations

import time

import numpy as np
import pytest

from fdx.weights.readers.crc32c import crc32c, masked_crc32c
from fdx.weights.readers.protobuf import Message, read_varint


@pytest.mark.parametrize(
    ('data', 'crc'),
    [
        (b'', 0),
        (b'123456789', 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b'\xff' * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_crc32c_of_rfc_3720(data, crc):
    assert crc32c(data) == crc
    assert crc32c(np.frombuffer(data, np.uint8)) == crc


def test_crc32c_of_every_length_against_the_definition(tf_bundle_bytes):
    data = np.random.default_rng(0).integers(0, 256, 300, dtype=np.uint8).tobytes()
    for n in (*range(70), 127, 128, 129, 255, 256, 257, 300):
        assert crc32c(data[:n]) == tf_bundle_bytes.crc32c(data[:n]), n
        assert masked_crc32c(data[:n]).to_bytes(4, 'little') == tf_bundle_bytes.masked(crc32c(data[:n]))


def test_the_checksum_of_7_mb_takes_no_time():
    data = bytes(7_274_112)
    began = time.process_time()
    assert crc32c(data) == crc32c(data)
    assert time.process_time() - began < 2


def test_messages_and_numbers():
    assert read_varint(b'\x00\xac\x02', 1) == (300, 3)
    for data in (b'', b'\x80', b'\xff' * 10):
        with pytest.raises(ValueError, match='has no end'):
            read_varint(data, 0)
    with pytest.raises(ValueError, match='longer than it need be'):
        read_varint(b'\xac\x82\x00', 0)
    # Field 1: 150, field 2: "hi", field 3: 4 bytes, field 4: 8 bytes, and field 1 again.
    found = Message(b'\x08\x96\x01' + b'\x12\x02hi' + b'\x1d\x01\0\0\0' + b'\x21\x02' + bytes(7) + b'\x08\x05')
    assert [found.number(i) for i in (1, 3, 4, 9)] == [5, 1, 2, 0]
    assert 2 in found and 9 not in found
    assert [m.number(1) for m in Message(b'\x12\x02\x08\x01\x12\x00').messages(2)] == [1, 0]
    for data, words in ((b'\x12\x05hi', 'ends within a field'), (b'\x0b', 'unknown wire type 3')):
        with pytest.raises(ValueError, match=words):
            Message(data)
