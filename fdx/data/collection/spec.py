"""What a user says about their recordings, and how it is kept beside the dataset that is made of them."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import Any

from fdx.data.collection.entry import NOTHING_SHARED, Shared
from fdx.data.raw.binary import BinaryFormat
from fdx.data.raw.format import TextFormat
from fdx.types import ConfigError


@dataclasses.dataclass(frozen=True)
class CollectionSpec:
    """What the user says about their recordings, JSON-able by `dataclasses.asdict`.

    Attributes:
      source: a folder, a manifest (.csv, .tsv, .xlsx), or the folder of a dataset built by bearing-datasets.
      pattern: pattern of the names of a folder's files (fdx.data.collection.pattern), '' for a folder per class.
      labels: (pattern of labels, class name) in their order; the first that fits renames a label, and those that none
        fits stay. Patterns are those of a shell: *, ?, [abc].
      shared: values that all recordings share.
      label_column: columns of a built dataset that make its classes, separated by commas; '' for fault_type.
    """

    source: str
    pattern: str = ''
    labels: tuple[tuple[str, str], ...] = ()
    shared: Shared = NOTHING_SHARED
    label_column: str = ''

    def to_json(self) -> str:
        """As text, with the source as an absolute path, so that it can be read from another folder."""
        source = str(pathlib.Path(self.source).expanduser().absolute())
        return json.dumps(dataclasses.asdict(dataclasses.replace(self, source=source)))

    @classmethod
    def from_json(cls, text: str) -> CollectionSpec:
        """The inverse of `to_json`; ConfigError for a text of something else."""
        try:
            fields: dict[str, Any] = json.loads(text)
            shared = fields.pop('shared')
            text_format = shared.pop('text_format')
            columns = text_format.pop('columns')
            shared['text_format'] = TextFormat(**text_format, columns=None if columns is None else tuple(columns))
            binary = shared.pop('binary_format')
            shared['binary_format'] = None if binary is None else BinaryFormat(**binary)
            labels = tuple((str(pattern), str(name)) for pattern, name in fields.pop('labels'))
            return cls(**fields, labels=labels, shared=Shared(**shared))
        except (ValueError, TypeError, KeyError, AttributeError) as e:
            raise ConfigError(f'`recordings`={text[:200]}: not a description of recordings ({e})') from e
