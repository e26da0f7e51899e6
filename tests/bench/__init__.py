"""Measurements, run by `make bench`. Each prints a JSON line with a floor measured in the same run."""
