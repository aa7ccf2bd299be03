"""``/points``."""
