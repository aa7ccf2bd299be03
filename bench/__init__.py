"""Benchmarks the service beside servers that it can be compared with, in one run on one machine: ``make bench``."""
