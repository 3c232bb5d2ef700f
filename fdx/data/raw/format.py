"""What a user says about text files: the parameters that settle what a file cannot tell by itself."""

from __future__ import annotations

import dataclasses
import re

from fdx.types import ConfigError

# A name for what is hard to type, and the character behind it; None stands for white space of any length.
DELIMITERS = {
    'comma': ',', 'semicolon': ';', 'tab': '\t', '\\t': '\t', 'pipe': '|', 'space': None, 'blank': None, ' ': None
}  # fmt: skip
TIME_UNITS_S = {'s': 1.0, 'ms': 1e-3, 'us': 1e-6, '100ns': 1e-7, 'ns': 1e-9}
NO_TIME = 'none'


@dataclasses.dataclass(frozen=True)
class TextFormat:
    """How a text file is written, as far as the user says; None leaves it to the file.

    Attributes:
      delimiter: one character, or a word of DELIMITERS such as 'tab' or 'space'.
      decimal: '.' or ','; the other one then separates thousands.
      header: 'yes' (the first row of the table holds names, even if they are numbers), 'no' (lines of text above the
        numbers are skipped), or the row of the header in the file, from 1.
      time_column: name of the column of times (its number from 1 in a file without header), or 'none'.
      time_unit: of the times: s, ms, us, 100ns or ns.
      columns: the columns to keep in this order, by name, or by number from 1 in a file without header.

    Raises:
      ConfigError: a value that its parameter cannot have.
    """

    delimiter: str | None = None
    decimal: str | None = None
    header: str | int | None = None
    time_column: str | None = None
    time_unit: str | None = None
    columns: tuple[str, ...] | None = None

    def __post_init__(self):
        """Refuses values that no file could have."""
        if self.delimiter is not None and not _is_delimiter(self.delimiter):
            raise ConfigError(
                f'`delimiter`={self.delimiter!r}: one character that is not part of a number, or one of: comma, '
                'semicolon, tab, pipe, space'
            )
        if self.decimal not in (None, '.', ','):
            raise ConfigError(f'`decimal`={self.decimal!r}: it is . or ,')
        if self.header is not None and not re.fullmatch(r'yes|no|0*[1-9][0-9]{0,8}', str(self.header)):
            raise ConfigError(f'`header`={self.header!r}: yes, no, or the row of the header in the file, from 1')
        if self.time_unit is not None and self.time_unit not in TIME_UNITS_S:
            raise ConfigError(f'`time_unit`={self.time_unit!r}: one of {", ".join(TIME_UNITS_S)}')
        if self.time_column is not None and not self.time_column:
            raise ConfigError("`time_column`='': the name of a column, its number from 1, or none")
        if self.time_column == NO_TIME and self.time_unit is not None:
            raise ConfigError(f'`time_unit`={self.time_unit} goes with a column of times, but `time_column` is none')

    @property
    def given(self) -> tuple[str, ...]:
        """What is said, as errors write it, e.g. ('`decimal=,`',)."""
        pairs = ((f.name, getattr(self, f.name)) for f in dataclasses.fields(self))
        return tuple(
            f'`{name}={",".join(map(str, v)) if isinstance(v, tuple) else v}`' for name, v in pairs if v is not None
        )

    @property
    def delimiter_character(self) -> str | None:
        """The character behind `delimiter`; None for white space. Only meaningful where `delimiter` is given."""
        return None if self.delimiter is None else DELIMITERS.get(self.delimiter, self.delimiter)

    @property
    def header_row(self) -> int | None:
        """The row of the header in the file, from 1, where `header` is a number."""
        return None if self.header in (None, 'yes', 'no') else int(self.header)


def _is_delimiter(text: str) -> bool:
    return text in DELIMITERS or (len(text) == 1 and not text.isalnum() and text not in '.+-"#\r\n\0')
