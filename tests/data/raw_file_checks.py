"""What the tests of raw files share."""

from __future__ import annotations

import pytest

from fdx.data.raw.files import read_raw_file
from fdx.types import DataError


def write(path, text, encoding='utf-8'):
    path.write_bytes(text.encode(encoding))
    return path


def refuse(path, *words, **kwargs):
    """The file is refused in a sentence that holds its name and all the words."""
    with pytest.raises(DataError) as caught:
        read_raw_file(path, **kwargs)
    message = str(caught.value)
    assert str(path) in message
    for word in words:
        assert word in message
