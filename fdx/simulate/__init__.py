"""Simulated machines, each drawn at random within what physics allows, and what a sensor on them reads.

machine = draw_machine(seed=1, index=7)
recording = simulate(machine)
"""

from fdx.simulate.confounders import CONFOUNDERS, NOISE_ONLY
from fdx.simulate.draw import draw_machine
from fdx.simulate.machine import SIMULATOR_VERSION, STATES, SimulatedMachine
from fdx.simulate.signal import simulate

__all__ = ['CONFOUNDERS', 'NOISE_ONLY', 'SIMULATOR_VERSION', 'STATES', 'SimulatedMachine', 'draw_machine', 'simulate']
