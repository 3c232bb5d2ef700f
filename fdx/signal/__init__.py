"""Host-side signal processing: recordings to spectrograms. Imports nothing of fdx but types."""
