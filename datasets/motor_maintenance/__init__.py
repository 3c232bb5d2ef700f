"""Motor maintenance: a table of sensor readings with a failure label, drawn or read, as a TFDS builder."""
