"""The universal judge: a small network that has seen simulated machines only, and what it says of a real recording."""
