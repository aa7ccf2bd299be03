"""The running run: a model that is really trained, in plain Python, one step and point at a time."""
