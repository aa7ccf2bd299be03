"""Measures the service beside what it could be compared with, in one run on one machine: ``make bench``."""
