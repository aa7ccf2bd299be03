"""The training that is recorded, a module for each data set."""
