"""The caches: stored entries, in Redis and in memory."""
