"""Concurrency: shared work, managed waits, deadlines. Knows nothing of runs, HTTP or the AI API."""
