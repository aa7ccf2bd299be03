"""What the service is about, free of HTTP, Redis and the AI API: runs, metrics, instants, zones, access, errors."""
