"""Stored entries, in Redis and in memory."""
