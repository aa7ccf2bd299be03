"""``/runs/{runId}/metric-resource/series``."""
