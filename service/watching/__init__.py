"""``metric-resource watch``: a run followed in the terminal, by the public HTTP interface."""
