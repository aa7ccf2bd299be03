"""The memory of a process: how the C library and Python's collector of garbage give it back."""
