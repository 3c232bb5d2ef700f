"""Which files of a workdir fdx made itself: it never removes any others.

Before fdx writes or removes the folder NAME of a step (or `frozen`), it puts the file `.NAME.unfinished` beside it, and
it takes that file away when all is done. A killed process leaves it, so that the next start knows that the half-written
folder is fdx's. A folder with neither this mark nor a manifest was not made by fdx, or has lost its manifest: it is
named in an error and left alone.

    workdir/checkpoints/run.json        id of the run, drawn when it begins; every manifest repeats it
    workdir/checkpoints/.30.unfinished  step 30 is being written or removed
"""

from __future__ import annotations

import logging
import os
import pathlib
import re
import shutil

from fdx.files import boundary, parse_json, remove_temporaries, write_json
from fdx.locks import LOCK, hold
from fdx.train import manifest
from fdx.train.run_ids import RUN, run_id
from fdx.types import CheckpointError

logger = logging.getLogger(__name__)

LOG = 'metrics.jsonl'
LOG_BEGINS = b'{"epoch": '
MAX_LINE = 1 << 16
_MARK = re.compile(r'\.(\d+|frozen)\.unfinished')
_ORBAX_TEMPORARY = re.compile(r'(\d+|frozen)\.orbax-checkpoint-tmp.*')
_TEMPORARY = re.compile(r'\..+\.[0-9a-f]{32}\.tmp')
SHOWN = 5


def workdir_lock(workdir: str | pathlib.Path):
    """The lock of a workdir, as a context: one program writes there at a time, others may read.

    Raises:
      LockedError: another program writes there; the text says which.
      FileWriteError: the workdir cannot be written.
    """
    path = pathlib.Path(workdir)
    return hold(path / LOCK, f'the workdir {path}', remedy='wait until it ends, or choose another `workdir`')


def is_step_name(name: str) -> bool:
    """Whether the name of a folder is a number as fdx writes it."""
    return name.isascii() and name.isdigit() and str(int(name)) == name


def mark_of(folder: pathlib.Path) -> pathlib.Path:
    """The file which says that `folder` is being written or removed."""
    return folder.with_name(f'.{folder.name}.unfinished')


def has_manifest(folder: pathlib.Path) -> bool:
    """Whether a folder is finished."""
    return (folder / manifest.MANIFEST).is_file()


def orphans(root: pathlib.Path) -> list[pathlib.Path]:
    """Folders of steps that lack a manifest although no save was interrupted, by number."""
    found = []
    for path in root.glob('*'):
        # Asked before and after the mark: a step may be finished or removed while this process looks.
        if is_step_name(path.name) and _lacks_manifest(path) and not mark_of(path).exists() and _lacks_manifest(path):
            found.append(path)
    return sorted(found, key=lambda p: int(p.name))


def _lacks_manifest(folder: pathlib.Path) -> bool:
    return folder.is_dir() and not has_manifest(folder)


def begin_change(folder: pathlib.Path, what: str) -> None:
    """Marks a folder before it is written or removed; `what` says which."""
    write_json(mark_of(folder), {'folder': folder.name, 'change': what})


def end_change(folder: pathlib.Path) -> None:
    """Takes the mark away."""
    mark_of(folder).unlink(missing_ok=True)


def remove(folder: pathlib.Path) -> None:
    """Removes a folder that fdx made; if the process is killed meanwhile, the next start completes it."""
    with boundary('cannot remove', folder, 'check that the folder is writable', CheckpointError):
        begin_change(folder, 'removing')
        (folder / manifest.MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(folder)
        end_change(folder)


def discard_unfinished(folder: pathlib.Path) -> None:
    """Removes what an interrupted change of a marked folder left behind, and then the mark."""
    with boundary('cannot remove', folder, 'check that the folder is writable', CheckpointError):
        for path in folder.parent.glob(f'{folder.name}.orbax-checkpoint-tmp*'):
            _remove_tree(path)
        if folder.is_dir() and not has_manifest(folder):
            _remove_tree(folder)
        end_change(folder)


def _remove_tree(path: pathlib.Path) -> None:
    """Removes a folder, but not a link, as fdx never makes links."""
    if path.is_dir() and not path.is_symlink():
        logger.warning('removing %s: its writing was interrupted', path)
        shutil.rmtree(path)


def clear_remains(workdir: pathlib.Path, root: pathlib.Path) -> None:
    """Removes what killed processes left behind: marked folders and temporary files."""
    for folder in (workdir, root):
        for path in folder.glob('.*.unfinished'):
            match = _MARK.fullmatch(path.name)
            if match:
                discard_unfinished(folder / match[1])
        remove_temporaries(folder)


def refuse_foreign(root: pathlib.Path, frozen: pathlib.Path) -> None:
    """Refuses a workdir whose folders hold files that fdx did not make.

    Raises:
      CheckpointError: the text names them.
    """
    if root.exists() and not root.is_dir():
        raise CheckpointError(f'{root} is not a folder: move it away, or choose another `workdir`')
    lost = orphans(root)
    if lost:
        steps = [p.name for p in root.glob('*') if is_step_name(p.name) and has_manifest(p)]
        rest = f' (training then goes on from step {max(map(int, steps))})' if steps else ''
        raise CheckpointError(
            f'{lost[0]} has no {manifest.MANIFEST}: the file was deleted, or the folder was copied without it, or '
            f'fdx did not make it; put the file back, or move the folder away{rest}'
        )
    foreign = sorted(str(p) for p in root.glob('*') if not _is_ours(p))
    if frozen.exists() and not (frozen.is_dir() and has_manifest(frozen)):
        foreign.append(str(frozen))
    log = root.parent / LOG
    if not is_log(log):
        foreign.append(str(log))
    if foreign:
        more = f' and {len(foreign) - SHOWN} more' if len(foreign) > SHOWN else ''
        raise CheckpointError(
            f'fdx did not make {", ".join(foreign[:SHOWN])}{more}: move what is yours elsewhere, or choose another '
            '`workdir`'
        )


def is_log(path: pathlib.Path) -> bool:
    """Whether a file is a log of epochs that a run may write anew; so are a missing file and a half-written line."""
    if not os.path.lexists(path):
        return True
    try:
        with path.open('rb') as file:
            line = file.readline(MAX_LINE)
        if not line.endswith(b'\n'):
            return line.startswith(LOG_BEGINS) or LOG_BEGINS.startswith(line)
        return {'epoch', 'step'} <= set(parse_json(line))
    except (OSError, ValueError, TypeError, RecursionError):
        return False


def _is_ours(path: pathlib.Path) -> bool:
    name = path.name
    if path.is_dir():
        return is_step_name(name) and has_manifest(path)
    if name == RUN:
        return run_id(path.parent) is not None
    return bool(manifest.is_junk(name) or _MARK.fullmatch(name) or _TEMPORARY.fullmatch(name) or name == LOCK)


def why_kept(folder: pathlib.Path) -> str | None:
    """Why fdx must not remove a finished folder, in words; None where it may."""
    if folder.is_symlink():
        return 'it is a link'
    if manifest.read_manifest(folder) is None:
        return f'its {manifest.MANIFEST} cannot be read'
    extra = manifest.extra_files(folder)
    return f'fdx did not make {extra[0]} in it' if extra else None
