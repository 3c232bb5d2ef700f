"""The own_machine benchmark on a dataset of the user's own: the same rows, on the protocols that the data allow."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from fdx.data.collection.own import OwnRecordings, Surveyed, look_at, split_name
from fdx.data.names import parse_dataset_name
from fdx.data.source import Dataset, open_dataset
from fdx.inspect.advisor import facts_of_survey, protocols_of_dataset
from fdx.inspect.facts import RecordingFacts
from fdx.inspect.inputs import FrontEndFit, front_ends_of
from fdx.inspect.splits import protocols_of
from fdx.train.few_recordings import LINEAR, NETWORK, settings_of
from fdx.types import ConfigError, SplitError

from .own_machine_suite import INPUTS, NAME, Input, Task, dataset_name

DEFAULT = 'fdx train'
# Comparisons of domains (domain_pairs, within_domain) answer other questions.
PROTOCOLS = ('given_split', 'by_bearing', 'by_domain', 'by_recording', 'time_blocks')


@dataclasses.dataclass(frozen=True, eq=False)
class OwnBench:
    """The user's recordings, with the face of a Bench.

    Attributes:
      stem: builder and name without a front end, 'recordings/pumps'.
      prepared: the prepared dataset of the settings that `fdx train` chooses, with its version.
      own: the recordings as their owner describes them.
      axes: channels of every recording.
    """

    stem: str
    prepared: str
    own: OwnRecordings
    axes: int

    def recordings(self, manual_dir: str, kind: Input) -> OwnRecordings:
        """What `fdx.prepare` takes for an input; the first row reads the files just as their owner says."""
        del manual_dir
        if kind.name == DEFAULT:
            return self.own
        shared = self.own.spec.shared
        if not kind.axes and self.axes > 1:
            shared = dataclasses.replace(shared, channel=shared.channel.partition(',')[0].strip() or '0')
        spec = dataclasses.replace(self.own.spec, shared=shared)
        return dataclasses.replace(self.own, spec=spec, window_s=kind.window_s, hop_s=None)

    def dataset(self, kind: Input) -> str:
        """Name of the dataset of an input."""
        if kind.name == DEFAULT:
            return self.prepared.partition(':')[0]
        return dataset_name(self.stem, kind, self.axes)


@dataclasses.dataclass(frozen=True, eq=False)
class OwnStudy:
    """What is measured on a dataset of the user's own.

    Attributes:
      name: of the page.
      tasks: one per protocol, the one to go by first.
      pairs: (name of a task, name of an input) that can be measured.
      inputs: the rows.
      about: what the page says besides the rows (see own_machine_page.assemble).
      left_out: a line for each row that the data do not allow.
    """

    name: str
    tasks: tuple[Task, ...]
    pairs: frozenset[tuple[str, str]]
    inputs: tuple[Input, ...]
    about: Mapping[str, Any]
    left_out: tuple[str, ...]


def own_study(
    prepared: str, data_dir: str, own: OwnRecordings, protocols: Sequence[str] | None, inputs: Sequence[str] | None
) -> OwnStudy:
    """The rows and protocols that a dataset allows.

    Args:
      prepared: the dataset that `fdx train` would learn from, prepared, with its version.
      data_dir: folder of prepared datasets.
      own: its recordings.
      protocols: some of PROTOCOLS; None: all that can split the recordings.
      inputs: parts of names of rows; None: all that suit the recordings.

    Raises:
      ConfigError: a protocol or row that is not known, or does not suit; the text says why.
      SplitError: no protocol can split the recordings.
    """
    looked_at, data = look_at(own), open_dataset(prepared, data_dir)
    builder, config, _ = parse_dataset_name(prepared)
    stem = f'{builder}/{split_name(str(config))[0]}'
    bench = OwnBench(stem, prepared, own, looked_at.survey.channels)
    tasks, right = _tasks(bench, data, protocols)
    kinds, left_out = _rows(bench, data, looked_at)
    kinds = _asked_for(kinds, inputs, left_out)
    pairs, refused = _pairs(tasks, kinds, looked_at)
    labels = looked_at.collection.labels()
    page = f'{NAME}_{stem.partition("/")[2]}'
    about = {
        'page': page,
        'title': f'{stem}: what these recordings are worth',
        'intro': f'{len(looked_at.collection.entries)} recordings of the classes {", ".join(labels)}.',
        'tasks': [{'name': t.name, 'protocol': t.protocol, 'words': _heading(t, right)} for t in tasks],
        'inputs': [
            {'name': k.name, 'words': k.words, 'front_end': k.front_end, 'model': k.model} for k in kinds
        ],
        'notes': [*_notes(right), *_findings(data.metadata), *_left_out([*left_out, *refused])],
    }  # fmt: skip
    return OwnStudy(page, tasks, pairs, tuple(kinds), about, (*left_out, *refused))


def _tasks(bench: OwnBench, data: Dataset, asked: Sequence[str] | None) -> tuple[tuple[Task, ...], str]:
    """One task per protocol that can split the recordings, the right one first; and its name."""
    found = protocols_of_dataset(data)
    if not found.right:
        raise SplitError(f'{bench.prepared}: {found.reason}')
    fits = {fit.name: fit for fit in found.fits if fit.name in PROTOCOLS}
    order = sorted((n for n, fit in fits.items() if fit.possible), key=lambda n: (n != found.right, PROTOCOLS.index(n)))
    for name in asked or ():
        if name not in order:
            why = f'cannot split {bench.prepared}: {fits[name].reason}' if name in fits else 'is not of this suite'
            raise ConfigError(f'`tasks`={name}: it {why}; there are: {", ".join(order)}')
    chosen = [name for name in order if asked is None or name in asked]
    return tuple(Task(f'{bench.stem} {name}', bench, name, fits[name].reason) for name in chosen), found.right


def _rows(bench: OwnBench, data: Dataset, looked_at: Surveyed) -> tuple[list[Input], list[str]]:
    """The rows that suit the recordings, that of `fdx train` first; and why the others do not."""
    settings, window_s = settings_of(data.front_end), data.table.window_length / float(data.metadata['common_rate_hz'])
    words = f'what `fdx train` chooses for these recordings (windows of {window_s:.3g} s)'
    first = Input(DEFAULT, data.front_end.name, settings['model'], words, axes=True, settings=settings, by_size=True)
    kinds, left_out = [first], []
    for kind in INPUTS:
        if (kind.front_end, kind.model, kind.axes or bench.axes == 1) == (first.front_end, first.model, True):
            continue  # It is the first row.
        why = _unsuited(kind, looked_at)
        if why:
            left_out.append(f'{kind.name}: {why}')
        else:
            linear = kind.model == LINEAR['model']
            kinds.append(dataclasses.replace(kind, settings=dict(LINEAR if linear else NETWORK), by_size=True))
    return kinds, left_out


def _facts(kind: Input, looked_at: Surveyed) -> list[RecordingFacts]:
    """What an input sees of every recording."""
    facts = facts_of_survey(looked_at)
    return facts if kind.axes else [dataclasses.replace(f, channels=f.channels[:1]) for f in facts]


def _fit(kind: Input, looked_at: Surveyed) -> FrontEndFit:
    """Whether the front end of an input takes these recordings."""
    fits = front_ends_of(_facts(kind, looked_at), kind.window_s)
    return next(fit for fit in fits if fit.name == kind.front_end)


def _unsuited(kind: Input, looked_at: Surveyed) -> str:
    """Why an input cannot read these recordings; '' where it can."""
    channels = looked_at.survey.channels
    if kind.axes and channels == 1:
        return 'the recordings have one channel'
    if not kind.axes and channels > 1 and any(e.channel for e in looked_at.collection.entries):
        return 'the manifest names the channels of each recording'
    fit = _fit(kind, looked_at)
    return '' if fit.fits else fit.reason


def _asked_for(kinds: list[Input], asked: Sequence[str] | None, left_out: Sequence[str]) -> list[Input]:
    if asked is None:
        return kinds
    found = [kind for kind in kinds if any(text.strip() in kind.name for text in asked)]
    if not found:
        unsuited = f'; left out: {"; ".join(left_out)}' if left_out else ''
        raise ConfigError(f'`inputs`={",".join(asked)}: there are {"; ".join(k.name for k in kinds)}{unsuited}')
    return found


def _pairs(
    tasks: Sequence[Task], kinds: Sequence[Input], looked_at: Surveyed
) -> tuple[frozenset[tuple[str, str]], list[str]]:
    """The cells that can be measured, and why the others cannot: longer windows leave no five blocks, for example."""
    pairs, refused = set(), []
    for kind in kinds:
        fits = {}
        if kind.name != DEFAULT:  # Its protocols were tried on the prepared dataset.
            found = protocols_of(_facts(kind, looked_at), _fit(kind, looked_at).window_s)
            fits = {f.name: f for f in found.fits if not f.possible}
        for task in tasks:
            if task.protocol in fits:
                refused.append(f'{kind.name} by {task.protocol}: {fits[task.protocol].reason}')
            else:
                pairs.add((task.name, kind.name))
    return frozenset(pairs), refused


def _heading(task: Task, right: str) -> str:
    first = 'the protocol to go by' if task.protocol == right else 'a further protocol'
    return f'{task.protocol}, {first}: {task.words}'


def _notes(right: str) -> list[str]:
    return [
        f'`{right}` is the protocol that `fdx train` chooses; protocols that know more of the tested recordings score '
        'higher and promise less. All rows have settings that were chosen on other recordings (ADI and HIT), none was '
        'tuned on these. The step is the one with the lowest loss on validation recordings. Rows that differ by less '
        'than their spread over seeds, or by one or two recordings, are equal. If you choose the best of these rows, '
        'its own score here is a little too high.'
    ]


def _findings(metadata: Mapping[str, Any]) -> list[str]:
    found = [f for f in metadata.get('findings') or () if f.get('severity') in ('error', 'warning')]
    return [f'`fdx inspect` warns, and these scores may rest on it: {f["text"]}.' for f in found]


def _left_out(lines: Sequence[str]) -> list[str]:
    return [f'Left out: {"; ".join(lines)}.'] if lines else []
