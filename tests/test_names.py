"""Names that users give never leave their folder."""

from __future__ import annotations

import pytest

from fdx.names import check_name, complaint_about
from fdx.types import ConfigError, DataError

GOOD = ('a', 'load0_12k-vggish', '1.0.0', 'a b', 'Gehäuse', '轴承', 'x' * 180, 'a..b', 'a:b', 'C$', '-x')
BAD = {
    'empty': ('', ' ', '\t'),
    'slash': ('a/b', '/a', 'a/', '/', '../a', 'a\\b', '\\\\server\\x', 'C:\\x'),
    'dot': ('.', '..', '.a', '...'),
    'control': ('a\nb', 'a\0', '\x1b[2J', 'a\x7f', 'a\x85b', 'a\u2028b', 'a\u2029', '\udce9'),
    'bytes': ('x' * 181, 'é' * 91),
}


@pytest.mark.parametrize('name', GOOD, ids=ascii)
def test_names_of_folders(name):
    assert complaint_about(name) is None
    assert check_name(name, '--name') == name


@pytest.mark.parametrize(('word', 'name'), [(w, n) for w, names in BAD.items() for n in names], ids=ascii)
def test_what_is_no_name(word, name):
    for error in (ConfigError, DataError):
        with pytest.raises(error, match=rf'--name: .* cannot name a file or folder: .*{word}') as e:
            check_name(name, '--name', error)
        assert str(e.value).isprintable()
