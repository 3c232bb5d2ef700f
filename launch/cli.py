"""How every program starts: absl flags, a user's error as a message instead of a traceback, exit codes."""

from __future__ import annotations

import logging as stdlib_logging
import os
import sys
from collections.abc import Callable, Sequence

from absl import app, flags, logging

from fdx.types import FdxError

from . import compiled
from .flag_words import FlagWords, in_commands, in_flags

EXIT_ERROR = 1
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells report it
EXIT_PIPE = 141  # 128 + SIGPIPE


def run(main: Callable[[Sequence[str]], int | None], *, positional: bool = False) -> None:
    """Parses the flags, calls `main(argv)` and ends the process.

    An FdxError goes to standard error as 'error: ...' with exit code 1, or with the `exit_code` of its class; the
    parameters that it names become this program's flags (`as_flags`). Any other exception is a defect and keeps its
    traceback. Ctrl-C ends with 130, a closed pipe with 141.

    Args:
      main: gets what absl leaves of the command line (the program's name, then positional arguments); it returns the
        exit code, where None means 0.
      positional: whether the program takes positional arguments. If not, such an argument is an error: most often it
        is a flag whose dashes were forgotten.
    """

    def guarded(argv: Sequence[str]) -> int | None:
        if len(argv) > 1 and not positional:
            _complain(f'unexpected argument {argv[1]!r}: flags are written --name=value (--help lists them)')
            return EXIT_ERROR
        _quiet_dependencies()
        _expand_home()
        if flags.FLAGS[compiled.FLAG].value:
            compiled.keep_compiled()
        try:
            code = main([argv[0], *map(os.path.expanduser, argv[1:])])
            sys.stdout.flush()  # Inside: a closed pipe shows only when the buffer is written.
            return code
        except FdxError as e:
            try:
                _complain(as_flags(str(e)))
            except BrokenPipeError:
                return _pipe_closed()
            return getattr(e, 'exit_code', EXIT_ERROR)
        except KeyboardInterrupt:
            _complain('interrupted')
            return EXIT_INTERRUPTED
        except BrokenPipeError:
            return _pipe_closed()

    compiled.define_flag()
    program = sys.modules['__main__']
    program.__doc__ = in_commands(program.__doc__ or '')
    app.run(guarded)


def as_flags(text: str) -> str:
    """A message of the library with the flags of this program and the commands of this installation."""
    return in_commands(in_flags(text, flags.FLAGS))


def _pipe_closed() -> int:
    """The reader (`| head`) has closed the pipe. What is still in the buffer must not raise once more at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return EXIT_PIPE


def _expand_home() -> None:
    """Expands `~` in the values of flags: a shell does so only at the beginning of a word, not in --workdir=~/runs.

    Every flag is expanded, not only those of paths: no other value begins with `~`.
    """
    for name in flags.FLAGS:
        flag = flags.FLAGS[name]
        if isinstance(flag.value, str):
            flag.value = os.path.expanduser(flag.value)
        elif isinstance(flag.value, list):
            flag.value = [os.path.expanduser(v) if isinstance(v, str) else v for v in flag.value]


def _quiet_dependencies() -> None:
    """Shows fdx's own messages, in this program's flags, and of the libraries below it warnings only.

    With --verbosity, what that says.
    """
    logging.get_absl_handler().addFilter(FlagWords(flags.FLAGS))
    if flags.FLAGS['verbosity'].present:
        return
    logging.set_verbosity(logging.WARNING)
    stdlib_logging.getLogger('fdx').setLevel(stdlib_logging.INFO)


def _complain(message: str) -> None:
    sys.stdout.flush()
    print(f'error: {message}', file=sys.stderr)
