"""The HTTP interface: who may ask, how questions are read, how answers are written."""
