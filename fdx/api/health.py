"""What a machine in good order looks like, and whether it still does."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from fdx.data.collection.entry import Entry
from fdx.data.collection.spec import CollectionSpec
from fdx.health.known import Known
from fdx.health.learn import BY_DRIFT, Settings
from fdx.health.learn_recordings import AUTO, Learned, Options, learn_recordings
from fdx.health.monitor import Monitor
from fdx.health.wish import Rule, Wish
from fdx.types import ConfigError


def baseline(
    recordings: CollectionSpec | str | os.PathLike,
    workdir: str | os.PathLike,
    *,
    features: Sequence[str] = (),
    checkpoint: str | os.PathLike = '',
    detector: str = AUTO,
    piece_s: float | None = None,
    false_alarm_every_days: float = 30.0,
    recordings_per_day: float = 24.0,
    alarm_after: str = '2of3',
    alarm_on: str = BY_DRIFT,
    keep_odd: bool = False,
    seed: int = 0,
    progress: Callable[[Iterable[Entry]], Iterable[Entry]] = lambda entries: entries,
) -> Learned:
    """Learns a machine's normal state from healthy recordings alone.

        learned = fdx.baseline('healthy/', 'pump7')
        learned.saved.baseline.rate                     # false alarms per recording that are promised
        learned.left_out                                # recordings that are not like the others

    Args:
      recordings: a folder, a manifest, or what is known of either (`CollectionSpec`: pattern of names, rate, channel).
        Where some are labelled normal, only these are read.
      workdir: folder for the baseline; older baselines in it are kept.
      features: names of fdx.health.feature_plan.FEATURE_SETS; () takes those that fit.
      checkpoint: workdir of a run of your own, whose network is read beside them (or `network` among them).
      detector: a name of fdx.health.detectors.DETECTORS, or 'auto'.
      piece_s: seconds of pieces that stand for recordings, where there are fewer than twenty.
      false_alarm_every_days: how often a false alarm may come.
      recordings_per_day: how many recordings will be monitored per day.
      alarm_after: MofN: an alarm takes M of the last N recordings.
      alarm_on: 'worse': an alarm takes unusual recordings that have risen as damage rises (fdx.health.rise), and others
        are watched; 'unusual': any unusual recordings; 'auto': worse where the healthy recordings drift, else unusual.
      keep_odd: whether to keep recordings that are not like the others.
      seed: of what is drawn.
      progress: wraps the recordings, e.g. tqdm.

    Raises:
      FdxError: the recordings or the options cannot be used; the text says which, and what to do.
    """
    wish, rule = Wish(false_alarm_every_days, recordings_per_day), Rule.parse(alarm_after)
    settings = Settings(wish=wish, rule=rule, seed=seed, alarm_on=alarm_on)
    options = Options(tuple(features), piece_s, keep_odd, detector, settings, os.fspath(checkpoint))
    return learn_recordings(recordings, workdir, options, progress=progress)


def monitor(
    workdir: str | os.PathLike,
    files: Iterable[str | os.PathLike] = (),
    *,
    manifest: str | os.PathLike | None = None,
    speed_rpm: float | None = None,
    load: float | None = None,
    judge: str = 'changes',
    variable: str | None = None,
    channel: str | None = None,
    sample_rate_hz: float | None = None,
    cut_s: float | None = None,
) -> list[dict[str, Any]]:
    """Scores files against the newest baseline of a workdir; each is in its history once.

        for row in fdx.monitor('pump7', ['monday.wav', 'tuesday.wav']):
            print(row['file'], row['state'], row['p_value'], row['moved'][:3])

    Args:
      workdir: as `fdx.baseline` wrote it.
      files: in the order of time.
      manifest: a table of recordings instead, with the columns file, speed_rpm and load, and, where a file holds
        several, variable, channel, start_s and stop_s.
      speed_rpm: of the shaft in all of them; it wins over names and files.
      load: likewise.
      judge: when the universal judge is asked: changes (of an unusual recording, where none of the last five was asked
        about), not_normal, always or never.
      variable: signal of .mat, HDF5 and TDMS files; None: as the baseline was read.
      channel: of files with several; None: as the baseline was read.
      sample_rate_hz: of files that do not tell it; None: as the baseline was read.
      cut_s: seconds of the stretches that long files are cut into, each a recording of its own.

    Returns:
      One row per recording (fdx.health.history): state, score, p_value, moved, verdict, reason, ...

    Raises:
      CheckpointError: there is no baseline.
      ConfigError: an option that cannot be used, or files and a manifest.
      FdxError: the history cannot be written.
    """
    if manifest is not None and (cut_s is not None or tuple(files)):
        raise ConfigError('`manifest` names the recordings: leave files and `cut_s` out')
    with Monitor(workdir, Known(speed_rpm, load, judge, variable, channel, sample_rate_hz, cut_s)) as scored:
        if manifest is not None:
            return [scored.file(entry.files[0], entry)[0] for entry in scored.incoming.manifest(manifest)]
        return [scored.file(file, entry)[0] for file in files for entry in scored.incoming.recordings(file)]
