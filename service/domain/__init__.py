"""The domain, without HTTP, Redis or the AI API: runs, metrics, instants, zones, access, errors."""
