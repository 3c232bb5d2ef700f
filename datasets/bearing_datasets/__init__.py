"""Datasets that the package bearing-datasets has built, as fdx records."""
