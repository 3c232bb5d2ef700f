"""Datasets that the package bearing-datasets has built as fdx records; its 69 public ones and private ones alike."""

from __future__ import annotations

import tensorflow_datasets as tfds

from fdx.data.collection.own import FORMAT
from fdx.data.raw.built_folder import MANIFEST
from fdx.files import parse_json

from ..recordings.recordings_dataset_builder import Builder as RecordingsBuilder


class Builder(RecordingsBuilder):
    """A dataset that the package bearing-datasets has built (https://github.com/VictorBauler/BearingDatasets).

    `fdx.prepare('bearing_datasets/NAME', manual_dir=FOLDER_OF_BUILT_DATASETS)`, or any program with
    `--dataset=bearing_datasets/NAME`. fdx reads the Parquet files itself and downloads nothing. Class, physical
    bearing, rate, unit, speed, load and fault orders are those of the dataset's table. Everything else is as for
    recordings of your own: the accelerations of a recording are its channels, and the last number of the version counts
    contents. Every dataset keeps its own licence and citation, which the description repeats.
    """

    VERSION = tfds.core.Version(f'{FORMAT}.0')
    RELEASE_NOTES = {FORMAT: 'First release; the last number counts contents.'}

    def citation(self) -> str:
        """What the built dataset asks to cite."""
        return self._stated('citation')

    def description(self) -> str:
        """As of every dataset, with title and licence of the built one."""
        stated = [f'{word.capitalize()}: {text}.' for word in ('title', 'license') if (text := self._stated(word))]
        return '\n'.join([super().description(), *stated])

    def more_metadata(self) -> dict:
        """As of recordings, with licence and citation."""
        return {**super().more_metadata(), 'license': self._stated('license'), 'citation': self._stated('citation')}

    def _stated(self, name: str) -> str:
        """An entry of the dataset's manifest, '' where there is none; only its samples are needed."""
        try:
            manifest = parse_json((self.looked_at.collection.root / MANIFEST).read_bytes())
        except (OSError, ValueError):
            return ''
        return str(manifest.get(name) or '').strip() if isinstance(manifest, dict) else ''
