"""Raw recordings in other people's files, of many formats. `files.read_raw_file` reads them all."""
