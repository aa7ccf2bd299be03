"""Telemetry: structured logs, Prometheus metrics, traces."""
