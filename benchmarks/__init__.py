"""Studies and timings: what methods, weights and remedies are worth, and how fast fdx is.

A study is a grid of cells (`grid`) with a page (`page`); `launch.benchmark`, `launch.compare` and `launch.probe` run
them. `speed_run` (`make bench`) and `fuzz` are run by hand and never as tests, since machines are shared and noisy.
"""
