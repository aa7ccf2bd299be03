"""``metric-resource demo``: a sandbox, a Redis-protocol server and the service, started together."""
