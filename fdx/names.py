"""Names that users give and that become names of files and folders: they never leave their folder."""

from __future__ import annotations

import unicodedata

from fdx.types import ConfigError, FdxError

# File systems take 255 bytes; suffixes such as that of a temporary file need some of them.
MAX_BYTES = 180


def complaint_about(name: str) -> str | None:
    """Why a text cannot be the name of one file or folder, in words; None where it can."""
    if not isinstance(name, str) or not name.strip():
        return 'it is empty'
    if any(unicodedata.category(c) in ('Cc', 'Cs', 'Zl', 'Zp') for c in name):
        return 'it holds a control character'
    if '/' in name or '\\' in name:
        return 'it holds a slash or a backslash'
    if name.startswith('.'):
        return 'it begins with a dot'
    if len(name.encode()) > MAX_BYTES:
        return f'it has more than {MAX_BYTES} bytes'
    return None


def check_name(name: str, what: str, error: type[FdxError] = ConfigError) -> str:
    """Returns `name` if it names one file or folder inside another, and nothing outside of that.

    Args:
      name: what the user gave, or what a file of the user says.
      what: the parameter or field, for the message.
      error: class of the error.

    Raises:
      FdxError: of the class `error`: an empty name, slashes, backslashes, control characters, a leading dot, or more
        than 180 bytes.
    """
    complaint = complaint_about(name)
    if complaint:
        shown = ascii(name if len(str(name)) <= 60 else f'{name[:57]}...')
        raise error(
            f'{what}: {shown} cannot name a file or folder: {complaint}; use letters, digits, dots, dashes and '
            'underscores, a letter or digit first'
        )
    return name
