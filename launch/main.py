"""The command `fdx`: one name for all programs.

    fdx train --dataset=bearing_rig/small --workdir=runs/mine
    fdx predict --checkpoint=runs/mine motor.wav
    fdx train --help

In a checkout `python -m launch.train` is the same as `fdx train`.
"""

from __future__ import annotations

import ast
import difflib
import pathlib
import runpy
import sys

import fdx

# In the order in which they are listed: of every day, then studies, then files.
PROGRAMS = (
    'inspect',
    'manifest',
    'prepare',
    'train',
    'evaluate',
    'predict',
    'baseline',
    'monitor',
    'report',
    'explain',
    'adapt',
    'export',
    'demo',
    'table',
    'generate_table',
    'synthesize',
    'rare_faults',
    'probe',
    'compare',
    'study',
    'benchmark',
    'universal',
    'fetch_weights',
    'convert_weights',
)
EXIT_USAGE = 2


def first_line(program: str) -> str:
    """What a program does, in one line: the first of its docstring, read without importing it."""
    source = pathlib.Path(__file__).with_name(f'{program}.py').read_text(encoding='utf-8')
    return (ast.get_docstring(ast.parse(source)) or '').partition('\n')[0]


def usage() -> str:
    """The list of programs."""
    width = max(map(len, PROGRAMS))
    lines = [f'  {name.ljust(width)}  {first_line(name)}' for name in PROGRAMS]
    head = 'Usage: fdx PROGRAM [--flag=value ...] [file ...]\n\nPrograms:'
    return '\n'.join([head, *lines, '', 'fdx PROGRAM --help lists its flags; fdx --version tells the version.'])


def main() -> int | None:
    """Runs the program that the first argument names, as `python -m` would; returns its exit code or leaves with it."""
    program, arguments = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ('--help', [])
    if program in ('-h', '--help', 'help'):
        print(usage())
        return 0
    if program == '--version':
        print(f'fdx {fdx.__version__}')
        return 0
    name = program.replace('-', '_')
    if name not in PROGRAMS:
        near = difflib.get_close_matches(name, PROGRAMS, n=1)
        hint = f'did you mean {near[0]}?' if near else 'fdx --help lists the programs'
        print(f'error: fdx has no program {program!r}; {hint}', file=sys.stderr)
        return EXIT_USAGE
    sys.argv = [name, *arguments]
    runpy.run_module(f'{__package__}.{name}', run_name='__main__', alter_sys=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
