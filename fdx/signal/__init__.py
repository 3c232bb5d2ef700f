"""Host-side signal processing: recordings to spectrograms. It imports only fdx.types from fdx."""
