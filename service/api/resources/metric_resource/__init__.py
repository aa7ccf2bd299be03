"""``/runs/{runId}/metric-resource``, ``/tags`` and ``/custom-info``."""
