"""The HTTP server: a gunicorn worker whose one loop owns all connections, so that threads only ever serve requests."""
