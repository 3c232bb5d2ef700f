"""Side-by-side timings; run by hand (`make bench`), never as tests: machines are shared and noisy."""
