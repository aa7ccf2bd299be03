"""``/comparisons`` and ``/comparisons/chart``."""
