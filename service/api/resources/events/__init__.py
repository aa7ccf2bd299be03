"""A run's metric resource as it grows, as server-sent events."""
