"""Charts: of a run's metrics, and what the charts of comparisons share with them."""
