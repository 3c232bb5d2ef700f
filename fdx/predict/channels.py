"""Puts the channels of a file into the order of the training data, by name if both have names."""

from __future__ import annotations

import dataclasses
import logging
import re
from collections.abc import Sequence

from fdx.types import DataError, Recording

logger = logging.getLogger(__name__)


def in_training_order(
    recording: Recording, channels: int, training_names: Sequence[str] = (), *, by_position: bool = False
) -> Recording:
    """The recording with the channels that a model takes, in its order.

    Args:
      recording: samples [T, C].
      channels: how many the model takes.
      training_names: their names; () if the training data had no names or the model takes one channel.
      by_position: the user has chosen the channels in the model's order. Other names than those of the training data
        are then accepted, but a name of the training data in another place is still refused.

    Returns:
      The recording with `channels` channels.

    Raises:
      DataError: too few channels, too many without names to choose by, or names that are not those of the training
        data.
    """
    source = recording.source or recording.recording
    names = recording.channel_names
    if channels > 1 and names and training_names:
        return _by_name(recording, source, list(names), list(training_names), by_position)
    _check_number(source, recording.samples.shape[-1], channels)
    if channels > 1 and training_names:
        note = f'the file does not name its channels: they are taken for {", ".join(training_names)}, in this order'
        return dataclasses.replace(recording, notes=(*recording.notes, note))
    return recording


def _plain(name: str) -> str:
    """A name without its unit, case and punctuation: 'Acc X [g]' -> 'accx'."""
    return re.sub(r'[\W_]+', '', re.sub(r'[\[(].*?[\])]', '', name)).casefold()


def _by_name(recording: Recording, source: str, names: list[str], wanted: list[str], by_position: bool) -> Recording:
    plain, plain_wanted = [_plain(n) for n in names], [_plain(n) for n in wanted]
    if by_position and len(names) == len(wanted):
        misplaced = [n for n, p, w in zip(names, plain, plain_wanted) if p != w and p in plain_wanted]
        if not misplaced:
            return _with_note_on_names(recording, names, wanted, plain == plain_wanted)
        raise DataError(
            f'{source}: channels {", ".join(names)} were chosen, but the model takes {", ".join(wanted)} in this order '
            f'({", ".join(misplaced)} in another place): choose them so, or leave the choice out'
        )
    missing = [w for w, p in zip(wanted, plain_wanted) if plain.count(p) != 1]
    if missing:
        raise DataError(
            f'{source} has channels {", ".join(names)}; the model was trained on {", ".join(wanted)} and takes them by '
            f'name: {", ".join(missing)} is missing or there twice; correct the names of the columns, or diagnose with '
            'a run that was trained on these channels'
        )
    order = [plain.index(p) for p in plain_wanted]
    if order != list(range(len(names))):
        logger.info('%s: channels are taken by name, in the order %s', source, ', '.join(names[i] for i in order))
    return dataclasses.replace(
        recording, samples=recording.samples[:, order], channel_names=tuple(names[i] for i in order)
    )


def _with_note_on_names(recording: Recording, names: list[str], wanted: list[str], same: bool) -> Recording:
    if same:
        return recording
    note = f'channels {", ".join(names)} are taken for {", ".join(wanted)}, in this order, as they were chosen'
    return dataclasses.replace(recording, notes=(*recording.notes, note))


def _check_number(source: str, found: int, needed: int) -> None:
    if found == needed:
        return
    if found < needed:
        remedy = 'record all of them into one file, or use a run that was trained on fewer'
    elif needed == 1:
        remedy = 'choose one with `channel`'
    else:
        remedy = f'choose {needed} in the order of the training data with `channel`=A,B,... (numbers from 0, or names)'
    raise DataError(f'{source}: {found} channel{"s" * (found > 1)}, the model takes {needed}; {remedy}')
