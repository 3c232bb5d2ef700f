"""Raw recordings in other people's files: .mat, .wav, .npy and text tables. `files.read_raw_file` reads them all."""
