"""Selection of points and runs: filters, sorting, pages. The text of each point stays the same."""
