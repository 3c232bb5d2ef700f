"""Named subsets of the SOON recordings: the classification tasks that the builder offers as configs."""

from __future__ import annotations

import dataclasses

from .files import FAULT_TYPES, FILES, SoonFile

_M1_ALONE = range(1, 15)


@dataclasses.dataclass(frozen=True)
class Subset:
    """A task: some files, and the attribute that is their label.

    Attributes:
      name: name of the builder's config.
      description: one sentence for the dataset's page.
      files: the recordings, by number.
      label_of: attribute of SoonFile that is the label: 'scenario' or 'condition'.
    """

    name: str
    description: str
    files: tuple[SoonFile, ...]
    label_of: str = 'scenario'

    def label(self, file: SoonFile) -> str:
        """Class name of a file."""
        return getattr(file, self.label_of)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the files."""
        return tuple(dict.fromkeys(map(self.label, self.files)))

    @property
    def fault_types(self) -> tuple[str, ...]:
        """States of m1 that occur, in the order of FAULT_TYPES."""
        return tuple(fault for fault in FAULT_TYPES if any(file.fault_type == fault for file in self.files))


_ALL = tuple(FILES.values())
SUBSETS: dict[str, Subset] = {
    subset.name: subset
    for subset in (
        Subset('all', "All 30 recordings, each a class of its own: the study's task.", _ALL),
        Subset(
            'conditions',
            'All 30 recordings in 29 classes: 03 and 04, two recordings of one condition, share theirs, so that 04 can '
            'be left out of training and predicted.',
            _ALL,
            label_of='condition',
        ),
        Subset(
            'm1_alone',
            'Recordings 01 to 14, each a class of its own: motor m2 stands still.',
            tuple(FILES[n] for n in _M1_ALONE),
        ),
    )
}
