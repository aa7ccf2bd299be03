"""``/runs/{runId}/logs``."""
