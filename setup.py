"""Which packages the wheel holds: everything under the one name `fdx`, without moving a folder.

datasets/, launch/ and benchmarks/ stand beside fdx/ in a checkout, where TFDS and `python -m launch.X` look for them.
In a wheel they are fdx.datasets, fdx.launch and fdx.benchmarks. Everything else is in pyproject.toml.
"""

from setuptools import find_packages, setup

INSIDE = ('datasets', 'launch', 'benchmarks')

setup(
    packages=[
        *find_packages(include=['fdx', 'fdx.*']),
        *(f'fdx.{name}' for room in INSIDE for name in find_packages(include=[room, f'{room}.*'])),
    ],
    package_dir={f'fdx.{room}': room for room in INSIDE},
)
