"""``/runs`` and ``/runs/{runId}``."""
